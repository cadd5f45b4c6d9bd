"""The trials of an experiment, each with the placement that it ran on. Pure.

Joins what mlos_bench has stored with the hosts' history. Used by ``analysis``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean
from typing import Any, Final

from benchhost.mlos.results import Results, TrialRow
from benchhost.report.history import History, Placed
from benchhost.report.variance import Measurement, placement_means

_ROUNDING: Final = timedelta(seconds=1)
"""Some databases keep whole seconds only."""
_UNFINISHED: Final = frozenset({"UNKNOWN", "PENDING", "READY", "RUNNING"})


class ReportError(RuntimeError):
    """There is nothing to report on."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One allocation of a host onto hardware."""

    uid: str
    epoch: int
    label: str
    """For people: the host's name and the epoch, and what tells hosts of one name apart."""
    size: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial."""

    trial_id: int
    configuration: int
    status: str
    score: float | None
    """The first objective; None if the trial failed, or gave no number."""
    placement: Placement | None
    """None where the history does not tell."""
    is_defaults: bool = False

    @property
    def has_failed(self) -> bool:
        """Whether it has ended without a score."""
        return self.score is None and self.status not in _UNFINISHED


@dataclass(frozen=True, slots=True)
class Experiment:
    """What was measured, and where."""

    name: str
    metric: str
    direction: str
    """``min`` or ``max``."""
    trials: Sequence[Trial]
    tunables: Mapping[int, Mapping[str, Any]]
    """Configuration -> its values."""
    placements: Sequence[Placement]
    """In the order of their first trials."""

    @property
    def measurements(self) -> list[Measurement]:
        """The scores of which the placement is known."""
        return [
            Measurement(trial.configuration, trial.placement, trial.score)
            for trial in self.trials
            if trial.score is not None and trial.placement is not None
        ]

    @property
    def means(self) -> dict[int, float]:
        """Configuration -> its mean over placements; over trials where no placement is known."""
        known = placement_means(self.measurements)
        scores: dict[int, list[float]] = {}
        for trial in self.trials:
            if trial.score is not None:
                scores.setdefault(trial.configuration, []).append(trial.score)
        return {each: mean(known[each].values() if each in known else values) for each, values in scores.items()}

    @property
    def best_trial(self) -> Trial | None:
        """The trial with the best score; the first of several."""
        sign = 1 if self.direction == "min" else -1
        return min(
            (trial for trial in self.trials if trial.score is not None),
            key=lambda trial: sign * (trial.score or 0.0),
            default=None,
        )

    @property
    def default_configuration(self) -> int | None:
        """The configuration of the first trial with every tunable at its default."""
        return next((trial.configuration for trial in self.trials if trial.is_defaults), None)


def to_experiment(results: Results, history: History) -> Experiment:
    """Put each trial on its placement.

    Raises
    ------
    ReportError
        If the experiment has no trials or no objective.
    """
    if not results.objectives:
        raise ReportError(f"the experiment {results.experiment_id!r} has no objective, so its trials have no score")
    if not results.trials:
        raise ReportError(f"the experiment {results.experiment_id!r} has no trials yet; run it first")
    metric, direction = next(iter(results.objectives.items()))
    found = {row.trial_id: find_placed(row, history) for row in results.trials}
    placements = _label([placed for placed in found.values() if placed is not None])
    trials = [_to_trial(row, metric, placements.get(_key(found[row.trial_id]))) for row in results.trials]
    tunables = {row.config_id: row.tunables for row in results.trials}
    return Experiment(results.experiment_id, metric, direction, trials, tunables, list(placements.values()))


def find_placed(row: TrialRow, history: History) -> Placed | None:
    """The last placement of a trial while it ran; None where the history has none.

    The same experiment may have run before with a storage of its own, and then it had the same trial numbers.
    """
    after = row.ts_start - _ROUNDING if row.ts_start else None
    before = row.ts_end + _ROUNDING if row.ts_end else None
    fitting = [
        placed
        for placed in history.placed(row.trial_id)
        if (after is None or placed.time >= after) and (before is None or placed.time <= before)
    ]
    return max(fitting, key=lambda placed: placed.time, default=None)


def _to_trial(row: TrialRow, metric: str, placement: Placement | None) -> Trial:
    score = row.scores.get(metric) if row.status == "SUCCEEDED" else None
    is_number = isinstance(score, float) and math.isfinite(score)
    return Trial(
        row.trial_id, row.config_id, row.status, score if is_number else None, placement, is_defaults=row.is_defaults
    )


def _key(placed: Placed | None) -> tuple[str, int] | None:
    return None if placed is None else (placed.uid, placed.epoch)


def _label(found: Sequence[Placed]) -> dict[tuple[str, int] | None, Placement]:
    """Number the placements; hosts of one name, made one after the other, are told apart by a number."""
    uids: dict[str, list[str]] = {}
    for placed in found:
        uids.setdefault(placed.name, [])
        if placed.uid not in uids[placed.name]:
            uids[placed.name].append(placed.uid)
    placements: dict[tuple[str, int] | None, Placement] = {}
    for placed in found:
        same = uids[placed.name]
        which = f" ({same.index(placed.uid) + 1})" if len(same) > 1 else ""
        label = f"{placed.name}{which} epoch {placed.epoch}"
        placements.setdefault(_key(placed), Placement(placed.uid, placed.epoch, label, placed.size, placed.zone))
    return placements
