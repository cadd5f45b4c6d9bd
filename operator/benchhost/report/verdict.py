"""Says in words whether the best configuration is better beyond placement noise. Pure. Used by ``analysis``.

It never says that there is no difference: a test that does not find one has not shown that there is none.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchhost.report import quantities as q
from benchhost.report.comparison import (
    ALPHA,
    MIN_REPLICATES,
    Candidates,
    Comparison,
    Method,
    Outcome,
    choose,
    compare,
)
from benchhost.report.effect_size import placements_needed
from benchhost.report.experiment import Experiment
from benchhost.report.variance import TooLittle, VarianceComponents, placement_means

HOW_TO_REPEAT: Final = (
    "run both configurations on at least three placements each: with placementPolicy NewPerTrial and a "
    "trial_config_repeat_count of three or more, see examples/sqlite-tuning/cli-placements.jsonc"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and what it rests on."""

    outcome: Outcome
    sentence: str
    """The whole answer in one paragraph, for page and terminal."""
    details: tuple[str, ...] = ()
    """What one has to know to rely on it; whole sentences."""
    baseline: int | None = None
    best: int | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the best is compared with."""

    configuration: int | None
    """None: the second best."""
    words: str
    """``the default``, for example."""


def judge(experiment: Experiment, variance: VarianceComponents | TooLittle, baseline: Baseline) -> Verdict:
    """Choose, test and put into words."""
    measurements = experiment.measurements
    if not measurements:
        return _refuse(_why_no_measurements(experiment), HOW_TO_REPEAT)
    means = placement_means(measurements)
    if len(means) == 1 and baseline.configuration in {None, *means}:
        return _refuse(
            "only one configuration has a score, and there is none to compare it with",
            "measure another one, each on at least three placements, see examples/sqlite-tuning/cli-placements.jsonc",
        )
    candidates = choose(means, direction=experiment.direction, baseline=baseline.configuration)
    if not candidates.enough or candidates.best is None or candidates.baseline is None:
        plan = _plan(experiment, variance, baseline.configuration)
        return _refuse(_why_too_few(candidates, baseline), HOW_TO_REPEAT, *plan, baseline=baseline.configuration)
    comparison = compare(
        means[candidates.best],
        means[candidates.baseline],
        direction=experiment.direction,
        comparisons=candidates.comparisons,
    )
    if comparison is None:
        return _refuse(
            "the scores do not vary at all from placement to placement, so that there is no noise to compare with",
            "check that the benchmark measures something that varies",
            baseline=candidates.baseline,
        )
    return Verdict(
        comparison.outcome,
        _sentence(experiment, candidates, comparison, baseline),
        _details(candidates, comparison),
        candidates.baseline,
        candidates.best,
        comparison,
    )


def describe_variance(variance: VarianceComponents | TooLittle) -> str:
    """The shares in words."""
    if isinstance(variance, TooLittle):
        return (
            "Too little data to say how much of the variance is between placements: "
            f"{variance.reason}. To find out, {variance.advice}."
        )
    shares = (
        f"{q.percent(variance.share)} % of the variance is between placements "
        f"(95 % CI {q.percent(variance.low)}-{q.percent(variance.high)} %), "
        f"{q.percent(1 - variance.share)} % within: standard deviation {q.score(variance.sd_between)} between "
        f"placements and {q.score(variance.sd_within)} within one."
    )
    if variance.is_negative:
        shares += (
            " The estimate between placements came out below zero and is given as 0: repeats on one placement lie at "
            "least as far apart as placements do."
        )
    return shares


def _refuse(reason: str, advice: str, *details: str, baseline: int | None = None) -> Verdict:
    sentence = (
        "Too little data to say whether the best configuration is better beyond placement noise: "
        f"{reason}. To find out, {advice}."
    )
    return Verdict(Outcome.TOO_LITTLE, sentence, details, baseline)


def _why_no_measurements(experiment: Experiment) -> str:
    if not any(trial.score is not None for trial in experiment.trials):
        return "no trial has a score"
    return "the hosts' history tells of no trial with a score on which placement it ran"


def _why_too_few(candidates: Candidates, baseline: Baseline) -> str:
    chosen = candidates.baseline
    if chosen is not None and candidates.placements.get(chosen, 0) < MIN_REPLICATES:
        seen = q.count(candidates.placements.get(chosen, 0), "known placement")
        return (
            f"{baseline.words}, configuration {chosen}, was measured on {seen}, and it takes at least {MIN_REPLICATES}"
        )
    if candidates.best is None:
        others = [number for each, number in candidates.placements.items() if each != chosen]
        most = q.count(max(others, default=0), "known placement")
        beside = "" if chosen is None else "other "
        return (
            f"no {beside}configuration was measured on at least {MIN_REPLICATES} known placements (the most that one "
            f"has is {most})"
        )
    return f"only configuration {candidates.best} was measured on at least {MIN_REPLICATES} known placements"


def _plan(experiment: Experiment, variance: VarianceComponents | TooLittle, baseline: int | None) -> tuple[str, ...]:
    """How many placements would tell, if the difference seen is the true one."""
    effects = experiment.means
    sign = 1 if experiment.direction == "min" else -1
    ranked = sorted(effects, key=lambda each: sign * effects[each])
    others = [each for each in ranked if each != baseline]
    second = baseline if baseline is not None else next(iter(others[1:]), None)
    if isinstance(variance, TooLittle) or second not in effects or not others:
        return ()
    difference = sign * (effects[second] - effects[others[0]])
    if difference <= 0:
        return ()
    apart = float(np.hypot(variance.sd_between, variance.sd_within))
    together = float(np.sqrt(2)) * variance.sd_within
    own = placements_needed(difference / apart, is_paired=False, alpha=ALPHA)
    same = placements_needed(difference / together, is_paired=True, alpha=ALPHA)
    if own is None or same is None:
        return ()
    plan = (
        f"With the noise seen, a difference as large as that between configurations {others[0]} and {second} "
        f"({q.score(difference)}) would be found with a power of 80 % by {max(own, MIN_REPLICATES)} placements for "
        f"each of them, or by {max(same, MIN_REPLICATES)} placements on which both are measured. It rests on few "
        "placements, so plan for more."
    )
    return (plan,)


def _sentence(experiment: Experiment, candidates: Candidates, comparison: Comparison, baseline: Baseline) -> str:
    best, base = f"configuration {candidates.best}", f"{baseline.words}, configuration {candidates.baseline}"
    found = f"{_difference(experiment, comparison)} ({_test(comparison)})."
    if comparison.outcome is Outcome.BETTER:
        return f"{_capital(best)} is better than {base}, beyond placement noise: {found}"
    if not comparison.is_improvement:
        return (
            f"{_capital(base)}, has the better mean itself, and {best}, the best of the others, is not shown to be "
            f"better beyond placement noise: {found}"
        )
    return (
        f"{_capital(best)} is not shown to be better than {base}, beyond placement noise: {found} "
        "This does not show that they are alike."
    )


def _difference(experiment: Experiment, comparison: Comparison) -> str:
    interval = f"95 % interval {q.signed(comparison.low)} to {q.signed(comparison.high)}"
    best, baseline = q.alike(comparison.best_mean, comparison.baseline_mean)
    text = (
        f"{experiment.metric} is {best} against {baseline}, "
        f"a difference of {q.signed(comparison.difference)}, {interval}"
    )
    relative = comparison.relative
    if relative is None:
        return text
    middle, low, high = map(q.signed_percent, relative)
    return f"{text}; that is {middle} % of the baseline, {low} to {high} %"


def _test(comparison: Comparison) -> str:
    effect = comparison.effect
    corrected = "" if comparison.comparisons == 1 else f" corrected for {comparison.comparisons} comparisons"
    where = (
        f"{comparison.best_placements} placements that both were measured on"
        if comparison.method is Method.PAIRED
        else f"{comparison.best_placements} and {comparison.baseline_placements} placements"
    )
    return (
        f"{comparison.method} on {where}, t({q.degrees(comparison.df)}) = {comparison.t:.2f}, "
        f"{q.p_value(comparison.p_value)}{corrected}; Hedges' g {effect.g:.2f}, 95 % interval {effect.low:.2f} to "
        f"{effect.high:.2f}"
    )


def _details(candidates: Candidates, comparison: Comparison) -> tuple[str, ...]:
    found = []
    if comparison.wins is not None:
        found.append(f"It was the better one on {comparison.wins} of the {comparison.best_placements} placements.")
    if comparison.comparisons > 1:
        found.append(
            "It was picked as the best of several, and the best of several looks better than it is. So the p value is "
            f"multiplied by {comparison.comparisons}, and the intervals hold for all {comparison.comparisons} "
            "comparisons at once (Bonferroni). An experiment of these two alone needs no such correction."
        )
    if candidates.leader not in {candidates.best, candidates.baseline}:
        seen = q.count(candidates.placements[candidates.leader], "placement")
        found.append(
            f"Configuration {candidates.leader} has a better mean still, but was measured on {seen}: too few to count."
        )
    unsure = comparison.outcome is Outcome.NOT_SHOWN and comparison.is_improvement
    needed = comparison.needed if unsure else None
    if needed is not None:
        found.append(
            f"If the true difference is as large as the one seen, about {needed} placements for each would show it "
            "with a power of 80 %."
        )
    return tuple(found)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
