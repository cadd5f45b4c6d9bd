"""The report's figures: as SVG that can stand inside a page, and all on one PNG. Used by ``page`` and the command.

The same analysis gives the same bytes: no dates, no random ids.
"""

import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from benchhost.report.analysis import Analysis
from benchhost.report.panels import (
    draw_configurations,
    draw_durations,
    draw_placements,
    draw_trials,
    to_look,
    to_residuals,
)

_INK: Final = "#20242b"
"""Stands for the page's own text colour, so that a figure can be read on a dark page too."""
_STYLE: Final[dict[RcKeyType, Any]] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.18,
    "grid.color": _INK,
    "legend.frameon": False,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    # Names of metrics and hosts are theirs: a dollar sign in them is no formula.
    "text.parse_math": False,
}


def draw_svgs(analysis: Analysis) -> dict[str, str]:
    """Name -> SVG element, of the figures for which there are data."""
    look = to_look(analysis.experiment.placements)
    drawings: dict[str, tuple[float, Callable[[Axes], None]]] = {
        "trials": (3.6, lambda axes: draw_trials(axes, analysis, look)),
    }
    if any(trial.score is not None for trial in analysis.experiment.trials):
        drawings["configurations"] = (3.2, lambda axes: draw_configurations(axes, analysis, look))
    if has_repeats(analysis):
        drawings["placements"] = (3.2, lambda axes: draw_placements(axes, analysis, look))
    rows = sum(1 for each in analysis.durations if each.seconds)
    if rows:
        drawings["durations"] = (0.9 + 0.36 * rows, lambda axes: draw_durations(axes, analysis))
    return {name: _draw_svg(name, height, draw) for name, (height, draw) in drawings.items()}


def draw_png(analysis: Analysis) -> bytes:
    """All figures on one, with the verdict above."""
    look = to_look(analysis.experiment.placements)
    verdict = textwrap.fill(analysis.verdict.sentence, 150)
    with _style():
        figure = Figure(figsize=(11, 9.2), layout="constrained", facecolor="white")
        figure.suptitle(analysis.experiment.name, fontsize=14, fontweight="bold", x=0.01, ha="left")
        rows = figure.add_gridspec(3, 2, height_ratios=[0.2, 1.15, 1.0])
        words = figure.add_subplot(rows[0, :])
        words.axis("off")
        words.text(0, 1, verdict, fontsize=9.5, va="top", ha="left", transform=words.transAxes)
        draw_trials(figure.add_subplot(rows[1, :]), analysis, look)
        draw_configurations(figure.add_subplot(rows[2, 0]), analysis, look)
        other = figure.add_subplot(rows[2, 1])
        if has_repeats(analysis):
            draw_placements(other, analysis, look)
        else:
            draw_durations(other, analysis)
        file = BytesIO()
        figure.savefig(file, format="png", dpi=130, metadata={"Software": None})
    return file.getvalue()


def has_repeats(analysis: Analysis) -> bool:
    """Whether any noise can be seen at all."""
    return bool(to_residuals(analysis.experiment))


@contextmanager
def _style() -> Iterator[None]:
    with warnings.catch_warnings(), mpl.rc_context(_STYLE):
        # A name may be in letters that the font lacks; a browser finds others, and the PNG shows boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


def _draw_svg(name: str, height: float, draw: Callable[[Axes], None]) -> str:
    with _style(), mpl.rc_context({"svg.hashsalt": name}):
        figure = Figure(figsize=(9.2, height), layout="constrained")
        draw(figure.add_subplot())
        file = StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _to_inline(file.getvalue(), name)


def _to_inline(svg: str, name: str) -> str:
    """Only the element, as wide as the page lets it, with ids of its own, in the page's text colour."""
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", element, flags=re.DOTALL)
    element = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", element)
    return element.replace(_INK, "currentColor").strip()
