"""All faults that are set: which of them happen to a request or an operation now."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchhost.emulator.faults.effects import Delay, FailOperation

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from benchhost.emulator.faults.effects import Effect, RequestEffect
    from benchhost.emulator.faults.matching import Matcher, Subject


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule.

    Parameters
    ----------
    id
        How it is called, ``f1`` for the first.
    matcher, effect
        What happens to whom.
    times
        How often it happens in all; None until it is removed.
    rate
        How likely it happens to each that it matches, from 0 to 1.
    hits, last_hit
        How often it has happened, and when last (seconds since 1970).
    """

    id: str
    matcher: Matcher
    effect: Effect
    times: int | None = None
    rate: float = 1.0
    hits: int = 0
    last_hit: float | None = None

    @property
    def is_spent(self) -> bool:
        """Whether it will not happen again."""
        return self.times is not None and self.hits >= self.times


class Faults:
    """The faults in the order in which they were set.

    Parameters
    ----------
    source
        Where randomness comes from; a seeded one repeats itself.
    """

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        """Iterate over the faults, spent ones included."""
        return iter(list(self._faults.values()))

    def __len__(self) -> int:
        """Return how many faults are set."""
        return len(self._faults)

    def add(self, matcher: Matcher, effect: Effect, *, times: int | None = None, rate: float = 1.0) -> Fault:
        """Set a fault."""
        fault = Fault(id=f"f{next(self._numbers)}", matcher=matcher, effect=effect, times=times, rate=rate)
        self._faults[fault.id] = fault
        return fault

    def find(self, fault_id: str) -> Fault | None:
        """Return a fault, or None."""
        return self._faults.get(fault_id)

    def remove(self, fault_id: str) -> bool:
        """Remove a fault and tell whether there was one."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> int:
        """Remove all faults and return how many there were."""
        count = len(self._faults)
        self._faults.clear()
        return count

    def strike_request(self, subject: Subject, now: float) -> list[RequestEffect]:
        """Return what happens to a request: any delays, and at most one other effect, which is the last.

        Faults behind that one do not happen and are not used up.
        """
        effects: list[RequestEffect] = []
        for fault in self._faults.values():
            effect = fault.effect
            if isinstance(effect, FailOperation) or not self._strikes(fault, subject, now):
                continue
            effects.append(effect)
            if not isinstance(effect, Delay):
                break
        return effects

    def strike_operation(self, subject: Subject, now: float) -> FailOperation | None:
        """Return how an operation fails that is due, or None when it does not."""
        for fault in self._faults.values():
            effect = fault.effect
            if isinstance(effect, FailOperation) and self._strikes(fault, subject, now):
                return effect
        return None

    def _strikes(self, fault: Fault, subject: Subject, now: float) -> bool:
        if fault.is_spent or not fault.matcher.matches(subject):
            return False
        if fault.rate < 1.0 and self._source.random() >= fault.rate:
            return False
        fault.hits += 1
        fault.last_hit = now
        return True
