"""Everything that the report says, worked out once from the trials and the history. Pure. Used by ``page``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchhost.mlos.results import Results
from benchhost.report.durations import Durations, to_durations
from benchhost.report.experiment import Experiment, ReportError, to_experiment
from benchhost.report.history import History
from benchhost.report.quantities import count
from benchhost.report.variance import TooLittle, VarianceComponents, decompose
from benchhost.report.verdict import Baseline, Verdict, judge
from benchhost.report.vm_hours import HostHours, to_vm_hours


@dataclass(frozen=True, slots=True)
class Analysis:
    """The whole report, before it is drawn."""

    experiment: Experiment
    variance: VarianceComponents | TooLittle
    verdict: Verdict
    durations: Sequence[Durations]
    vm_hours: Sequence[HostHours]
    notes: Sequence[str]
    """What was left out and why; whole sentences."""


def analyse(results: Results, history: History | None, *, baseline_trial: int | None = None) -> Analysis:
    """Work it out.

    Parameters
    ----------
    results
        What mlos_bench has stored.
    history
        What the service has written on the hosts; None if there is no such file.
    baseline_trial
        The trial whose configuration is the baseline; None for the default configuration.

    Raises
    ------
    ReportError
        If there is nothing to report on, or no such trial.
    """
    starts = [row.ts_start for row in results.trials if row.ts_start is not None]
    known = history or History()
    current = known.since(min(starts)) if starts else known
    experiment = to_experiment(results, current)
    variance = decompose(experiment.measurements)
    verdict = judge(experiment, variance, _baseline(experiment, baseline_trial))
    notes = _notes(experiment, history, results.objectives)
    return Analysis(experiment, variance, verdict, to_durations(current.operations()), to_vm_hours(current), notes)


def _baseline(experiment: Experiment, trial_id: int | None) -> Baseline:
    if trial_id is None:
        default = experiment.default_configuration
        return Baseline(None, "the second best") if default is None else Baseline(default, "the default")
    chosen = next((trial for trial in experiment.trials if trial.trial_id == trial_id), None)
    if chosen is None:
        raise ReportError(
            f"the experiment {experiment.name!r} has no trial {trial_id}; give --baseline one that it has"
        )
    return Baseline(chosen.configuration, "the baseline")


def _notes(experiment: Experiment, history: History | None, objectives: Mapping[str, str]) -> list[str]:
    notes = []
    others = list(objectives)[1:]
    if others:
        notes.append(f"The score is the first objective; not looked at: {', '.join(others)}.")
    if history is None:
        notes.append(
            "There is no history of the hosts, so that nothing is known of placements, durations and VM-hours. The "
            "BenchHost service writes it into the folder that the experiment runs from; --history names another file."
        )
    elif history.unreadable:
        notes.append(
            f"{count(history.unreadable, 'line')} of the hosts' history could not be read and was left out; a crash in "
            "the middle of a write leaves such a line."
        )
    unknown = [trial for trial in experiment.trials if trial.score is not None and trial.placement is None]
    if history is not None and unknown:
        notes.append(
            f"Of {count(len(unknown), 'trial')} with a score the placement is unknown: drawn grey, and left out of the "
            "statistics."
        )
    return notes
