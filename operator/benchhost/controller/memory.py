"""What the controller remembers of hosts between passes. Losing it costs a look at the cloud, and nothing else.

Used by the reconciler: it keeps events from asking the cloud sooner than the cloud wished, or before a host's turn, and
passes from asking a second time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from benchhost.api.host import BenchHost
from benchhost.api.status import Operation
from benchhost.cloud.provider import OperationState
from benchhost.controller.store import Key


@dataclass(slots=True)
class _Entry:
    changed_at: datetime
    due: datetime | None = None
    subject: object = None
    """What ``due`` speaks of: a polling URL, or a generation whose turn has not come."""
    looked_at: str | None = None
    """The polling URL of the operation that is under way."""
    looks: int = 0
    """How often it was looked at."""
    ended: tuple[str, OperationState] | None = None
    """The polling URL of an operation, and how it has ended."""


class HostMemory:
    """One entry a host.

    Parameters
    ----------
    clock
        Gives the time in UTC.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._started = clock()
        self._entries: dict[Key, _Entry] = {}
        self._under_way: set[Key] = set()

    def changed_at(self, key: Key) -> datetime:
        """When something of the host was changed last; for a host that is not remembered, when this process began."""
        entry = self._entries.get(key)
        return entry.changed_at if entry else self._started

    def note_change(self, key: Key, moment: datetime) -> None:
        """Remember that something of the host was changed."""
        self._entry(key).changed_at = moment

    def wait_until(self, key: Key, due: datetime, subject: object) -> None:
        """Leave the host alone until then, as long as it is about the same thing."""
        entry = self._entry(key)
        entry.due, entry.subject = due, subject

    def waits_until(self, key: Key, subject: object) -> datetime | None:
        """Until when the host is to be left alone; None when that time has come, or it is about something else."""
        entry = self._entries.get(key)
        if entry is None or entry.due is None or entry.subject != subject:
            return None
        return entry.due if entry.due > self._clock() else None

    def note_look(self, key: Key, poll_url: str) -> int:
        """Remember that this operation is under way; how often it was looked at since it began."""
        entry = self._entry(key)
        entry.looks = entry.looks + 1 if entry.looked_at == poll_url else 0
        entry.looked_at = poll_url
        self._under_way.add(key)
        return entry.looks

    def note_rest(self, key: Key) -> None:
        """Nothing is under way on the host."""
        self._under_way.discard(key)

    @property
    def under_way(self) -> int:
        """On how many hosts an operation is under way."""
        return len(self._under_way)

    def note_end(self, key: Key, operation: Operation | None, state: OperationState | None) -> None:
        """Remember how an operation has ended, if it has."""
        if operation is not None and operation.poll_url is not None and state is not None:
            self._entry(key).ended = (operation.poll_url, state)

    def end_of(self, key: Key, operation: Operation | None) -> OperationState | None:
        """How this operation has ended; None when that is not known."""
        entry = self._entries.get(key)
        if entry is None or entry.ended is None or operation is None or entry.ended[0] != operation.poll_url:
            return None
        return entry.ended[1]

    def forget(self, key: Key) -> None:
        """The host is gone."""
        self._entries.pop(key, None)
        self._under_way.discard(key)

    def _entry(self, key: Key) -> _Entry:
        return self._entries.setdefault(key, _Entry(self._started))


def turn_of(host: BenchHost) -> object:
    """What a host's turn speaks of: a newer generation, or a deletion, does not wait for the turn of an older one."""
    return ("turn", host.metadata.generation, host.is_deleting)
