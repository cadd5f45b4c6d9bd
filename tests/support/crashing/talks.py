"""Every request that a controller sends, counted where all of them pass, and the place where it may be killed.

Used inside a forked controller (`zygote`). kopf, the kubernetes package and the Azure SDK all send through
``aiohttp.ClientSession``, so one wrapper sees everything that the controller says to anybody.
"""

import os
import signal
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import aiohttp
from yarl import URL

from support.crashing.points import name_of

BACKGROUND = ("/leases", "/events")
"""Paths of requests that come by the clock and not in the course of a life; a kill there is one at any moment."""


class Moment(StrEnum):
    """When a request is as far as this, its sender dies."""

    BEFORE = "before"
    """Nothing has been sent."""
    UNANSWERED = "in the middle of"
    """It has been sent; the server works on it while the next controller may already be looking."""
    AFTER = "after"
    """The answer's headers have come, and nobody has read them."""


@dataclass(frozen=True, slots=True)
class Kill:
    """When a controller dies: at its ``nth`` request of this name, counted from 1.

    Names, because reads that are sent side by side change their order from life to life.
    """

    name: str
    nth: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.moment} {self.name} no. {self.nth}"


@dataclass(slots=True)
class Talks:
    """Counts requests and writes a line for each.

    Parameters
    ----------
    report
        File descriptor that gets ``METHOD PATH`` for each request, and ``KILLED`` at the end. A pipe: what was
        written survives the writer.
    kill
        When to die; None: never.
    """

    report: int
    kill: Kill | None
    counts: Counter[str] = field(default_factory=Counter)

    def begin(self, method: str, url: URL) -> Moment | None:
        """Note a request that is about to be sent; how far it gets, None for to its end."""
        if any(word in url.path for word in BACKGROUND):
            return None
        talk = f"{method.upper()} {url.path}{'?watch' if url.query.get('watch') else ''}"
        os.write(self.report, f"{talk}\n".encode())
        name = name_of(talk)
        self.counts[name] += 1
        is_meant = self.kill is not None and (self.kill.name, self.kill.nth) == (name, self.counts[name])
        return self.kill.moment if self.kill is not None and is_meant else None

    def die(self) -> None:
        """End this process as a power cut would."""
        os.write(self.report, b"KILLED\n")
        os.kill(os.getpid(), signal.SIGKILL)


def count_requests(talks: Talks) -> None:
    """Let every session of this process count its requests."""
    send, wait = aiohttp.ClientSession._request, aiohttp.ClientResponse.start
    doom: ContextVar[Moment | None] = ContextVar("doom", default=None)

    async def counted(session: aiohttp.ClientSession, method: str, url: Any, **options: Any) -> Any:
        moment = talks.begin(method, URL(str(url)).update_query(options.get("params") or {}))
        if moment is Moment.BEFORE:
            talks.die()
        doom.set(moment)
        answer = await send(session, method, url, **options)
        if moment is Moment.AFTER:
            talks.die()
        return answer

    async def awaited(response: aiohttp.ClientResponse, connection: Any) -> Any:
        if doom.get() is Moment.UNANSWERED:
            if response._writer is not None:
                await response._writer  # the body follows the headers
            talks.die()
        return await wait(response, connection)

    aiohttp.ClientSession._request = counted  # type: ignore[method-assign, assignment]
    aiohttp.ClientResponse.start = awaited  # type: ignore[method-assign]
