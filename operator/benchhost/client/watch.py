"""One endless watch out of many short ones: lists, watches, reconnects, lists again.

Used by ``BenchHostClient.watch``. It never polls: it asks the API server only when a connection has ended.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any, Final

from benchhost.api import BenchHost
from benchhost.client.errors import ClientError, ExpiredError, ForbiddenError, UnauthorizedError
from benchhost.client.queries import Query, read_host, to_watch_query
from benchhost.client.retry import Backoff, Deadline
from benchhost.client.transport import Transport, to_client_error

REFUSAL_GRACE_SECONDS: Final = 5.0
"""How long 401 and 403 are taken for a restart: an API server answers before it has read its roles."""


class EventType(StrEnum):
    """What happened to an object; the words of the watch protocol."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change; ``host`` is the object after it, or for DELETED as it was last."""

    type: EventType
    host: BenchHost


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects and the version that a watch can go on from."""

    hosts: list[BenchHost]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a watch needs of the API server."""

    get_listing: Callable[[Deadline], Listing]
    open_stream: Callable[[str, int, float], AbstractContextManager[Iterator[dict[str, Any]]]]
    """Resource version, server's time limit and client's read time limit, both in seconds."""
    to_host: Callable[[Mapping[str, Any]], BenchHost]
    to_error: Callable[[Mapping[str, Any]], ClientError]
    """From the ``metav1.Status`` of an ERROR event."""
    watch_seconds: float
    request_timeout_seconds: float


def to_source(transport: Transport, selectors: Query, get_listing: Callable[[Deadline], Listing]) -> Source:
    """The API server behind this transport."""
    namespace, where = transport.namespace, transport.where
    what = f"BenchHosts of namespace {namespace}"
    return Source(
        get_listing=get_listing,
        open_stream=lambda version, server_seconds, read_seconds: transport.stream(
            to_watch_query(selectors, version, server_seconds), read_seconds=read_seconds
        ),
        to_host=lambda raw: read_host(raw, namespace),
        to_error=lambda status: to_client_error(int(status.get("code") or 500), status, what=what, where=where),
        watch_seconds=transport.settings.watch_seconds,
        request_timeout_seconds=transport.settings.request_timeout_seconds,
    )


class Watcher:
    """The state of one endless watch: where it stands and what it has told of."""

    def __init__(self, source: Source, *, known: Iterable[BenchHost], resource_version: str | None) -> None:
        self._source = source
        self._known = {host.metadata.uid: host for host in known}
        self._version = resource_version
        self._refused_since: float | None = None
        self._backoff = Backoff()

    def events(self, deadline: Deadline) -> Iterator[WatchEvent]:
        """All changes until the deadline.

        Raises
        ------
        ClientError
            If the API server refuses for good: credentials, rights, or the CRD is gone.
        """
        while not deadline.is_over:
            try:
                yield from self._round(deadline)
            except ExpiredError:
                self._version = None
                self._backoff.pause(deadline)
            except ClientError as error:
                if error.is_transient and deadline.is_over:
                    return
                if not self._is_passing(error) or not self._backoff.pause(deadline, error.retry_after_seconds):
                    raise

    def _round(self, deadline: Deadline) -> Iterator[WatchEvent]:
        if self._version is None:
            listing = self._source.get_listing(deadline)
            yield from self._catch_up(listing)
            self._version = listing.resource_version
        started, heard = time.monotonic(), False
        server_seconds = max(1, ceil(min(self._source.watch_seconds, deadline.remaining)))
        read_seconds = min(server_seconds + self._source.request_timeout_seconds, max(deadline.remaining, 0.1))
        with self._source.open_stream(self._version, server_seconds, read_seconds) as stream:
            self._refused_since = None
            for raw in stream:
                event = self._take(raw)
                self._backoff.reset()
                heard = True
                if event is not None:
                    yield event
                if deadline.is_over:
                    return
        if not heard and time.monotonic() - started < 1:
            self._backoff.pause(deadline)

    def _take(self, raw: Mapping[str, Any]) -> WatchEvent | None:
        body = raw["object"]
        if raw["type"] == "ERROR":
            raise self._source.to_error(body)
        self._version = body["metadata"]["resourceVersion"]
        if raw["type"] == "BOOKMARK":
            return None
        event = WatchEvent(EventType(raw["type"]), self._source.to_host(body))
        self._remember(event)
        return event

    def _catch_up(self, listing: Listing) -> Iterator[WatchEvent]:
        """What must have happened between the last event and this list."""
        present = {host.metadata.uid for host in listing.hosts}
        for gone in [host for uid, host in self._known.items() if uid not in present]:
            yield self._remember(WatchEvent(EventType.DELETED, gone))
        for host in listing.hosts:
            before = self._known.get(host.metadata.uid)
            if before is None or before.metadata.resource_version != host.metadata.resource_version:
                kind = EventType.ADDED if before is None else EventType.MODIFIED
                yield self._remember(WatchEvent(kind, host))

    def _remember(self, event: WatchEvent) -> WatchEvent:
        if event.type is EventType.DELETED:
            self._known.pop(event.host.metadata.uid, None)
        else:
            self._known[event.host.metadata.uid] = event.host
        return event

    def _is_passing(self, error: ClientError) -> bool:
        if error.is_transient:
            return True
        if not isinstance(error, UnauthorizedError | ForbiddenError):
            return False
        now = time.monotonic()
        self._refused_since = self._refused_since or now
        return now - self._refused_since < REFUSAL_GRACE_SECONDS
