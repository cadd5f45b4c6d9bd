"""The single panels of the report's figures, each drawn onto given axes. Used by ``figures``.

Placements have a colour and hosts a shape, the same in every panel.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.ticker import MaxNLocator

from benchhost.report.analysis import Analysis
from benchhost.report.experiment import Experiment, Placement, Trial
from benchhost.report.variance import configuration_effects

UNKNOWN: Final = "#8c8c8c"
FAILED: Final = "#d1495b"
_FEW: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7b5fb5")
"""M. Okabe, K. Ito, Color Universal Design (2008): colours that all eyes tell apart; the yellow is darkened."""
_SHAPES: Final = "osD^vPX"
MOST_IN_LEGEND: Final = 12
MOST_NUMBERED: Final = 60
"""More trials than this cannot have their configuration written at them."""
MOST_CONFIGURATIONS: Final = 24
MOST_NAMED: Final = 16

Look = Mapping[Placement, tuple[str, str]]
"""Placement -> colour and shape."""


def to_look(placements: Sequence[Placement]) -> Look:
    """Give each placement its colour, and each host its shape."""
    hosts = list(dict.fromkeys(placement.uid for placement in placements))
    colours = list(_FEW)
    if len(placements) > len(_FEW):
        colours = [to_hex(colormaps["turbo"](x)) for x in np.linspace(0.06, 0.94, len(placements))]
    return {
        placement: (colours[index], _SHAPES[hosts.index(placement.uid) % len(_SHAPES)])
        for index, placement in enumerate(placements)
    }


def label_score(experiment: Experiment) -> str:
    """The axis label: mlos_bench keeps no units."""
    return _fold(f"{experiment.metric} ({'lower' if experiment.direction == 'min' else 'higher'} is better)")


def is_numbered(experiment: Experiment) -> bool:
    """Whether the points by trial have their configuration written at them."""
    return len(experiment.trials) <= MOST_NUMBERED


def draw_trials(axes: Axes, analysis: Analysis, look: Look) -> None:
    """Score by trial, coloured by placement; the best marked, failures on the axis."""
    experiment = analysis.experiment
    _connect_repeats(axes, experiment)
    for placement, trials in _by_placement(experiment, experiment.trials):
        colour, shape = look[placement] if placement is not None else (UNKNOWN, "o")
        label = placement.label if placement is not None else "placement unknown"
        axes.scatter(
            [trial.trial_id for trial in trials],
            [trial.score or 0.0 for trial in trials],
            s=34,
            color=colour,
            marker=shape,
            label=label,
            zorder=3,
        )
    _mark_best(axes, experiment)
    _mark_failed(axes, experiment)
    if is_numbered(experiment):
        _number(axes, experiment)
    axes.set(title="Score by trial", xlabel="trial", ylabel=label_score(experiment))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.margins(y=0.15)
    numbers = [trial.trial_id for trial in experiment.trials]
    axes.set_xlim(min(numbers) - 0.7, max(numbers) + 0.7)
    _add_legend(axes, len({each.placement for each in experiment.trials if each.score is not None} - {None}))


def draw_configurations(axes: Axes, analysis: Analysis, look: Look) -> None:
    """Score by configuration, the best mean first; repeats stand above each other."""
    experiment = analysis.experiment
    order = to_order(analysis)[:MOST_CONFIGURATIONS]
    means = experiment.means
    for x, configuration in enumerate(order):
        groups = _by_placement(experiment, [each for each in experiment.trials if each.configuration == configuration])
        for index, (placement, trials) in enumerate(groups):
            colour, shape = look[placement] if placement is not None else (UNKNOWN, "o")
            place = x + 0.5 * (index - (len(groups) - 1) / 2) / len(groups)
            scores = [trial.score or 0.0 for trial in trials]
            axes.scatter([place] * len(scores), scores, s=26, color=colour, marker=shape, zorder=3)
        axes.hlines(means[configuration], x - 0.38, x + 0.38, lw=1.6, color=axes.xaxis.label.get_color(), zorder=2)
    axes.set_xticks(range(len(order)), [_name(each, analysis) for each in order])
    left = len(to_order(analysis)) - len(order)
    title = "Score by configuration, with its mean" + (f" ({left} worse ones not shown)" if left else "")
    axes.set(title=title, xlabel="configuration, best mean first", ylabel=label_score(experiment))
    axes.set_xlim(-0.7, max(len(order) - 0.3, 0.7))


def draw_placements(axes: Axes, analysis: Analysis, look: Look) -> None:
    """What is left of the scores by placement, once the configuration's mean is taken out."""
    experiment = analysis.experiment
    left = to_residuals(experiment)
    for index, placement in enumerate(experiment.placements):
        values = left.get(placement, [])
        colour, shape = look[placement]
        axes.scatter([index] * len(values), values, s=26, color=colour, marker=shape, zorder=3)
        if len(values) > 1:
            axes.hlines(float(np.mean(values)), index - 0.35, index + 0.35, lw=1.6, color=colour, zorder=2)
    axes.axhline(0, lw=0.8, color=axes.xaxis.label.get_color(), zorder=1)
    named = len(experiment.placements) <= MOST_NAMED
    axes.set_xticks(
        range(len(experiment.placements)) if named else [],
        [placement.label for placement in experiment.placements] if named else [],
        rotation=25,
        ha="right",
        rotation_mode="anchor",
    )
    axes.set(
        title="Noise by placement, with its mean",
        xlabel="" if named else "placement, in the order of the trials",
        ylabel=_fold(f"{experiment.metric} minus its configuration's mean"),
    )
    axes.set_xlim(-0.7, max(len(experiment.placements) - 0.3, 0.7))


