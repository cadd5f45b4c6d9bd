"""Kubernetes Events: what ``kubectl describe`` shows below a host.

Called with each status that is written, and by the orphan sweep. Recording never waits: Events go through a bounded
line to one task, and what does not fit, or what the API server does not take, is counted and dropped. An Event that
repeats within ten minutes is counted up on the object that is there, and a host that says too much is cut short.

core/v1 rather than events.k8s.io/v1: in the older form a repetition is one patch of ``count`` and ``lastTimestamp``,
which ``kubectl describe`` and ``kubectl get events --sort-by=.lastTimestamp`` show as they are; in the newer one it is
a series that has to be opened and closed. The API server stores both in one place.
"""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Self

from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.host import BenchHost
from benchhost.api.model import to_timestamp
from benchhost.api.names import API_VERSION, KIND
from benchhost.api.status import BenchHostStatus
from benchhost.controller.api_server import API_SERVER_TROUBLE, MERGE_PATCH, ApiServer, object_path, one_line
from benchhost.controller.changes import Event, events_of

_log = logging.getLogger(__name__)

COMPONENT: Final = "benchhost-controller"
"""Who says it: the column From."""

_LINE: Final = 1000
"""Events that may wait, as many as client-go's broadcaster keeps (maxQueuedEvents)."""
_OF_CLUSTER: Final = "default"
"""Where the Events of objects without a namespace are (the API server takes no other namespace for them)."""
_MESSAGE: Final = 1024
"""Bytes of a message (1 kB is the most that events.k8s.io/v1 takes for a note)."""
_NAME: Final = 200
"""Characters of the object's name in the name of its Event, which has at most 253."""
_REPEATS_WITHIN: Final = timedelta(minutes=10)
"""How long an equal Event counts up the one that is there (client-go: defaultAggregateIntervalInSeconds = 600)."""
_BURST: Final = 25
_REFILL: Final = timedelta(minutes=5)
"""Events of one object: 25 at once and then one in five minutes (client-go: defaultSpamBurst, defaultSpamQPS)."""
_REMEMBERED: Final = 4096
"""Objects and Events that are remembered for counting (client-go: maxLruCacheEntries)."""


@dataclass(frozen=True, slots=True)
class Regarding:
    """The object that an Event is about."""

    namespace: str
    """Empty for an object of the cluster itself."""
    name: str
    uid: str
    resource_version: str = ""
    kind: str = KIND
    api_version: str = API_VERSION

    @classmethod
    def of(cls, host: BenchHost) -> Self:
        """A BenchHost."""
        meta = host.metadata
        return cls(meta.namespace, meta.name, meta.uid, resource_version=meta.resource_version)

    @property
    def events_namespace(self) -> str:
        """Where its Events are."""
        return self.namespace or _OF_CLUSTER

    def to_dict(self) -> dict[str, str]:
        """The form of a core/v1 ObjectReference."""
        reference = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
            "resourceVersion": self.resource_version,
        }
        return {name: value for name, value in reference.items() if value}


