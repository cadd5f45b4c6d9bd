"""Runs the commands of a build, one at a time, under the supervisor and with their output in a log.

Used by `build` and `toolchain`. A command that runs is ended with this process, however that ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchhost.local.errors import BuildError
from benchhost.local.log_tail import last_meaningful_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from benchhost.local.progress import ProgressReport
    from benchhost.local.supervised import SupervisedProcesses

__all__ = ["BuildSteps", "count_lines"]

_REFRESH_SECONDS = 0.25
"""Between two looks at how far a command is."""


@dataclass(frozen=True, slots=True)
class BuildSteps:
    """What every step of a build needs."""

    processes: SupervisedProcesses
    progress: ProgressReport
    logs: Path
    """The folder of the logs, one a command."""

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        count: Callable[[str], int] | None = None,
    ) -> str:
        """Run a command to its end and give what it printed.

        Parameters
        ----------
        count
            Reads from the output so far how many steps are done.

        Raises
        ------
        BuildError
            If it fails; the log stays.
        """
        log = self.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        self.processes.start(name, argv, log=log, env=env, cwd=cwd)
        while (code := self.processes.exit_code(name)) is None:
            self.processes.wait_for_exit(_REFRESH_SECONDS, of=name)
            self.progress.advance_to(count(log.read_text(errors="replace")) if count else 0)
        if code != 0:
            why = last_meaningful_line(log) or f"exit code {code}"
            raise BuildError(f"Building the control plane failed in {name}: {why} (log: {log}).")
        return log.read_text(errors="replace")


def count_lines(output: str, prefix: str = "") -> int:
    """Count the whole lines of an output that begin with a prefix."""
    return sum(line.startswith(prefix) for line in output.split("\n")[:-1])
