"""Commands under test as processes of their own: started, watched by what they print, and ended by process id."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self


def clean_up_when_told_to_end() -> None:
    """Let SIGTERM end this process as Ctrl-C does, so that what it has started ends with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class Command:
    """A running command whose output is kept and can be waited for.

    Parameters
    ----------
    argv
        Program and arguments.
    log
        File that gets everything the command prints.
    environment
        Added to this process's own.
    folder
        Working folder; default: this process's own.
    """

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.log = log
        self._argv, self._folder = argv, folder
        self._environment = {**os.environ, **(environment or {})}
        self._changed = threading.Condition()
        self._start()

    def _start(self) -> None:
        self._lines: list[str] = []
        self._ended = False
        self.process = subprocess.Popen(
            self._argv,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """Everything printed so far, since the last start."""
        with self._changed:
            return "".join(self._lines)

    def wait_for(self, pattern: str, *, timeout: float = 30.0) -> re.Match[str]:
        """The first match in what is printed, now or within ``timeout`` seconds."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            match = re.search(pattern, "".join(self._lines))
            if match:
                found.append(match)
            return bool(match) or self._ended

        with self._changed:
            self._changed.wait_for(look, timeout)
        if not found:
            raise AssertionError(f"no {pattern!r} within {timeout} s in:\n{self.output}")
        return found[0]

    def stop(self, *, timeout: float = 15.0) -> int:
        """Ask it to end with SIGTERM; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait(timeout=timeout)

    def kill(self) -> None:
        """End it at once with SIGKILL, as a crash would."""
        self.process.kill()
        self.wait()

    def restart(self) -> None:
        """End it as a crash would, and start the same command again."""
        self.kill()
        self._start()

    def interrupt(self) -> None:
        """Send what Ctrl-C sends."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, *, timeout: float = 30.0) -> int:
        """Wait for its end; its exit code."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def _read(self, stream: IO[str]) -> None:
        with stream, self.log.open("a") as log:
            for line in stream:
                log.write(line)
                log.flush()
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
