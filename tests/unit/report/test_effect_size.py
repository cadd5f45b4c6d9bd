"""Hedges' g and the placements that it takes: against published numbers."""

import numpy as np
import pytest
from scipy import stats

from benchhost.report.effect_size import paired_effect, placements_needed, unpaired_effect


@pytest.mark.parametrize(
    ("effect", "is_paired", "needed"),
    [
        # J. Cohen, A power primer, Psychological Bulletin 112 (1992), table 2: 26, 64 and 393 for each group.
        pytest.param(0.8, False, 26, id="large"),
        pytest.param(0.5, False, 64, id="medium"),
        pytest.param(0.2, False, 394, id="small"),  # the table was made by approximation; exact is one more
        pytest.param(-0.5, False, 64, id="the-sign-does-not-matter"),
        # G*Power 3, t tests, difference between two dependent means.
        pytest.param(0.5, True, 34, id="paired-medium"),
        pytest.param(0.8, True, 15, id="paired-large"),
    ],
)
def test_how_many_it_takes(effect: float, is_paired: bool, needed: int) -> None:
    assert placements_needed(effect, is_paired=is_paired, alpha=0.05) == needed


def test_a_stricter_level_takes_more_and_no_effect_takes_no_number() -> None:
    assert (placements_needed(0.5, is_paired=True, alpha=0.01) or 0) > 34
    assert placements_needed(0.0, is_paired=True, alpha=0.05) is None
    assert placements_needed(50.0, is_paired=False, alpha=0.05) == 2


def test_g_is_corrected_for_small_samples() -> None:
    # With 9 degrees of freedom the exact factor is 0.9139; d = 4.0621 / sqrt(10).
    assert paired_effect(4.0621, 10, level=0.95).g == pytest.approx(0.9139 * 1.2846, abs=0.0003)
    assert unpaired_effect(-2.0, 8, 8, level=0.95).g == pytest.approx(-0.9453 * 1.0, abs=0.0003)


@pytest.mark.parametrize("t", [-3.0, 0.0, 2.5, 12.0, 400.0])
@pytest.mark.parametrize("level", [0.95, 0.999])
def test_the_limits_are_effects_at_which_such_a_result_would_be_rare(t: float, level: float) -> None:
    found = paired_effect(t, 4, level=level)
    tail = (1 - level) / 2
    assert stats.nct.sf(t, 3, found.low * 2) == pytest.approx(tail, rel=1e-4)
    assert stats.nct.cdf(t, 3, found.high * 2) == pytest.approx(tail, rel=1e-4)


def test_the_interval_covers_the_true_effect_in_95_of_100() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        first, second = rng.normal(1.2, 1, 5), rng.normal(0, 1, 7)
        t = stats.ttest_ind(first, second, equal_var=True).statistic
        found = unpaired_effect(float(t), 5, 7, level=0.95)
        covered += found.low <= 1.2 <= found.high
    assert 0.91 <= covered / 300 <= 0.985
