"""The report's tables as text, before they are laid out. Pure. Used by ``page``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchhost.report import quantities as q
from benchhost.report.analysis import Analysis
from benchhost.report.durations import Durations
from benchhost.report.experiment import Trial
from benchhost.report.variance import TooLittle, VarianceComponents
from benchhost.report.vm_hours import HostHours, total_hours


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    """Columns that hold numbers."""
    marked: frozenset[int] = frozenset()
    """Rows that stand out."""


def trials_table(analysis: Analysis) -> Table:
    """Every trial."""
    experiment = analysis.experiment
    best = experiment.best_trial
    rows = [
        (
            str(trial.trial_id),
            str(trial.configuration),
            "-" if trial.score is None else q.score(trial.score),
            trial.placement.label if trial.placement is not None else "unknown",
            (trial.placement.size if trial.placement is not None else None) or "-",
            "best" if trial == best else trial.status.lower().replace("_", " "),
        )
        for trial in experiment.trials
    ]
    marked = frozenset(index for index, trial in enumerate(experiment.trials) if trial == best)
    head = ("trial", "configuration", experiment.metric, "placement", "size", "status")
    return Table(head, rows, frozenset({0, 1, 2}), marked)


def configurations_table(analysis: Analysis) -> Table:
    """Every configuration, the best mean first; those without a score last."""
    experiment, verdict = analysis.experiment, analysis.verdict
    groups: dict[int, list[Trial]] = {each: [] for each in experiment.tunables}
    for trial in experiment.trials:
        groups[trial.configuration].append(trial)
    sign = 1 if experiment.direction == "min" else -1
    means = experiment.means
    order = sorted(groups, key=lambda each: (each not in means, sign * means.get(each, 0.0), each))
    rows = [_configuration_row(analysis, each, groups[each], means.get(each)) for each in order]
    marked = frozenset(index for index, each in enumerate(order) if each == verdict.best)
    head = ("configuration", f"mean {experiment.metric}", "scores", "known placements", "values", "")
    return Table(head, rows, frozenset({0, 1, 2, 3}), marked)


def variance_table(variance: VarianceComponents | TooLittle) -> Table | None:
    """The analysis of variance."""
    if isinstance(variance, TooLittle):
        return None
    share, low, high = (q.percent(value) for value in (variance.share, variance.low, variance.high))
    rows = [
        (
            "between placements",
            q.score(variance.sd_between),
            f"{share} % ({low} to {high} %)",
            str(variance.df_between),
        ),
        (
            "within a placement",
            q.score(variance.sd_within),
            f"{q.percent(1 - variance.share)} %",
            str(variance.df_within),
        ),
        (
            "placements differ at all",
            "",
            f"F = {variance.f:.2f}, {q.p_value(variance.p_value)}",
            f"{variance.df_between}, {variance.df_within}",
        ),
    ]
    head = ("", "standard deviation", "share of the variance (95 % CI)", "degrees of freedom")
    return Table(head, rows, frozenset({1, 2, 3}))


def durations_table(durations: Sequence[Durations]) -> Table:
    """Durations of operations, in seconds."""
    rows = [
        (
            each.type,
            str(len(each.seconds)),
            q.seconds(each.median),
            q.seconds(min(each.seconds, default=None)),
            q.seconds(max(each.seconds, default=None)),
            str(each.failed),
        )
        for each in durations
    ]
    return Table(("operation", "n", "median s", "min s", "max s", "failed"), rows, frozenset({1, 2, 3, 4, 5}))


def vm_hours_table(hours: Sequence[HostHours]) -> Table:
    """VM-hours by host and size, and in all."""
    rows = [
        (
            f"{row.namespace}/{row.name}" if row.namespace else row.name,
            row.size,
            f"{row.hours:.2f}",
            "still up at the last record; counted until then" if row.is_up else "",
        )
        for row in hours
    ]
    totals = total_hours(hours)
    for size, total in totals.items():
        rows.append(("in all", size, f"{total:.2f}", ""))
    if not rows:
        rows = [("-", "-", "-", "nothing is known of the hosts")]
    marked = frozenset(range(len(hours), len(hours) + len(totals)))
    return Table(("host", "size", "VM-hours", ""), rows, frozenset({2}), marked)


def _configuration_row(analysis: Analysis, number: int, trials: Sequence[Trial], mean_score: float | None) -> list[str]:
    roles = {analysis.verdict.best: "best", analysis.experiment.default_configuration: "default"}
    roles.setdefault(analysis.verdict.baseline, "baseline")
    return [
        str(number),
        "-" if mean_score is None else q.score(mean_score),
        str(sum(1 for trial in trials if trial.score is not None)),
        str(len({trial.placement for trial in trials if trial.placement is not None and trial.score is not None})),
        _values(analysis.experiment.tunables[number]),
        roles.get(number, ""),
    ]


def _values(tunables: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in tunables.items())
