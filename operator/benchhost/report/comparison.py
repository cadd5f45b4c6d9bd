"""Whether the best configuration is better than the baseline beyond placement noise. Pure.

Trials on one placement share its luck: they are no independent repeats. So a placement is the unit of replication, and
the repeats on one placement are averaged first (S. H. Hurlbert, Pseudoreplication and the design of ecological field
experiments, Ecological Monographs 54 (1984) 187-211).

- Both configurations on the same placements: paired t-test on the placements' differences (Student, The probable error
  of a mean, Biometrika 6 (1908) 1-25). A signed-rank test cannot fall below 5 % with fewer than six pairs.
- Else: Welch's t-test on the placements' means (B. L. Welch, The generalization of "Student's" problem when several
  different population variances are involved, Biometrika 34 (1947) 28-35).
- The best of several looks better than it is, because it was picked for that. So the p value is multiplied by the
  number of comparisons that it was the best of, and intervals are widened to hold for all of them at once: Bonferroni's
  correction (O. J. Dunn, Multiple comparisons among means, Journal of the American Statistical Association 56 (1961)
  52-64). It needs no assumption on how the comparisons hang together.

Which test is taken depends on where the configurations were measured and never on the scores.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchhost.report.effect_size import EffectSize, paired_effect, placements_needed, unpaired_effect
from benchhost.report.variance import LEVEL, PlacementMeans

MIN_REPLICATES: Final = 3
"""Placements that each of the two must have been measured on."""
ALPHA: Final = 1 - LEVEL


class Method(StrEnum):
    """The test, by its name."""

    PAIRED = "paired t-test"
    WELCH = "Welch's t-test"


class Outcome(StrEnum):
    """The three verdicts there are."""

    BETTER = "better beyond placement noise"
    NOT_SHOWN = "not shown to be better"
    TOO_LITTLE = "too little data"


@dataclass(frozen=True, slots=True)
class Candidates:
    """The two that are compared, and what they were picked from."""

    best: int | None
    """The best configuration but the baseline that has enough placements; None if there is none."""
    baseline: int | None
    leader: int
    """The configuration with the best mean of all, however few its placements."""
    placements: Mapping[int, int]
    """Configuration -> number of placements."""
    comparisons: int
    """How many comparisons the best was picked from."""

    @property
    def enough(self) -> bool:
        """Whether both have been measured on enough placements."""
        pair = (self.best, self.baseline)
        return all(each is not None and self.placements[each] >= MIN_REPLICATES for each in pair)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The best configuration against the baseline; differences are best minus baseline, in the score's unit."""

    method: Method
    best_mean: float
    baseline_mean: float
    best_placements: int
    """How many placements the test uses; the number of pairs if it is paired."""
    baseline_placements: int
    wins: int | None
    """On how many of the pairs the best was the better one; None without pairs."""
    low: float
    high: float
    """The interval of the difference, for all comparisons at once."""
    t: float
    df: float
    p_value: float
    """After the correction."""
    comparisons: int
    effect: EffectSize
    is_improvement: bool
    """Whether the difference is in the direction that is wanted."""

    @property
    def difference(self) -> float:
        """The estimate."""
        return self.best_mean - self.baseline_mean

    @property
    def needed(self) -> int | None:
        """Placements each at which a true effect of this size is found with a power of 80 %; None above 10,000."""
        return placements_needed(self.effect.g, is_paired=self.method is Method.PAIRED, alpha=ALPHA / self.comparisons)

    @property
    def outcome(self) -> Outcome:
        """Better, or not shown to be."""
        return Outcome.BETTER if self.is_improvement and self.p_value < ALPHA else Outcome.NOT_SHOWN

    @property
    def relative(self) -> tuple[float, float, float] | None:
        """The difference and its interval as parts of the baseline's mean; None where that makes no sense."""
        if self.baseline_mean == 0 or self.baseline_mean * self.best_mean < 0:
            return None
        size = abs(self.baseline_mean)
        return self.difference / size, self.low / size, self.high / size


def choose(means: PlacementMeans, *, direction: str, baseline: int | None) -> Candidates:
    """Pick the best and the baseline.

    Parameters
    ----------
    means
        At least one configuration.
    direction
        ``min`` or ``max``.
    baseline
        A configuration that was named before anything was measured; None takes the second best, which makes every
        pair of configurations a comparison.
    """
    sign = 1 if direction == "min" else -1
    ranked = sorted(means, key=lambda each: (sign * _mean(means[each]), each))
    counts = Counter({each: len(means[each]) for each in ranked})
    others = [each for each in ranked if each != baseline]
    best = next((each for each in others if counts[each] >= MIN_REPLICATES), None)
    number = len(set(means) | ({baseline} if baseline is not None else set()))
    if baseline is not None:
        return Candidates(best, baseline, ranked[0], counts, max(1, number - 1))
    rest = [each for each in others if each != best and counts[each] >= MIN_REPLICATES]
    return Candidates(best, next(iter(rest), None), ranked[0], counts, max(1, number * (number - 1) // 2))


def compare(
    best: Mapping[Hashable, float], baseline: Mapping[Hashable, float], *, direction: str, comparisons: int
) -> Comparison | None:
    """Test the best against the baseline, each given as placement -> mean score; None if nothing varies.

    Each has at least three placements.
    """
    shared = [placement for placement in best if placement in baseline]
    is_paired = len(shared) >= MIN_REPLICATES and 2 * len(shared) >= min(len(best), len(baseline))
    first = np.array([best[each] for each in (shared if is_paired else best)])
    second = np.array([baseline[each] for each in (shared if is_paired else baseline)])
    if not _varies(first, second, is_paired=is_paired):
        return None
    test = stats.ttest_rel(first, second) if is_paired else stats.ttest_ind(first, second, equal_var=False)
    level = 1 - ALPHA / comparisons
    interval = test.confidence_interval(level)
    effect = _effect(first, second, is_paired=is_paired, level=level)
    sign = -1 if direction == "min" else 1

    return Comparison(
        method=Method.PAIRED if is_paired else Method.WELCH,
        best_mean=float(np.mean(first)),
        baseline_mean=float(np.mean(second)),
        best_placements=len(first),
        baseline_placements=len(second),
        wins=int(np.sum(sign * (first - second) > 0)) if is_paired else None,
        low=float(interval.low),
        high=float(interval.high),
        t=float(test.statistic),
        df=float(test.df),
        p_value=min(1.0, float(test.pvalue) * comparisons),
        comparisons=comparisons,
        effect=effect,
        is_improvement=sign * float(np.mean(first) - np.mean(second)) > 0,
    )


def _effect(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], *, is_paired: bool, level: float
) -> EffectSize:
    if is_paired:
        return paired_effect(float(stats.ttest_rel(first, second).statistic), len(first), level=level)
    pooled = float(stats.ttest_ind(first, second, equal_var=True).statistic)
    return unpaired_effect(pooled, len(first), len(second), level=level)


def _varies(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64], *, is_paired: bool) -> bool:
    """Whether there is noise that is more than rounding errors."""
    scale = float(max(np.max(np.abs(first)), np.max(np.abs(second))))
    spread = np.ptp(first - second) if is_paired else max(np.ptp(first), np.ptp(second))
    return bool(spread > 1e-12 * scale)


def _mean(by_placement: Mapping[Hashable, float]) -> float:
    return float(np.mean(list(by_placement.values())))
