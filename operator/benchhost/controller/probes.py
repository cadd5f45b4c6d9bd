"""Ask guests whether they answer on their readiness port, beside the passes, until each has answered once.

Asked and read by ``surroundings``. It sends nothing to a guest but a connection that it closes at once, and never asks
a guest that has answered, so that no measurement is disturbed.
"""

import asyncio
import contextlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from benchhost.controller.inquiries import Inquiries
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
        self._clock = clock
        self._inquiries = Inquiries(self._probe, lambda target, _: target.period, on_answer=on_answer, at_once=at_once)

    def __len__(self) -> int:
        """How many guests are still asked."""
        return len(self._inquiries)

    @property
    def under_way(self) -> int:
        """How many attempts are under way."""
        return self._inquiries.under_way

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
        self._inquiries.begin(key, target, token)

    def answered_at(self, key: Key, token: Hashable) -> datetime | None:
        """When the guest first answered in this start of it; None while it has not."""
        return self._inquiries.answer(key, token)

    def forget(self, key: Key) -> None:
        """Ask no more; the host is gone, or not meant to run."""
        self._inquiries.forget(key)

    async def close(self) -> None:
        """End every attempt."""
        await self._inquiries.close()

    async def _probe(self, _: Key, target: Target) -> datetime | None:
        return self._clock() if await _answers(target) else None


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
