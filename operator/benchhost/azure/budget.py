"""The one place that every request to Azure passes: it goes now, in a moment, or its caller comes back in its turn.

One for all clients of a process, whatever their credentials: Azure counts what a subscription asks for in a region, and
only at its front door who asks. A caller is served when a token is there for it and for everybody ahead of it, so
nobody blocks the line by being late, and nobody loses a turn by coming in time. Nothing is tried again in here.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from benchhost.azure.buckets import Bucket, Limit, Sent, TokenBucket, Window
from benchhost.azure.calls import refusal_of, retry_after
from benchhost.azure.limits import Claim, claims, remaining
from benchhost.azure.waiting import Flow, WaitingLine
from benchhost.cloud.errors import DeferredError

_IN_PLACE: Final = 2.0
"""Seconds that a caller is kept waiting; a later turn it has to come back for. Whoever comes back does so as much
sooner: a part of it goes into the pass that this takes, and a token may be there a refill sooner than it is sure to be.
At ARM's ten writes a second at most twenty callers wait so."""
_GLANCE: Final = 0.2
"""Seconds after which whoever waits looks whether the answers to others have shown that its turn has come."""
_BLIND: Final = 1.0
"""Seconds after which a caller comes back in any case while a limit's pace was not seen yet."""
_LEAST_WAIT: Final = 0.1
"""Seconds; nobody comes back sooner."""
_MOST_OF_A_WAIT: Final = 0.75
"""After which a caller comes back from a far turn. Each time costs the controller a pass, and with half of the wait two
thousand hosts came back seven times before they were served."""
_LATENESS: Final = 10.0
"""Seconds after its turn at which a caller that did not come back loses it."""
_DEFAULT_PAUSE: Final = timedelta(seconds=5)
"""After a refusal that does not say how long."""
_MOST_BUCKETS: Final = 4096
"""Before those that are full again are forgotten for the first time: most are for one machine or one operation."""


@dataclass(frozen=True, slots=True)
class Caller:
    """On whose behalf requests are sent."""

    uid: str
    location: str
    flow: Flow