def draw_durations(axes: Axes, analysis: Analysis) -> None:
    """Each operation's duration by type, with the median."""
    shown = [each for each in analysis.durations if each.seconds]
    for index, each in enumerate(reversed(shown)):
        axes.scatter(each.seconds, [index] * len(each.seconds), s=26, color=_FEW[0], alpha=0.6, lw=0, zorder=3)
        middle = each.median or 0.0
        axes.vlines(middle, index - 0.3, index + 0.3, lw=1.8, color=axes.xaxis.label.get_color(), zorder=4)
    axes.set_yticks(range(len(shown)), [f"{each.type} ({len(each.seconds)})" for each in reversed(shown)])
    axes.set(title="How long operations took, with the median", xlabel="seconds")
    axes.set_xlim(left=0)
    axes.set_ylim(-0.6, max(len(shown) - 0.4, 0.6))


def to_order(analysis: Analysis) -> list[int]:
    """Configurations with a score, the best mean first."""
    sign = 1 if analysis.experiment.direction == "min" else -1
    means = analysis.experiment.means
    return sorted(means, key=lambda each: (sign * means[each], each))


def to_residuals(experiment: Experiment) -> dict[Placement, list[float]]:
    """Score minus the configuration's mean, of configurations with at least two scores on known placements."""
    measurements = experiment.measurements
    means = configuration_effects(measurements)
    numbers = [each.configuration for each in measurements]
    left: dict[Placement, list[float]] = {}
    for trial in experiment.trials:
        if trial.score is not None and trial.placement is not None and numbers.count(trial.configuration) > 1:
            left.setdefault(trial.placement, []).append(trial.score - means[trial.configuration])
    return left


def _by_placement(experiment: Experiment, trials: Sequence[Trial]) -> list[tuple[Placement | None, list[Trial]]]:
    """The trials with a score; those of unknown placement last."""
    scored = [trial for trial in trials if trial.score is not None]
    groups = [(each, [trial for trial in scored if trial.placement == each]) for each in (*experiment.placements, None)]
    return [(placement, group) for placement, group in groups if group]


def _fold(label: str) -> str:
    """A label in lines that fit beside an axis."""
    return textwrap.fill(label, 34)


def _connect_repeats(axes: Axes, experiment: Experiment) -> None:
    repeats: dict[int, list[Trial]] = {}
    for trial in experiment.trials:
        if trial.score is not None:
            repeats.setdefault(trial.configuration, []).append(trial)
    for trials in repeats.values():
        x, y = [trial.trial_id for trial in trials], [trial.score or 0.0 for trial in trials]
        axes.plot(x, y, lw=0.9, color=UNKNOWN, alpha=0.55, zorder=1)


def _mark_best(axes: Axes, experiment: Experiment) -> None:
    best = experiment.best_trial
    if best is None or best.score is None:
        return
    ink = axes.xaxis.label.get_color()
    axes.scatter(
        [best.trial_id], [best.score], s=150, facecolors="none", edgecolors=ink, lw=1.4, zorder=4, label="best trial"
    )


def _mark_failed(axes: Axes, experiment: Experiment) -> None:
    failed = [trial.trial_id for trial in experiment.trials if trial.has_failed]
    if failed:
        # On the axis, whatever the scores are: it has no score.
        transform = axes.get_xaxis_transform()
        axes.scatter(
            failed, [0.0] * len(failed), s=44, color=FAILED, marker="x", label="failed", transform=transform, zorder=5
        ).set_clip_on(False)


def _number(axes: Axes, experiment: Experiment) -> None:
    for trial in experiment.trials:
        if trial.score is not None:
            axes.annotate(
                str(trial.configuration),
                (trial.trial_id, trial.score),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )


def _name(configuration: int, analysis: Analysis) -> str:
    is_default = configuration == analysis.experiment.default_configuration
    return f"{configuration}\ndefault" if is_default else str(configuration)


def _add_legend(axes: Axes, placements: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    title = "placement"
    if placements > MOST_IN_LEGEND:
        title = f"placement\n({MOST_IN_LEGEND} of {placements})"
        some = np.linspace(0, placements - 1, MOST_IN_LEGEND).round().astype(int)
        shown = [*some, *range(placements, len(labels))]
        handles, labels = [handles[index] for index in shown], [labels[index] for index in shown]
    if handles:
        legend = axes.legend(handles, labels, fontsize=8, title=title, loc="upper left", bbox_to_anchor=(1.01, 1.0))
        legend.set_alignment("left")
