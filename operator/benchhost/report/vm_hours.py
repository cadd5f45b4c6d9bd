"""For how long hosts were billed, by host and size. Pure. Used by ``analysis``.

Azure bills a machine from when it is allocated until it is deallocated or deleted
(learn.microsoft.com/azure/virtual-machines/states-billing), also while it is stopped. Counted is from the start of the
operation that brings it up, to the end of the one that takes it down, so a little too much rather than too little.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from benchhost.report.history import Event, Gone, History, Operation, Placed

_UP: Final = frozenset({"Provision", "Start"})
_DOWN: Final = frozenset({"Deallocate", "Hibernate", "Reallocate", "Delete"})
"""A reallocation takes the machine off its hardware, and a start follows."""
UNKNOWN_SIZE: Final = "size unknown"


@dataclass(frozen=True, slots=True)
class HostHours:
    """One host while it had one size."""

    namespace: str
    name: str
    uid: str
    size: str
    hours: float
    is_up: bool
    """Whether it was still billed at the last record; it is counted until then."""


def to_vm_hours(history: History) -> list[HostHours]:
    """Billed hours of each host, in the order in which the hosts appear."""
    bills: dict[str, _Bill] = {}
    operations = history.operations()
    others = [event for event in history.events if not isinstance(event, Operation)]
    for event in sorted([*operations, *others], key=_moment):
        bills.setdefault(event.uid, _Bill(event.namespace, event.name)).take(event)
    return [row for uid, bill in bills.items() for row in bill.close(uid, history.end)]


def total_hours(rows: Iterable[HostHours]) -> dict[str, float]:
    """Hours by size."""
    totals: dict[str, float] = {}
    for row in rows:
        totals[row.size] = totals.get(row.size, 0.0) + row.hours
    return totals


def _moment(event: Event) -> tuple[datetime, datetime]:
    """By the end of operations, so that what overlaps is taken in the order in which it took effect."""
    return (event.end, event.start) if isinstance(event, Operation) else (event.time, event.time)


@dataclass(slots=True)
class _Bill:
    """The account of one host while its events are read."""

    namespace: str
    name: str
    size: str = UNKNOWN_SIZE
    up_since: datetime | None = None
    last_down: datetime | None = None
    failed_at: datetime | None = None
    """The end of a creation that failed, until the machine is cleaned up."""
    resized_at: datetime | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        match event:
            case Placed():
                self._rename(event.size, event.time)
                self._up(event.time)
            case Gone():
                self._down(event.time)
            case Operation():
                self._operate(event)

    def close(self, uid: str, end: datetime | None) -> list[HostHours]:
        """The rows; what is up counts until ``end``."""
        is_up = self.up_since is not None
        last = self.size
        if end is not None:
            self._down(end)
        return [
            HostHours(self.namespace, self.name, uid, size, seconds / 3600, is_up=is_up and size == last)
            for size, seconds in self.seconds.items()
        ]

    def _operate(self, operation: Operation) -> None:
        if operation.type in _UP:
            self._bring_up(operation)
        elif operation.type == "CleanUp" and self.up_since is None and self.failed_at is not None:
            self._count(self.failed_at, operation.end)
            self.failed_at = None
        elif operation.type == "CleanUp" or (operation.type in _DOWN and operation.has_succeeded):
            self._down(operation.end)
        elif operation.type == "Resize" and operation.has_succeeded:
            self._rename(operation.size, operation.end)
            self.resized_at = operation.end
        elif operation.type == "Stop":
            self.resized_at = None

    def _bring_up(self, operation: Operation) -> None:
        if not operation.has_succeeded:
            # What failed may have had hardware for as long as it was tried, and until it was cleaned up.
            self.size = operation.size or self.size
            if self.up_since is None:
                self._count(operation.start, operation.end)
                self.failed_at = operation.end
            return
        if self.resized_at is not None and operation.type == "Start":
            # A resize that needed other hardware has deallocated the machine.
            self._down(self.resized_at)
        self._rename(operation.size, operation.end)
        self._up(operation.start)

    def _rename(self, size: str | None, when: datetime) -> None:
        if size is None or size == self.size:
            return
        if self.size == UNKNOWN_SIZE:
            self.seconds = {size: sum(self.seconds.values())} if self.seconds else {}
            self.size = size
            return
        if self.up_since is not None:
            self._down(when)
            self.up_since = when
        self.size = size

    def _up(self, when: datetime) -> None:
        self.failed_at = self.resized_at = None
        start = max(when, self.last_down) if self.last_down is not None else when
        # The service's clock may be behind the cloud's, and then a host seems placed before its creation has ended.
        self.up_since = start if self.up_since is None else min(start, self.up_since)

    def _down(self, when: datetime) -> None:
        if self.up_since is not None:
            self._count(self.up_since, when)
            self.up_since = None
        self.last_down = when

    def _count(self, start: datetime, end: datetime) -> None:
        seconds = max(timedelta(), end - start).total_seconds()
        self.seconds[self.size] = self.seconds.get(self.size, 0.0) + seconds
