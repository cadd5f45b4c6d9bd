"""Who waits for one limit, in the order in which it is served. Pure; used by the budget.

Weighted fair queueing: every namespace moves on at the same pace however many requests it has waiting, and within one
whatever ends a bill moves four times as fast as the rest. Nobody is ever passed over for good.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

_PACE: Final = {True: 4, False: 1}
"""Of deletions and power-offs, and of everything else: they share what comes 4 to 1 while both wait."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests that are served one after the other."""

    namespace: str
    ends_bill: bool = False


@dataclass(slots=True)
class WaitingLine:
    """Names of requests in the order of their turn."""

    _order: list[tuple[float, int, str]] = field(default_factory=list)
    _places: dict[str, tuple[float, int, str]] = field(default_factory=dict)
    _last: dict[Flow, float] = field(default_factory=dict)
    _served: float = 0.0
    _numbers: Iterator[int] = field(default_factory=count)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._order)

    def join(self, name: str, flow: Flow) -> None:
        """Take a place at the end of the flow; who has one keeps it."""
        if name in self._places:
            return
        rank = max(self._served, self._last.get(flow, 0.0)) + 1 / _PACE[flow.ends_bill]
        self._last[flow] = rank
        place = (rank, next(self._numbers), name)
        self._places[name] = place
        insort(self._order, place)

    def ahead_of(self, name: str) -> int:
        """How many are served before."""
        return bisect_left(self._order, self._places[name])

    def leave(self, name: str, *, served: bool) -> None:
        """Give the place back."""
        place = self._places.pop(name, None)
        if place is None:
            return
        del self._order[bisect_left(self._order, place)]
        if served:
            self._served = max(self._served, place[0])
        if not self._order:
            self._last.clear()
            self._served = 0.0
