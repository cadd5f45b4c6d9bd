"""Shows a long piece of work: what, how far, how long.

Used by the build. On a terminal one live line with a bar, elsewhere (CI, a pipe) a plain line now and then.
It only writes to the stream that it was given.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["PlainProgress", "ProgressReport", "show_progress"]

PLAIN_PERIOD_SECONDS: Final = 15.0
"""Between two plain lines: often enough that a CI log does not look dead."""


class ProgressReport(Protocol):
    """Where work tells how far it is."""

    def phase(self, what: str, total: int | None) -> None:
        """Begin a phase; `total` is the number of its steps, None if unknown."""

    def advance_to(self, done: int) -> None:
        """Tell how many steps are done; also called when nothing changed."""

    def say(self, line: str) -> None:
        """Print a line that stays."""


class PlainProgress:
    """One line when a phase begins, and one every fifteen seconds.

    Parameters
    ----------
    write
        Takes one line.
    clock
        Seconds that only grow.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._began = self._last = clock()
        self._what = ""
        self._total: int | None = None

    def phase(self, what: str, total: int | None) -> None:
        """Begin a phase."""
        self._what, self._total = what, total
        self._last = self._clock()
        steps = "" if total is None else f" ({total} steps)"
        self._write(f"{what}{steps} …")

    def advance_to(self, done: int) -> None:
        """Write a line if the last one is old enough."""
        now = self._clock()
        if now - self._last < PLAIN_PERIOD_SECONDS:
            return
        self._last = now
        how_far = "" if self._total is None else f": {min(done, self._total)} of {self._total}"
        self._write(f"{self._what}{how_far}, {now - self._began:.0f} s so far")

    def say(self, line: str) -> None:
        """Print a line."""
        self._write(line)


class _LiveProgress:
    """The same on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("Preparing", total=None)

    def phase(self, what: str, total: int | None) -> None:
        self._progress.reset(self._task, total=total, description=what, start=True)

    def advance_to(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def show_progress(console: Console) -> Iterator[ProgressReport]:
    """Show progress on a console for as long as the context lasts."""
    if not console.is_terminal:
        yield PlainProgress(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _LiveProgress(progress)
