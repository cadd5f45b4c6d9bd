"""Ask guests whether they answer on their readiness port, beside the passes, until each has answered once.

A pass asks for a probe and reads what has come of it; an answer puts the host back into the queue. Attempts wait for
their time on the event loop's clock and for a free place in a line: no task sleeps, and one dead network cannot keep
others waiting for longer than the time limit of an attempt. It sends nothing to a guest but a connection that it
closes at once, and never asks a guest that has answered, so that no measurement is disturbed.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from benchhost.controller.store import Key

_AT_ONCE: Final = 64
"""Attempts under way at the same time; each costs a socket. With every guest silent they still make 21 a second."""
_TIME_LIMIT: Final = 3.0
"""Seconds for one attempt at most: a SYN that is lost is sent again after 1 s (RFC 6298), so this allows for two."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a guest shall answer, and how often it is asked."""

    host: str
    port: int
    period: float
    """Seconds from one attempt to the next."""

    @property
    def time_limit(self) -> float:
        """Seconds for one attempt."""
        return min(self.period, _TIME_LIMIT)


@dataclass(slots=True)
class _Probe:
    """One host's probe; a new one is made whenever something about it changes."""

    target: Target
    token: Hashable
    due: asyncio.TimerHandle | None = None
    attempt: asyncio.Task[None] | None = None
    answered_at: datetime | None = None

    def cancel(self) -> None:
        """No more attempts."""
        for pending in (self.due, self.attempt):
            if pending is not None:
                pending.cancel()


class ReadinessProbes:
    """Probes by the key of their host. Belongs to one event loop.

    Parameters
    ----------
    on_answer
        Called with the key of a guest that has answered for the first time since it was asked for.
    at_once
        How many attempts may be under way at the same time.
    clock
        Gives the time in UTC.
    """

    def __init__(
        self,
        on_answer: Callable[[Key], None],
        *,
        at_once: int = _AT_ONCE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._on_answer = on_answer
        self._free = at_once
        self._clock = clock
        self._probes: dict[Key, _Probe] = {}
        self._line: deque[tuple[Key, _Probe]] = deque()
        self._attempts: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many guests are still asked."""
        return sum(probe.answered_at is None for probe in self._probes.values())

    def ask(self, key: Key, target: Target, token: Hashable) -> None:
        """See to it that this guest is asked until it answers; asking for the same again changes nothing.

        Parameters
        ----------
        key
            Whose guest.
        target
            Where and how often. Another target starts anew.
        token
            Stands for one start of the guest, for example epoch and time of the start. Another token starts anew.
        """
        known = self._probes.get(key)
        if known is not None and (known.target, known.token) == (target, token):
            return
        self.forget(key)
        probe = self._probes[key] = _Probe(target, token)
        self._stand_in_line(key, probe)

    def answered_at(self, key: Key, token: Hashable) -> datetime | None:
        """When the guest first answered in this start of it; None while it has not."""
        probe = self._probes.get(key)
        return probe.answered_at if probe is not None and probe.token == token else None

    def forget(self, key: Key) -> None:
        """Ask no more; the host is gone, or not meant to run."""
        probe = self._probes.pop(key, None)
        if probe is not None:
            probe.cancel()

    async def close(self) -> None:
        """End every attempt."""
        for key in list(self._probes):
            self.forget(key)
        self._line.clear()
        if self._attempts:
            await asyncio.wait(self._attempts)

    def _stand_in_line(self, key: Key, probe: _Probe) -> None:
        probe.due = None
        self._line.append((key, probe))
        self._begin_attempts()

    def _begin_attempts(self) -> None:
        while self._free > 0 and self._line:
            key, probe = self._line.popleft()
            if self._probes.get(key) is not probe:
                continue
            self._free -= 1
            probe.attempt = asyncio.create_task(self._attempt(key, probe))
            self._attempts.add(probe.attempt)
            probe.attempt.add_done_callback(self._end_attempt)

    def _end_attempt(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self._free += 1
        self._begin_attempts()

    async def _attempt(self, key: Key, probe: _Probe) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        if await _answers(probe.target):
            probe.answered_at = self._clock()
            self._on_answer(key)
            return
        # Counted from the beginning of this attempt: the period is what the user asked for.
        probe.due = loop.call_at(began + probe.target.period, self._stand_in_line, key, probe)


async def _answers(target: Target) -> bool:
    """Whether the guest accepts a connection in time."""
    try:
        async with asyncio.timeout(target.time_limit):
            _, writer = await asyncio.open_connection(target.host, target.port)
    except (OSError, TimeoutError, ValueError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
