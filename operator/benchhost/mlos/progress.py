"""What somebody sees while a host is awaited: a line for each change of a condition, and a spinner on a terminal.

Used by ``following``. It only tells; nothing depends on it.
"""

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Final

from rich.console import Console

from benchhost.api import BenchHost, Condition, OperationType
from benchhost.mlos.calls import HostCall, HostOperation
from benchhost.mlos.history import HostHistory

_LOG = logging.getLogger(__name__)

_Said = tuple[str, str, str]

_USUAL: Final[Mapping[HostOperation, OperationType]] = {
    HostOperation.PROVISION: OperationType.PROVISION,
    HostOperation.DEALLOCATE: OperationType.DEALLOCATE,
    HostOperation.DEPROVISION: OperationType.DELETE,
    HostOperation.START: OperationType.START,
    HostOperation.STOP: OperationType.STOP,
    HostOperation.RESTART: OperationType.RESTART,
}
"""What a call most likely waits for, until the controller says what is under way."""


class Progress:
    """Tells of one host while one call waits for it.

    Parameters
    ----------
    call
        The call.
    history
        Says how long it usually takes.
    """

    def __init__(self, call: HostCall, history: HostHistory) -> None:
        self._call = call
        self._history = history
        self._said: set[_Said] | None = None
        self._began = time.monotonic()
        self._operation = _USUAL[call.operation]
        self._size: str | None = None
        self._expected: dict[tuple[OperationType, str | None], float | None] = {}

    def __rich__(self) -> str:
        """The spinner's line; drawn several times a second."""
        elapsed = time.monotonic() - self._began
        expected = self._get_expected()
        of = f" of usually {_seconds(expected)}" if expected else ""
        return f"{self._call.label}: {self._operation}, {_seconds(elapsed)}{of}"

    def saw(self, host: BenchHost | None) -> None:
        """Tell what is new about the host."""
        if host is None or (self._call.uid is not None and host.metadata.uid != self._call.uid):
            return
        conditions = host.status.conditions
        if self._said is not None:
            self._tell([item for item in conditions if _to_said(item) not in self._said])
        self._said = {_to_said(item) for item in conditions}
        operation = host.status.operation
        if operation is not None and operation.type is not self._operation:
            self._operation, self._size = operation.type, operation.size or host.status.size

    def _get_expected(self) -> float | None:
        """Read from the history's file, once for each operation, and only where a spinner shows it."""
        key = (self._operation, self._size)
        if key not in self._expected:
            self._expected[key] = self._history.get_expected_seconds(*key)
        return self._expected[key]

    def _tell(self, changed: Iterable[Condition]) -> None:
        """One line for the conditions that changed together for the same reason."""
        together: dict[tuple[str, str], list[str]] = {}
        for item in changed:
            words = " ".join(item.message.split())
            together.setdefault((item.reason, words), []).append(f"{item.type} is {item.status}")
        for (reason, words), changes in together.items():
            _LOG.info("%s: %s (%s): %s", self._call.label, ", ".join(changes), reason, words)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """A spinner while the context lasts, where somebody looks."""
        if not sys.stderr.isatty():
            yield
            return
        console = Console(stderr=True)
        with ExitStack() as stack:
            stack.enter_context(console.status(self, spinner_style="cyan"))
            stack.enter_context(_logs_above_the_spinner(console.file))
            yield


def _to_said(condition: Condition) -> _Said:
    return str(condition.type), str(condition.status), condition.reason


@contextmanager
def _logs_above_the_spinner(original: IO[str]) -> Iterator[None]:
    """Log handlers keep the stream that they were made with; rich moves the spinner only for ``sys.stderr``."""
    handlers = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream in {original, sys.__stderr__}
    ]
    streams = [handler.setStream(sys.stderr) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, streams, strict=True):
            if stream is not None:
                handler.setStream(stream)


def _seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
