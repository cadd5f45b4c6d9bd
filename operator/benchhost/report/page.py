"""The report as one HTML page that needs nothing else: no network, no script. Used by the command.

Everything that comes from elsewhere is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Final

from benchhost.report import quantities as q
from benchhost.report.analysis import Analysis
from benchhost.report.comparison import Outcome
from benchhost.report.methods import METHODS
from benchhost.report.panels import is_numbered
from benchhost.report.tables import (
    Table,
    configurations_table,
    durations_table,
    trials_table,
    variance_table,
    vm_hours_table,
)
from benchhost.report.verdict import describe_variance

_MARKS: Final = {Outcome.BETTER: "better", Outcome.NOT_SHOWN: "not-shown", Outcome.TOO_LITTLE: "too-little"}
_HEADINGS: Final = {
    Outcome.BETTER: "Better beyond placement noise",
    Outcome.NOT_SHOWN: "Not shown to be better",
    Outcome.TOO_LITTLE: "Too little data",
}
_MANY: Final = 40
"""Rows from which on a table is folded."""


def to_page(analysis: Analysis, figures: Mapping[str, str]) -> str:
    """The page, with SVG elements by their names."""
    experiment = analysis.experiment
    title = f"{experiment.name}: {experiment.metric}"
    style = files("benchhost.report").joinpath("page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>",
            f"<h1>{escape(experiment.name)}</h1>\n<p class='lead'>{_lead(analysis)}</p>",
            _verdict(analysis),
            *_sections(analysis, figures),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _lead(analysis: Analysis) -> str:
    experiment = analysis.experiment
    failed = sum(trial.has_failed for trial in experiment.trials)
    hosts = len({placement.uid for placement in experiment.placements})
    parts = [
        q.count(len(experiment.trials), "trial") + (f" ({failed} failed)" if failed else ""),
        q.count(len(experiment.tunables), "configuration"),
        f"{q.count(len(experiment.placements), 'known placement')}"
        + (f" of {q.count(hosts, 'host')}" if hosts else ""),
    ]
    wanted = "lower is better" if experiment.direction == "min" else "higher is better"
    return f"Score: <strong>{escape(experiment.metric)}</strong>, {wanted}. {escape(q.listed(parts))}."


def _verdict(analysis: Analysis) -> str:
    verdict = analysis.verdict
    details = "".join(f"<li>{_prose(text)}</li>" for text in verdict.details)
    return (
        f'<section class="verdict {_MARKS[verdict.outcome]}">\n<h2>{_HEADINGS[verdict.outcome]}</h2>\n'
        f"<p>{_prose(verdict.sentence)}</p>\n{f'<ul>{details}</ul>' if details else ''}\n</section>"
    )


def _sections(analysis: Analysis, figures: Mapping[str, str]) -> Iterable[str]:
    notes = "".join(f"<li>{escape(note)}</li>" for note in analysis.notes)
    yield _section(
        "What was measured",
        _figure(
            figures.get("trials"),
            "Colours are placements, shapes are hosts. A line joins the repeats of one configuration"
            + (", the number at a point is its configuration" if is_numbered(analysis.experiment) else "")
            + ". Failed trials stand on the axis.",
        ),
        f"<ul class='notes'>{notes}</ul>" if notes else "",
    )
    yield _section(
        "Configurations",
        _figure(figures.get("configurations"), ""),
        _table(configurations_table(analysis)),
        "<p class='small'>Means are over placements, each with the mean of its repeats.</p>",
    )
    yield _section(
        "Between placements and within",
        f"<p>{_prose(describe_variance(analysis.variance))}</p>",
        _table(variance_table(analysis.variance)),
        _figure(
            figures.get("placements"),
            "Only configurations with at least two scores. Points that lie close together with their means apart: the "
            "placement decides. Points that lie apart around one height: it does not.",
        ),
    )
    yield _section(
        "Provisioning, start and deallocation",
        _figure(figures.get("durations"), ""),
        _table(durations_table(analysis.durations)),
        "<p class='small'>Seconds of operations that succeeded, by the cloud's own clock where it tells.</p>",
    )
    yield _section(
        "What the hosts cost",
        _table(vm_hours_table(analysis.vm_hours)),
        "<p class='small'>VM-hours from the start of provisioning or starting to the end of deallocation or deletion. "
        "These are no prices: what an hour costs depends on size, region and contract, and disks and addresses are "
        "paid for beside it.</p>",
    )
    yield _section("Trials", _table(trials_table(analysis)))
    yield _section("How it was worked out", *(f"<p class='small'>{escape(text)}</p>" for text in METHODS))


def _prose(text: str) -> str:
    """Escaped, with per cent signs kept at their numbers."""
    return escape(text).replace(" %", "&#160;%")


def _section(title: str, *parts: str) -> str:
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _figure(svg: str | None, caption: str) -> str:
    if svg is None:
        return ""
    return f"<figure>\n{svg}\n{f'<figcaption>{escape(caption)}</figcaption>' if caption else ''}\n</figure>"


def _table(table: Table | None) -> str:
    if table is None:
        return ""
    head = "".join(f"<th{_align(table, index)}>{escape(name)}</th>" for index, name in enumerate(table.head))
    rows = "".join(_row(table, row, marked=index in table.marked) for index, row in enumerate(table.rows))
    text = f"<div class='scroll'><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>"
    if len(table.rows) > _MANY:
        return f"<details><summary>{len(table.rows)} rows</summary>\n{text}\n</details>"
    return text


def _row(table: Table, row: Sequence[str], *, marked: bool) -> str:
    cells = "".join(f"<td{_align(table, index)}>{escape(cell)}</td>" for index, cell in enumerate(row))
    return f"<tr{' class=best' if marked else ''}>{cells}</tr>\n"


def _align(table: Table, index: int) -> str:
    return " class=number" if index in table.numbers else ""
