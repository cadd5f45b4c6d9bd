"""How much of the scores' variance is between placements, and how much within. Pure.

The model is score = configuration + placement + noise: configurations are fixed effects, since somebody chose them;
placements are random ones, drawn from all the hardware that the cloud might give. The noise takes in how differently
one configuration does on different placements, as far as the data let it show.

Methods, for any pattern of trials over placements:

- Variance components: Henderson's Method III, the analysis of variance of placements after configurations.
  C. R. Henderson, Estimation of variance and covariance components, Biometrics 9 (1953) 226-252; S. R. Searle,
  G. Casella, C. E. McCulloch, Variance Components (1992), section 5.5. With one configuration it is the one-way
  random-effects analysis, and the share is the intraclass correlation ICC(1).
- Interval of the share: exact by Wald's F test, also where placements have unequal numbers of trials. A. Wald, A note
  on the analysis of variance with unequal class frequencies, Annals of Mathematical Statistics 11 (1940) 96-100;
  J. F. Seely, Y. El-Bassiouni, Applying Wald's variance component test, Annals of Statistics 11 (1983) 197-201. With
  equal numbers it is the interval of K. O. McGraw, S. P. Wong, Forming inferences about some intraclass correlation
  coefficients, Psychological Methods 1 (1996) 30-46, table 7, case 1.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

LEVEL: Final = 0.95
"""Confidence level of every interval of the report."""
MIN_PLACEMENTS: Final = 3
"""With two placements an interval covers nearly everything."""
_RELATIVE_ZERO: Final = 1e-12
"""Below this part of the largest, a value is a rounding error."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One score of one configuration on one placement."""

    configuration: int
    placement: Hashable
    score: float


PlacementMeans = Mapping[int, Mapping[Hashable, float]]
"""Configuration -> placement -> mean score."""


@dataclass(frozen=True, slots=True)
class TooLittle:
    """Why nothing can be said, and what to do about it."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """The result. Variances are in the square of the score's unit."""

    between: float
    """Estimate for placements; it may be negative, which stands for none that can be told from noise."""
    within: float
    """Estimate for repeats on one placement."""
    low: float
    """Lower limit of the share."""
    high: float
    """Upper limit of the share."""
    f: float
    """F statistic of no variance between placements at all."""
    df_between: int
    df_within: int
    p_value: float
    placements: int
    """How many placements there are with measurements."""
    measurements: int

    @property
    def is_negative(self) -> bool:
        """Whether the estimate for placements came out below zero."""
        return self.between < 0

    @property
    def sd_between(self) -> float:
        """Standard deviation between placements, in the score's unit."""
        return float(np.sqrt(max(0.0, self.between)))

    @property
    def sd_within(self) -> float:
        """Standard deviation within a placement, in the score's unit."""
        return float(np.sqrt(self.within))

    @property
    def share(self) -> float:
        """Part of the variance that is between placements, 0 to 1."""
        between = max(0.0, self.between)
        return between / (between + self.within)


def decompose(measurements: Sequence[Measurement]) -> VarianceComponents | TooLittle:
    """Split the variance of the scores, or say why it cannot be done."""
    placements = len({each.placement for each in measurements})
    if placements < MIN_PLACEMENTS:
        return TooLittle(
            f"there are measurements on {_count(placements, 'known placement')}, and it takes at least "
            f"{MIN_PLACEMENTS} to tell the variance between placements",
            "measure one configuration at least twice on each of three or more placements, "
            "see examples/sqlite-tuning/cli-placements.jsonc",
        )
    sums = _sums_of_squares(measurements)
    if sums.df_between < MIN_PLACEMENTS - 1:
        return TooLittle(
            "too few configurations were measured on more than one placement, so that the placements' effect cannot "
            "be told from the configurations'",
            "measure one configuration on three or more placements, see examples/sqlite-tuning/cli-placements.jsonc",
        )
    if sums.df_within < 1:
        return TooLittle(
            "no placement has two measurements of one configuration, so that noise within a placement cannot be told "
            "from the placements' effect",
            "measure one configuration at least twice on each of three or more placements, "
            "see examples/sqlite-tuning/cli-placements.jsonc",
        )
    if sums.is_without_noise:
        return TooLittle(
            "all measurements of one configuration on one placement gave exactly the same score, so that there is no "
            "noise to compare placements with",
            "check that the benchmark measures something that varies",
        )
    return _estimate(sums, placements, len(measurements))


