"""The parent's end of the supervisor: starts and stops processes that cannot outlive this one.

Used by `LocalControlPlane`, by the kind cluster and by the build. It never signals a process itself: closing the
pipe is enough, and the kernel does that for a parent that crashed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from benchhost.local.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

__all__ = ["SupervisedProcesses"]

_ANSWER_SECONDS = 30.0
"""The supervisor answers a start at once and a stop within a grace period of seconds; past this it is stuck."""


class SupervisedProcesses:
    """The processes of one instance, behind a supervisor that ends them with this process.

    Parameters
    ----------
    log
        Where the supervisor itself writes; appended to.
    lock
        A locked file that stays locked until the supervisor has cleaned up, also when this process is gone.
    """

    def __init__(self, log: Path, *, lock: IO[str]) -> None:
        self._changed = threading.Condition()
        self._pids: dict[str, int] = {}
        self._exit_codes: dict[str, int] = {}
        self._refusals: dict[str, str] = {}
        self._told_to_stop: set[str] = set()
        with log.open("ab") as stderr:
            self._supervisor = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("supervisor.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pass_fds=[lock.fileno()],
                start_new_session=True,  # Ctrl-C reaches this process only; it decides what to stop, and when
            )
        self._reader = threading.Thread(target=self._read, name="supervisor-events", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        """Use it as a context: all is ended at the exit."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything."""
        self.close()

    @property
    def pid(self) -> int:
        """The process of the supervisor."""
        return self._supervisor.pid

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by name, in the order in which they were started."""
        with self._changed:
            return dict(self._pids)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        grace: float | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> int:
        """Start a process and return its id; its output is appended to `log`.

        Parameters
        ----------
        grace
            Seconds from SIGTERM to SIGKILL when it is stopped; 5 by default.

        Raises
        ------
        StartError
            If the command cannot be run at all.
        """
        with self._changed:
            self._told_to_stop.discard(name)
            self._exit_codes.pop(name, None)
            self._refusals.pop(name, None)
            self._send(
                do="start",
                name=name,
                argv=list(argv),
                log=str(log),
                grace=grace,
                env=None if env is None else dict(env),
                cwd=None if cwd is None else str(cwd),
            )
            known = (self._pids, self._exit_codes, self._refusals)
            self._changed.wait_for(lambda: any(name in each for each in known), _ANSWER_SECONDS)
            if name in self._refusals:
                raise StartError(f"{name} cannot be run ({self._refusals[name]}).")
            if name not in self._pids and name not in self._exit_codes:
                raise StartError(f"{name} was not started: the supervisor (process {self.pid}) does not answer.")
            return self._pids.get(name, 0)

    def stop(self, name: str) -> None:
        """Stop one process and wait for its end: SIGTERM, and after a grace period SIGKILL.

        One that ended by itself is forgotten.
        """
        with self._changed:
            self._exit_codes.pop(name, None)
            if name not in self._pids:
                return
            self._told_to_stop.add(name)
            self._send(do="stop", name=name)
            if not self._changed.wait_for(lambda: name not in self._pids, _ANSWER_SECONDS):
                raise StartError(f"{name} does not stop: the supervisor (process {self.pid}) does not answer.")

    def run_at_end(self, argv: Sequence[str]) -> None:
        """Run a command when everything has stopped, also after a crash of this process."""
        self._send(do="finally", argv=list(argv))

    def remove_at_end(self, path: Path) -> None:
        """Delete a file or a folder when everything has stopped, also after a crash of this process."""
        self._send(do="remove", path=str(path))

    def keep_files(self) -> None:
        """Forget what was to be deleted at the end."""
        self._send(do="keep")

    def exit_code(self, name: str) -> int | None:
        """Give the exit code of a process that ended by itself (negative: by a signal), else None."""
        with self._changed:
            return self._exit_codes.get(name)

    def wait_for_exit(self, seconds: float | None = None, *, of: str | None = None) -> str | None:
        """Wait until a process has ended by itself; its name, or None when the time is over.

        Parameters
        ----------
        of
            The process; any, also one that ended before, if it is left out.
        """
        with self._changed:

            def ended() -> str | None:
                return next((name for name in self._exit_codes if of in (None, name)), None)

            self._changed.wait_for(lambda: ended() is not None, seconds)
            return ended()

    def close(self) -> None:
        """End everything in reverse order of starting and wait for it. Closing twice is fine."""
        with self._changed:
            self._told_to_stop.update(self._pids)
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._supervisor.wait()
        self._reader.join()

    @property
    def _stdin(self) -> IO[bytes]:
        stdin = self._supervisor.stdin
        if stdin is None:  # never: it was asked for as a pipe
            raise StartError("The supervisor has no pipe.")
        return stdin

    def _send(self, **request: object) -> None:
        try:
            self._stdin.write(json.dumps(request).encode() + b"\n")
            self._stdin.flush()
        except (OSError, ValueError) as error:
            raise StartError(f"The supervisor (process {self.pid}) has ended, and what it ran with it.") from error

    def _read(self) -> None:
        stdout = self._supervisor.stdout
        if stdout is None:  # never: it was asked for as a pipe
            return
        with stdout:
            for line in stdout:
                self._note(json.loads(line))
        with self._changed:
            # On Linux the children have died with it; elsewhere they are still there, but nobody can stop them.
            for name in list(self._pids):
                self._note({"event": "exited", "name": name, "code": -1})

    def _note(self, event: dict[str, Any]) -> None:
        with self._changed:
            name = event["name"]
            if event["event"] == "started":
                self._pids[name] = event["pid"]
            elif event["event"] == "refused":
                self._refusals[name] = event["reason"]
            else:
                self._pids.pop(name, None)
                if name not in self._told_to_stop:
                    self._exit_codes[name] = event["code"]
            self._changed.notify_all()
