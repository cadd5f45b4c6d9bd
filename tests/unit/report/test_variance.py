"""Variance between placements and within: against worked examples, against scipy, and over simulated experiments."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from benchhost.report.variance import Measurement, TooLittle, VarianceComponents, decompose, placement_means

# P. E. Shrout, J. L. Fleiss, Intraclass correlations, Psychological Bulletin 86 (1979), table 2: six targets, four
# judges. Given there: between mean square 11.24, within 6.26, ICC(1,1) 0.17.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def of_one_configuration(rows: list[list[float]]) -> list[Measurement]:
    """One row a placement."""
    return [Measurement(1, place, score) for place, row in enumerate(rows) for score in row]


def decomposed(measurements: list[Measurement]) -> VarianceComponents:
    found = decompose(measurements)
    assert isinstance(found, VarianceComponents), found
    return found


def test_shrout_and_fleiss_have_our_intraclass_correlation() -> None:
    found = decomposed(of_one_configuration([[float(x) for x in row] for row in SHROUT_FLEISS]))
    assert found.within == pytest.approx(6.26, abs=0.005)
    assert 4 * found.between + found.within == pytest.approx(11.24, abs=0.005)
    assert found.share == pytest.approx(0.1657, abs=0.0001)
    # The R package psych gives -0.13 to 0.72 for these data; a share is not below zero.
    assert (found.low, found.high) == (0.0, pytest.approx(0.7226, abs=0.0005))
    assert (found.df_between, found.df_within) == (5, 18)
    assert found.f == pytest.approx(1.79, abs=0.005)
    assert found.p_value == pytest.approx(0.165, abs=0.001)


def test_with_equal_numbers_the_interval_is_that_of_mcgraw_and_wong() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(0, 2, (8, 1)) + rng.normal(0, 1, (8, 3))
    found = decomposed(of_one_configuration(scores.tolist()))
    low, high = found.f / stats.f.ppf([0.975, 0.025], 7, 16)
    assert found.low == pytest.approx((low - 1) / (low + 2))
    assert found.high == pytest.approx((high - 1) / (high + 2))


def test_unequal_numbers_by_hand() -> None:
    # Means 2, 6 and 11 of 2, 1 and 3; sum of squares between 99 (grand mean 43/6), within 2 + 0 + 8, so 2 and 3 degrees
    # of freedom; n0 = (6 - 14/6) / 2.
    found = decomposed(of_one_configuration([[1, 3], [6], [9, 11, 13]]))
    grand = 43 / 6
    between = (2 * (2 - grand) ** 2 + (6 - grand) ** 2 + 3 * (11 - grand) ** 2) / 2
    assert found.within == pytest.approx(10 / 3)
    assert found.between == pytest.approx((between - 10 / 3) / ((6 - 14 / 6) / 2))
    assert found.f == pytest.approx(stats.f_oneway([1, 3], [6], [9, 11, 13]).statistic)


def test_with_unequal_numbers_the_limits_are_walds() -> None:
    # Wald's own form (1940): the placements' means weighted by what their variance would be at the limit.
    rng = np.random.default_rng(8)
    rows = [rng.normal(3 * rng.normal(), 1, size).tolist() for size in (2, 2, 3, 15, 15)]
    found = decomposed(of_one_configuration(rows))
    sizes, means = np.array([len(row) for row in rows]), np.array([np.mean(row) for row in rows])
    for share, probability in ((found.low, 0.975), (found.high, 0.025)):
        weights = sizes / (1 + sizes * share / (1 - share))
        spread = np.sum(weights * (means - np.average(means, weights=weights)) ** 2) / 4
        assert spread / found.within == pytest.approx(stats.f.ppf(probability, 4, 32), rel=1e-6)


def test_the_configurations_effect_is_taken_out_first() -> None:
    # Two configurations, 100 apart, on three placements at -2, 0 and 2, noise of one up and one down: a randomised block
    # design. Blocks 32 / 2, error 12 / 8, each of four scores: (16 - 1.5) / 4.
    rows = [
        Measurement(configuration, place, 100.0 * configuration + 2.0 * place + noise)
        for configuration, place, noise in product((0, 1), (-1, 0, 1), (-1.0, 1.0))
    ]
    found = decomposed(rows)
    assert found.within == pytest.approx(12 / 8)
    assert found.between == pytest.approx((16 - 1.5) / 4)


def test_neither_order_nor_unit_nor_names_matter() -> None:
    rng = np.random.default_rng(2)
    rows = [
        Measurement(c, p, float(rng.normal())) for c, p, _ in product(range(3), "abcd", range(2)) if rng.random() < 0.8
    ]
    other = [Measurement(9 - each.configuration, f"x{each.placement}", 50 - 7 * each.score) for each in reversed(rows)]
    first, second = decomposed(rows), decomposed(other)
    assert (second.share, second.low, second.high) == pytest.approx((first.share, first.low, first.high))
    assert second.sd_within == pytest.approx(7 * first.sd_within)


def test_repeats_further_apart_than_placements_give_no_share_and_say_so() -> None:
    found = decomposed(of_one_configuration([[0, 10], [1, 9.1], [-1, 11]]))
    assert found.is_negative
    assert (found.share, found.low, found.sd_between) == (0, 0, 0)


@pytest.mark.parametrize(
    ("measurements", "words"),
    [
        pytest.param([], "no known placements", id="nothing"),
        pytest.param(of_one_configuration([[1, 2], [3, 4]]), "2 known placements", id="two-placements"),
        pytest.param(of_one_configuration([[1], [2], [4]]), "two measurements of one configuration", id="no-repeats"),
        pytest.param(
            [Measurement(place, place, float(score)) for place, score in product(range(4), range(3))],
            "more than one placement",
            id="each-configuration-on-a-placement-of-its-own",
        ),
        pytest.param(of_one_configuration([[1, 1], [2, 2], [3, 3]]), "exactly the same score", id="no-noise"),
        pytest.param(of_one_configuration([[1, 1], [1, 1], [1, 1]]), "exactly the same score", id="no-variance"),
        pytest.param(of_one_configuration([[0.1 + 0.2, 0.3], [5, 5], [7, 7]]), "same score", id="rounding-only"),
    ],
)
def test_too_little_is_told_with_a_reason(measurements: list[Measurement], words: str) -> None:
    found = decompose(measurements)
    assert isinstance(found, TooLittle)
    assert words in found.reason


def test_repeats_on_one_placement_become_one_mean() -> None:
    rows = [Measurement(1, "a", 1.0), Measurement(1, "a", 3.0), Measurement(1, "b", 7.0), Measurement(2, "a", 5.0)]
    assert placement_means(rows) == {1: {"a": 2.0, "b": 7.0}, 2: {"a": 5.0}}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_the_interval_covers_the_true_share_in_95_of_100_unbalanced_experiments(share: float) -> None:
    rng = np.random.default_rng(11)
    # Three configurations on six placements, each one to three times, some not at all.
    cells = [(c, p) for c, p in product(range(3), range(6)) for _ in range(int(rng.integers(0, 4)))]
    covered = 0
    for _ in range(400):
        luck = rng.normal(0, np.sqrt(share), 6)
        rows = [Measurement(c, p, 10.0 * c + luck[p] + rng.normal(0, np.sqrt(1 - share))) for c, p in cells]
        found = decomposed(rows)
        covered += found.low <= share <= found.high
    # Three standard errors around 95 %; at a share of 0 only the upper limit can miss.
    assert 0.917 <= covered / 400 <= (1.0 if share == 0 else 0.983)
