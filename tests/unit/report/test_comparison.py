"""Best against baseline: against Student's own data, and over simulated experiments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from benchhost.report.comparison import Comparison, Method, Outcome, choose, compare
from benchhost.report.variance import Measurement, PlacementMeans, placement_means

# Student (1908), after A. R. Cushny and A. R. Peebles (1905): extra hours of sleep by two drugs. R's help page t.test
# gives t = -4.0621, p = 0.002833, -2.46 to -0.70 paired; t = -1.8608, df = 17.776, p = 0.07939, -3.365 to 0.205 after
# Welch.
FIRST = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SECOND = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)


def on(names: str, scores: Sequence[float]) -> dict[object, float]:
    return dict(zip(names, scores, strict=True))


def compared(
    best: Mapping[object, float], baseline: Mapping[object, float], *, direction: str = "max", comparisons: int = 1
) -> Comparison:
    found = compare(best, baseline, direction=direction, comparisons=comparisons)
    assert found is not None
    return found


def test_student_by_pairs() -> None:
    found = compared(on("abcdefghij", SECOND), on("abcdefghij", FIRST))
    assert found.method is Method.PAIRED
    assert (found.t, found.df, found.p_value) == pytest.approx((4.0621, 9, 0.002833), abs=1e-4)
    assert (found.low, found.difference, found.high) == pytest.approx((0.7001, 1.58, 2.4599), abs=1e-4)
    assert found.wins == 9
    assert found.outcome is Outcome.BETTER
    assert found.effect.g == pytest.approx(1.174, abs=0.001)


def test_student_on_placements_of_their_own() -> None:
    found = compared(on("abcdefghij", SECOND), on("klmnopqrst", FIRST))
    assert found.method is Method.WELCH
    assert (found.t, found.df, found.p_value) == pytest.approx((1.8608, 17.776, 0.07939), abs=1e-3)
    assert (found.low, found.high) == pytest.approx((-0.2055, 3.3655), abs=1e-4)
    assert found.wins is None
    assert found.outcome is Outcome.NOT_SHOWN


def test_the_best_of_several_has_to_be_better_by_more() -> None:
    one = compared(on("abcdefghij", SECOND), on("abcdefghij", FIRST))
    many = compared(on("abcdefghij", SECOND), on("abcdefghij", FIRST), comparisons=20)
    assert many.p_value == pytest.approx(20 * one.p_value)
    assert many.outcome is Outcome.NOT_SHOWN
    assert many.low < 0 < one.low
    assert many.effect.low < 0 < one.effect.low


@pytest.mark.parametrize("comparisons", [1, 3, 20])
def test_interval_and_p_value_say_the_same(comparisons: int) -> None:
    for shift in np.linspace(-3, 3, 13):
        found = compared(
            on("abcde", np.add((1, 3, 2, 5, 4), shift)), on("fghij", (2, 3, 3, 4, 3)), comparisons=comparisons
        )
        assert (found.p_value < 0.05) is (found.low > 0 or found.high < 0)


def test_lower_is_better_where_it_is() -> None:
    found = compared(on("abcdefghij", FIRST), on("abcdefghij", SECOND), direction="min")
    assert found.outcome is Outcome.BETTER
    assert found.difference == pytest.approx(-1.58)
    assert found.wins == 9
    assert compared(on("abcdefghij", SECOND), on("abcdefghij", FIRST), direction="min").outcome is Outcome.NOT_SHOWN


@pytest.mark.parametrize(
    ("best", "baseline", "method"),
    [
        pytest.param("abc", "abc", Method.PAIRED, id="all-shared"),
        pytest.param("abcdef", "abcghi", Method.PAIRED, id="half-shared"),
        pytest.param("abcd", "abef", Method.WELCH, id="two-shared"),
        pytest.param("abcdefgh", "abcijklm", Method.WELCH, id="fewer-than-half-shared"),
    ],
)
def test_where_they_were_measured_decides_on_the_test(best: str, baseline: str, method: Method) -> None:
    rng = np.random.default_rng(1)
    assert compared(on(best, rng.normal(size=len(best))), on(baseline, rng.normal(size=len(baseline)))).method is method


def test_scores_without_noise_cannot_be_compared() -> None:
    assert compare(on("abc", (5, 5, 5)), on("def", (4, 4, 4)), direction="max", comparisons=1) is None
    assert compare(on("abc", (0.3, 1.3, 2.3)), on("abc", (0.1, 1.1, 2.1)), direction="max", comparisons=1) is None


def test_relative_to_the_baseline_only_where_that_means_something() -> None:
    found = compared(on("abc", (110, 112, 111)), on("def", (100, 101, 99)))
    assert found.relative is not None
    assert found.relative[0] == pytest.approx(0.11)
    assert compared(on("abc", (1, 2, 3)), on("def", (-1, -2, -4))).relative is None


def test_the_best_needs_enough_placements_and_the_leader_is_told_of() -> None:
    means: PlacementMeans = {
        1: dict.fromkeys("abc", 10.0),
        2: dict.fromkeys("def", 12.0),
        3: {"g": 99.0},
    }
    chosen = choose(means, direction="max", baseline=1)
    assert (chosen.best, chosen.baseline, chosen.leader, chosen.comparisons, chosen.enough) == (2, 1, 3, 2, True)
    chosen = choose(means, direction="min", baseline=2)
    assert (chosen.best, chosen.baseline, chosen.leader) == (1, 2, 1)


def test_a_baseline_that_was_chosen_by_its_scores_makes_every_pair_a_comparison() -> None:
    means: PlacementMeans = {number: dict.fromkeys("abc", float(number)) for number in (1, 2, 3, 4)}
    chosen = choose(means, direction="max", baseline=None)
    assert (chosen.best, chosen.baseline, chosen.comparisons) == (4, 3, 6)
    assert not choose({1: dict.fromkeys("abc", 1.0)}, direction="max", baseline=None).enough


@dataclass(frozen=True)
class Design:
    """Configurations on six placements each, twice on each, with placements twice as noisy as repeats."""

    is_paired: bool
    configurations: int = 4

    def run(self, rng: np.random.Generator, effect: float) -> Comparison:
        """One experiment whose last configuration has this effect; the first is the baseline."""
        rows = []
        shared = rng.normal(0, 2, 6)
        for configuration in range(self.configurations):
            luck = shared if self.is_paired else rng.normal(0, 2, 6)
            true = effect if configuration == self.configurations - 1 else 0.0
            for place in range(6):
                name = place if self.is_paired else (configuration, place)
                rows += [Measurement(configuration, name, 50 + true + luck[place] + rng.normal()) for _ in range(2)]
        means = placement_means(rows)
        chosen = choose(means, direction="max", baseline=0)
        assert chosen.best is not None
        return compared(means[chosen.best], means[0], comparisons=chosen.comparisons)


@pytest.mark.parametrize("design", [Design(is_paired=True), Design(is_paired=False)], ids=["paired", "apart"])
def test_of_alike_configurations_the_best_is_seldom_called_better(design: Design) -> None:
    rng = np.random.default_rng(20)
    results = [design.run(rng, 0.0) for _ in range(400)]
    assert sum(result.outcome is Outcome.BETTER for result in results) / 400 <= 0.05
    # The best of several is picked for its luck; the interval has to hold all the same.
    assert sum(result.low <= 0 <= result.high for result in results) / 400 >= 0.94


def test_treating_trials_as_replicates_would_see_what_is_not_there() -> None:
    # What the unit of replication is for: with each configuration on three placements of its own, eight trials on each,
    # a test over trials calls luck a result most of the time.
    rng = np.random.default_rng(21)
    by_trial = by_placement = 0
    for _ in range(200):
        rows = [
            Measurement(configuration, (configuration, place), luck + rng.normal(0, 0.5))
            for configuration in (0, 1)
            for place, luck in enumerate(rng.normal(0, 2, 3))
            for _ in range(8)
        ]
        means = placement_means(rows)
        trials: dict[int, dict[object, float]] = {0: {}, 1: {}}
        for number, row in enumerate(rows):
            trials[row.configuration][number] = row.score
        by_placement += compared(means[1], means[0]).p_value < 0.05
        by_trial += compared(trials[1], trials[0]).p_value < 0.05
    assert by_placement / 200 <= 0.08
    assert by_trial / 200 >= 0.5


@pytest.mark.parametrize("design", [Design(is_paired=True), Design(is_paired=False)], ids=["paired", "apart"])
def test_a_large_effect_is_found_and_its_interval_holds(design: Design) -> None:
    rng = np.random.default_rng(22)
    effect = 4.0 if design.is_paired else 8.0
    results = [design.run(rng, effect) for _ in range(200)]
    assert sum(result.outcome is Outcome.BETTER for result in results) / 200 >= 0.9
    assert sum(result.low <= effect <= result.high for result in results) / 200 >= 0.94


def test_pairs_find_what_placements_apart_cannot() -> None:
    rng = np.random.default_rng(23)
    found = {
        design.is_paired: sum(design.run(rng, 3.0).outcome is Outcome.BETTER for _ in range(150))
        for design in (Design(is_paired=True), Design(is_paired=False))
    }
    assert found[True] > 2 * found[False]