@dataclass(frozen=True, slots=True)
class _Posted:
    """An Event object as it was written last."""

    name: str
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What one object may still say."""

    tokens: float
    since: datetime

    def refilled(self, now: datetime) -> Self:
        return replace(self, tokens=min(_BURST, self.tokens + (now - self.since) / _REFILL), since=now)


class EventRecorder:
    """Takes Events without waiting; ``run`` writes them.

    Parameters
    ----------
    server
        The API server.
    clock
        Gives the time in UTC.
    on_drop
        Called for each Event that is not written.
    """

    def __init__(
        self,
        server: ApiServer,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        self._server = server
        self._clock = clock
        self._on_drop = on_drop
        self._line: asyncio.Queue[tuple[Regarding, Event, datetime]] = asyncio.Queue(_LINE)
        self._posted: OrderedDict[tuple[str, str, str], _Posted] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._troubled = False

    def record_change(self, before: BenchHost, after: BenchHostStatus) -> None:
        """Tell of everything that is different in this status."""
        for event in events_of(before, after):
            self.record(Regarding.of(before), event)

    def record(self, regarding: Regarding, event: Event) -> None:
        """Tell of one thing."""
        now = self._clock()
        if not self._may_speak(regarding.uid, now) or self._line.full():
            self._on_drop()
            return
        short = replace(event, message=_shortened(event.message))
        self._line.put_nowait((regarding, short, now))

    async def run(self) -> None:
        """Write what is recorded until cancelled."""
        while True:
            regarding, event, now = await self._line.get()
            try:
                await self._write(regarding, event, now)
                self._troubled = False
            except API_SERVER_TROUBLE as error:
                self._drop(regarding, error)
            finally:
                self._line.task_done()

    async def drain(self) -> None:
        """Wait until everything that is recorded has been written or dropped; ``run`` must be running."""
        await self._line.join()

    def _may_speak(self, uid: str, now: datetime) -> bool:
        bucket = self._buckets.pop(uid, _Bucket(_BURST, now)).refilled(now)
        may = bucket.tokens >= 1
        self._buckets[uid] = replace(bucket, tokens=bucket.tokens - 1) if may else bucket
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return may

    async def _write(self, regarding: Regarding, event: Event, now: datetime) -> None:
        key = (regarding.uid, event.reason, event.message)
        known = self._posted.pop(key, None)
        posted = None
        if known is not None and now - known.last < _REPEATS_WITHIN:
            posted = await self._count_up(regarding, known, now)
        self._posted[key] = posted or await self._create(regarding, event, now)
        if len(self._posted) > _REMEMBERED:
            self._posted.popitem(last=False)

    async def _create(self, regarding: Regarding, event: Event, now: datetime) -> _Posted:
        name = f"{regarding.name[:_NAME].rstrip('.-')}.{secrets.token_hex(8)}"
        body = to_core_event(regarding, event, name, now=now)
        await self._server.post(object_path("api/v1", regarding.events_namespace, "events"), body)
        return _Posted(name, count=1, first=now, last=now)

    async def _count_up(self, regarding: Regarding, known: _Posted, now: datetime) -> _Posted | None:
        """One more of the same; None when the API server has let it expire."""
        path = object_path("api/v1", regarding.events_namespace, "events", known.name)
        posted = replace(known, count=known.count + 1, last=now)
        body = {"count": posted.count, "lastTimestamp": _to_time(now)}
        try:
            await self._server.patch(path, body, content_type=MERGE_PATCH)
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return posted

    def _drop(self, regarding: Regarding, error: BaseException) -> None:
        """An Event is not worth a second attempt; one line when the trouble begins."""
        self._on_drop()
        status = error.status if isinstance(error, ApiException) else None
        if self._troubled or status == HTTPStatus.NOT_FOUND:  # the namespace is gone, and its Events with it
            return
        self._troubled = True
        _log.warning(
            "%s/%s: the API server did not take an Event: %s",
            regarding.events_namespace,
            regarding.name,
            one_line(error),
        )


def to_core_event(regarding: Regarding, event: Event, name: str, *, now: datetime) -> dict[str, Any]:
    """The core/v1 object of an Event that happens for the first time."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": regarding.events_namespace},
        "involvedObject": regarding.to_dict(),
        "type": str(event.severity),
        "reason": event.reason,
        "message": event.message,
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "count": 1,
        "firstTimestamp": _to_time(now),
        "lastTimestamp": _to_time(now),
    }


def _to_time(moment: datetime) -> str:
    """``metav1.Time`` has whole seconds."""
    return to_timestamp(moment.replace(microsecond=0))


def _shortened(message: str) -> str:
    """Within the limit in bytes, with a sign that there was more."""
    raw = message.encode()
    if len(raw) <= _MESSAGE:
        return message
    return raw[: _MESSAGE - 3].decode(errors="ignore") + "..."
