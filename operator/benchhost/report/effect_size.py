"""Hedges' g with its interval, and how many placements an effect would take. Pure. Used by ``comparison``.

- Hedges' g: the difference in standard deviations, corrected for small samples. L. V. Hedges, Distribution theory for
  Glass's estimator of effect size, Journal of Educational Statistics 6 (1981) 107-128, with the exact factor.
- Its interval: by inverting the noncentral t distribution. J. H. Steiger, R. T. Fouladi, Noncentrality interval
  estimation, in: What If There Were No Significance Tests? (1997); G. Cumming, S. Finch, Educational and Psychological
  Measurement 61 (2001) 532-574.
- Power: of the two-sided t-test by the noncentral t distribution. J. Cohen, Statistical Power Analysis for the
  Behavioral Sciences (1988), chapter 2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special, stats

POWER: Final = 0.8
"""Cohen's convention."""
MOST_PLACEMENTS: Final = 10_000
"""Nobody runs more; above it there is no number to give."""


@dataclass(frozen=True, slots=True)
class EffectSize:
    """Hedges' g: positive if the first sample is above the second."""

    g: float
    low: float
    high: float


def paired_effect(t: float, pairs: int, *, level: float) -> EffectSize:
    """Hedges' g of paired differences (their mean over their standard deviation) from the paired t statistic."""
    return _effect(t, pairs - 1, unit=1 / float(np.sqrt(pairs)), level=level)


def unpaired_effect(t: float, first: int, second: int, *, level: float) -> EffectSize:
    """Hedges' g of two samples (over their pooled standard deviation) from Student's t statistic."""
    return _effect(t, first + second - 2, unit=float(np.sqrt(1 / first + 1 / second)), level=level)


def placements_needed(effect: float, *, is_paired: bool, alpha: float) -> int | None:
    """Placements for each configuration at which a true effect is found with a power of 80 %; None above 10,000.

    Parameters
    ----------
    effect
        In standard deviations: of the differences if paired, else of the placements' scores.
    is_paired
        Whether both configurations are measured on the same placements.
    alpha
        Two-sided level of the test, after any correction.
    """
    if _power(abs(effect), MOST_PLACEMENTS, is_paired=is_paired, alpha=alpha) < POWER:
        return None
    low, high = 1, MOST_PLACEMENTS
    while high - low > 1:
        middle = (low + high) // 2
        enough = _power(abs(effect), middle, is_paired=is_paired, alpha=alpha) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def _effect(t: float, df: int, *, unit: float, level: float) -> EffectSize:
    tail = (1 - level) / 2
    factor = float(np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2)) if df > 1 else 0.0
    return EffectSize(
        g=factor * t * unit,
        low=_noncentrality(t, df, 1 - tail) * unit,
        high=_noncentrality(t, df, tail) * unit,
    )


def _noncentrality(t: float, df: int, probability: float) -> float:
    """The noncentrality at which a t as small as this, or smaller, has this probability."""

    def excess(center: float) -> float:
        # The far tail of the distribution can come out as not a number.
        return float(np.nan_to_num(stats.nct.cdf(t, df, center), nan=0.0 if center > t else 1.0)) - probability

    reach = 10 + 10 * abs(t)
    while excess(t - reach) < 0 or excess(t + reach) > 0:
        reach *= 2
    return float(optimize.brentq(excess, t - reach, t + reach, xtol=1e-10))


def _power(effect: float, placements: int, *, is_paired: bool, alpha: float) -> float:
    df = placements - 1 if is_paired else 2 * placements - 2
    center = effect * np.sqrt(placements if is_paired else placements / 2)
    critical = stats.t.ppf(1 - alpha / 2, df)
    if center > critical + 40:
        # The distribution's own numbers fail far out, where the power is 1.
        return 1.0
    return float(np.nan_to_num(stats.nct.sf(critical, df, center), nan=0.0))
