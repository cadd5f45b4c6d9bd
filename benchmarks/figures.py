"""What a measurement gives: a name, a value with its unit, and the bound it is held against."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    """The value must be under it; None where the figure is shown for comparison only."""

    @property
    def holds(self) -> bool | None:
        """Whether the bound holds; None without one."""
        return None if self.bound is None else self.value <= self.bound


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


@dataclass(slots=True)
class Report:
    """Tells figures as they are measured, and keeps them in a file: nothing is lost if the rest cannot be measured.

    Parameters
    ----------
    console
        Where they are shown.
    path
        Gets a list of {name, value, unit, bound, holds}.
    """

    console: Console
    path: Path
    figures: list[Figure] = field(default_factory=list)

    def begin(self, what: str) -> None:
        """Say what is measured now."""
        self.console.print(what, highlight=False, soft_wrap=True)

    def add(self, figures: Sequence[Figure]) -> None:
        """Show and keep what was measured."""
        if not figures:
            return
        self.figures.extend(figures)
        self.console.print(_table(figures))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(figure) | {"holds": figure.holds} for figure in self.figures]
        self.path.write_text(json.dumps(rows, indent=2) + "\n")

    def end(self) -> None:
        """Say where the figures are, and how many bounds do not hold."""
        failed = sum(figure.holds is False for figure in self.figures)
        self.console.print(f"{failed} bounds do not hold. Written to {self.path}", highlight=False)


def _table(figures: Sequence[Figure]) -> Table:
    table = Table()
    for column, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("bound", "right"), ("", "left")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    words = {True: "holds", False: "[red]does not hold[/red]", None: ""}
    for figure in figures:
        bound = "" if figure.bound is None else f"{figure.bound:g}"
        table.add_row(figure.name, f"{figure.value:.4g}", figure.unit, bound, words[figure.holds])
    return table