def placement_means(measurements: Sequence[Measurement]) -> PlacementMeans:
    """The scores with the repeats on one placement averaged."""
    scores: dict[int, dict[Hashable, list[float]]] = {}
    for each in measurements:
        scores.setdefault(each.configuration, {}).setdefault(each.placement, []).append(each.score)
    return {
        configuration: {placement: float(np.mean(values)) for placement, values in by_placement.items()}
        for configuration, by_placement in scores.items()
    }


def configuration_effects(measurements: Sequence[Measurement]) -> dict[int, float]:
    """Each configuration's mean score."""
    scores: dict[int, list[float]] = {}
    for each in measurements:
        scores.setdefault(each.configuration, []).append(each.score)
    return {configuration: float(np.mean(values)) for configuration, values in scores.items()}


@dataclass(frozen=True, slots=True)
class _Sums:
    """The analysis of variance of placements after configurations."""

    parts: npt.NDArray[np.float64]
    """Independent contrasts between placements: each has the variance within + between * weight."""
    weights: npt.NDArray[np.float64]
    within: float
    """Sum of squares that neither configurations nor placements explain."""
    df_within: int
    scale: float
    """The largest deviation of a score from its configuration's mean."""

    @property
    def df_between(self) -> int:
        return len(self.weights)

    @property
    def is_without_noise(self) -> bool:
        return bool(np.sqrt(self.within / self.df_within) <= 1e-9 * self.scale) or self.scale == 0

    def f(self, ratio: float) -> float:
        """Wald's pivot: F distributed if the variance between placements is ``ratio`` times the one within."""
        between = float(np.sum(self.parts**2 / (1 + ratio * self.weights))) / self.df_between
        return between / (self.within / self.df_within)


def _sums_of_squares(measurements: Sequence[Measurement]) -> _Sums:
    configurations = _indices([each.configuration for each in measurements])
    scores = _center(np.array([[each.score] for each in measurements], dtype=float), configurations)
    design = np.eye(len({each.placement for each in measurements}))[_indices([each.placement for each in measurements])]
    design = _center(design, configurations)
    weights, vectors = np.linalg.eigh(design.T @ design)
    kept = weights > _RELATIVE_ZERO * max(1.0, float(weights.max())) * len(measurements)
    weights, axes = weights[kept], design @ vectors[:, kept] / np.sqrt(weights[kept])
    parts = axes.T @ scores
    left = scores - axes @ parts
    df_within = len(measurements) - len(set(configurations)) - len(weights)
    return _Sums(parts[:, 0], weights, float(np.sum(left**2)), df_within, float(np.max(np.abs(scores), initial=0.0)))


def _estimate(sums: _Sums, placements: int, measurements: int) -> VarianceComponents:
    within = sums.within / sums.df_within
    between = (float(np.mean(sums.parts**2)) - within) / float(np.mean(sums.weights))
    tail = (1 - LEVEL) / 2
    distribution = stats.f(sums.df_between, sums.df_within)
    f = sums.f(0.0)
    return VarianceComponents(
        between=between,
        within=within,
        low=_share_at(sums.f, float(distribution.ppf(1 - tail))),
        high=_share_at(sums.f, float(distribution.ppf(tail))),
        f=f,
        df_between=sums.df_between,
        df_within=sums.df_within,
        p_value=float(distribution.sf(f)),
        placements=placements,
        measurements=measurements,
    )


def _share_at(f: Callable[[float], float], wanted: float) -> float:
    """The share at which Wald's pivot has the wanted value; 0 where no ratio above zero gives it."""
    if f(0.0) <= wanted:
        return 0.0
    most = 1 - _RELATIVE_ZERO
    if f(most / (1 - most)) >= wanted:
        return 1.0
    return float(optimize.brentq(lambda share: f(share / (1 - share)) - wanted, 0.0, most, xtol=1e-14))


def _indices(labels: Sequence[Hashable]) -> list[int]:
    order = {label: index for index, label in enumerate(dict.fromkeys(labels))}
    return [order[label] for label in labels]


def _center(values: npt.NDArray[np.float64], groups: Sequence[int]) -> npt.NDArray[np.float64]:
    """Every column less its group's mean."""
    sizes = Counter(groups)
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, groups, values)
    means = sums / np.array([[sizes[group]] for group in range(len(sizes))])
    centered: npt.NDArray[np.float64] = values - means[groups]
    return centered


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