_NOBODY: Final = Caller(uid="", location="", flow=Flow(""))
_CALLER: ContextVar[Caller] = ContextVar("caller", default=_NOBODY)


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    """Send everything within, and within tasks that begin here, on this caller's behalf."""
    token = _CALLER.set(caller)
    try:
        yield
    finally:
        _CALLER.reset(token)


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may go, with its token of each bucket."""

    taken: tuple[tuple[Claim, Bucket, Sent], ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """When a request may go: in how many seconds, and after how many to ask again for it."""

    seconds: float
    asked_again: float
    scarce: Claim
    """What it waits for."""


@dataclass(slots=True)
class Budget:
    """Buckets and waiting lines. All times are seconds of a clock that never goes back."""

    _buckets: dict[Claim, Bucket] = field(default_factory=dict)
    _lines: dict[Claim, WaitingLine] = field(default_factory=dict)
    _lapses: dict[str, float] = field(default_factory=dict)
    """When each request that waits loses its turn."""
    _next_sweep: float = 0.0
    _forget_at: int = _MOST_BUCKETS

    def ask(self, method: str, url: str, caller: Caller, *, now: float, principal: str = "") -> Admission | Turn:
        """Let a request go, or say when to ask again for it; it is known again by caller, method and path."""
        self._drop_lapsed(now)
        name, wanted = self._wanted(method, url, caller, principal, now)
        lines = self._lines_of(wanted)
        if any(lines):
            _join(lines, name, caller.flow)
        turn = self._turn(name, wanted, now)
        if turn is not None:
            _join(lines, name, caller.flow)
            self._lapses[name] = now + turn.asked_again + _LATENESS
            return turn
        self._leave(name, served=True)
        return Admission(tuple((claim, bucket, bucket.take(now)) for claim, bucket in wanted))

    def line_up(self, method: str, url: str, caller: Caller, *, now: float, principal: str = "") -> Turn | None:
        """Take a place for a request that is going to be asked for; None when its turn has come, for which it waits."""
        self._drop_lapsed(now)
        name, wanted = self._wanted(method, url, caller, principal, now)
        _join(self._lines_of(wanted), name, caller.flow)
        turn = self._turn(name, wanted, now)
        self._lapses[name] = now + (turn.asked_again if turn is not None else 0.0) + _LATENESS
        return turn

    def settle(self, admission: Admission, headers: Mapping[str, str], *, now: float, pause: timedelta | None) -> None:
        """Learn from an answer; ``pause`` says that it was a refusal for being asked too often, and for how long."""
        told = remaining(headers, [claim.name for claim, _, _ in admission.taken])
        for claim, bucket, sent in admission.taken:
            left = told.get(claim.name)
            bucket.answered(sent, left if pause is None else None, now)
            # A refusal names what is left of the limits that it knows; one that it does not tell is the empty one.
            if pause is not None and (left == 0 or (left is None and 0 not in told.values())):
                bucket.refused(now + pause.total_seconds())

    def _wanted(
        self, method: str, url: str, caller: Caller, principal: str, now: float
    ) -> tuple[str, list[tuple[Claim, Bucket]]]:
        """What a request is known by, and all that it takes a token from."""
        path = urlsplit(url).path.lower()
        claimed = claims(method, path, caller.location, principal)
        return f"{caller.uid} {method} {path}", [(claim, self._bucket(claim, limit, now)) for claim, limit in claimed]

    def _lines_of(self, wanted: Iterable[tuple[Claim, Bucket]]) -> list[WaitingLine]:
        return [self._lines.setdefault(claim, WaitingLine()) for claim, _ in wanted if claim.is_shared]

    def _turn(self, name: str, wanted: Iterable[tuple[Claim, Bucket]], now: float) -> Turn | None:
        turns = [
            (wait, claim, bucket)
            for claim, bucket in wanted
            if (wait := bucket.wait_for(1 + self._ahead(claim, name), now)) > 0
        ]
        if not turns:
            return None
        wait, scarce, bucket = max(turns, key=lambda turn: turn[0])
        return Turn(wait, _until_asked_again(wait, is_measured=bucket.is_measured), scarce)

    def _bucket(self, claim: Claim, limit: Limit, now: float) -> Bucket:
        found = self._buckets.get(claim)
        if found is None:
            self._forget_idle(now)
            found = self._buckets[claim] = Window(limit) if limit.is_window else TokenBucket(limit, now)
        return found

    def _ahead(self, claim: Claim, name: str) -> int:
        line = self._lines.get(claim)
        return line.ahead_of(name) if line else 0

    def _leave(self, name: str, *, served: bool) -> None:
        self._lapses.pop(name, None)
        for line in self._lines.values():
            line.leave(name, served=served)

    def _drop_lapsed(self, now: float) -> None:
        if now < self._next_sweep:
            return
        self._next_sweep = now + 1.0
        for name in [name for name, moment in self._lapses.items() if moment < now]:
            self._leave(name, served=False)

    def _forget_idle(self, now: float) -> None:
        """Keep memory bounded by what is used now; each sweep waits until as many are new as the last one left."""
        if len(self._buckets) < self._forget_at:
            return
        self._buckets = {
            claim: bucket
            for claim, bucket in self._buckets.items()
            if (claim.is_shared and not claim.principal) or not bucket.is_idle(now)
        }
        self._lines = {claim: line for claim, line in self._lines.items() if line or claim in self._buckets}
        self._forget_at = max(_MOST_BUCKETS, 2 * len(self._buckets))


class BudgetPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """The last policy of every client's pipeline: it sees each request on its way out, and each answer.

    Parameters
    ----------
    budget
        What may be asked.
    principal
        Who asks.
    connections
        As many as there are: a request that is let go is sent at once, or its token would be counted by us long before
        the cloud counts it.
    clock
        Seconds.
    """

    def __init__(
        self,
        budget: Budget,
        principal: str,
        connections: asyncio.Semaphore,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self._budget = budget
        self._principal = principal
        self._connections = connections
        self._clock = clock

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        """Send it once its turn has come.

        Raises
        ------
        DeferredError
            If that is not within a moment; nothing was sent then.
        """
        async with self._connections:
            admission = await self._admit(request.http_request)
            headers: Mapping[str, str] = {}
            pause = None
            try:
                response = await self.next.send(request)
                headers, pause = response.http_response.headers, await _pause(response.http_response)
            finally:
                self._budget.settle(admission, headers, now=self._clock(), pause=pause)
            return response

    async def _admit(self, request: HttpRequest) -> Admission:
        caller, end = _CALLER.get(), self._clock() + _IN_PLACE
        while True:
            now = self._clock()
            answer = self._budget.ask(request.method, request.url, caller, now=now, principal=self._principal)
            if isinstance(answer, Admission):
                return answer
            if now + answer.seconds > end:
                raise _deferred(answer)
            await asyncio.sleep(min(answer.seconds, _GLANCE))


def require_turn(budget: Budget, method: str, path: str, principal: str) -> None:
    """Take a place in line for a request of the present caller.

    Raises
    ------
    DeferredError
        If its turn does not come within a moment.
    """
    turn = budget.line_up(method, path, _CALLER.get(), now=monotonic(), principal=principal)
    if turn is not None and turn.seconds > _IN_PLACE:
        raise _deferred(turn)


def _deferred(turn: Turn) -> DeferredError:
    return DeferredError(timedelta(seconds=turn.asked_again), turn.scarce.describe())


def _join(lines: Iterable[WaitingLine], name: str, flow: Flow) -> None:
    for line in lines:
        line.join(name, flow)


def _until_asked_again(wait: float, *, is_measured: bool) -> float:
    """Far turns are estimates: whoever has one comes back when most of the time is over, and learns more."""
    if not is_measured:
        return min(wait, _BLIND)
    return min(wait, max(min(_MOST_OF_A_WAIT * wait, wait - _IN_PLACE), _LEAST_WAIT))


async def _pause(response: AsyncHttpResponse) -> timedelta | None:
    """How long a refusal for being asked too often wants us to wait; None for every other answer."""
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    await response.read()
    if not refusal_of(response).is_throttle:
        return None
    return retry_after(response.headers) or _DEFAULT_PAUSE
