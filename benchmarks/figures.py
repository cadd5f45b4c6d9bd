"""What a measurement gives: a name, a value with its unit, and the bound it is held against."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(title="BenchHost figures")
    for column, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("bound", "right"), ("", "left")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    words = {True: "holds", False: "[red]does not hold[/red]", None: ""}
    for figure in figures:
        bound = "" if figure.bound is None else f"{figure.bound:g}"
        table.add_row(figure.name, f"{figure.value:.4g}", figure.unit, bound, words[figure.holds])
    console.print(table)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write them as JSON: a list of {name, value, unit, bound, holds}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) | {"holds": figure.holds} for figure in figures], indent=2) + "\n")
