"""Find cloud resources whose BenchHost does not exist any more, and delete them where that is wished.

Called by the sweep. Everything else in the controller starts from an object; this starts from the cloud, so it is
slow to believe. A resource counts as an orphan when it carries this cluster's owner tags, is not young, and when
neither a list of all BenchHosts nor a look at the one it names, both asked of the API server itself, shows its uid.
It touches no other cluster's resources, and none of namespaces that this controller does not watch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from benchhost.api.host import BenchHost, InvalidBenchHostError
from benchhost.cloud.errors import CloudError, DeferredError, ThrottledError, TransientError
from benchhost.cloud.machine import Owner, Part, PartState
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.controller.hosts import Hosts
from benchhost.controller.providers import Providers
from benchhost.controller.sweep_scopes import SweepScopes

_DELETE_ORDER: Final = (Part.MACHINE, Part.INTERFACE, Part.DISK, Part.DATA_DISK, Part.ADDRESS, Part.NETWORK)
_ROUNDS: Final = 120
_BETWEEN_ROUNDS: Final = timedelta(seconds=5)
"""A host's parts go one after the other, some 30 s each; what is left after ten minutes is left to the next sweep."""
_PATIENCE: Final = timedelta(minutes=1)
"""The longest wait for a turn. What is deferred for longer was refused by the cloud itself."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look at all scopes has shown."""

    scopes: tuple[Scope, ...] = ()
    """Where was looked, whether it worked or not."""
    orphans: tuple[OwnedResource, ...] = ()
    """In the order in which they can be deleted."""
    problems: tuple[str, ...] = ()
    """Why a scope could not be listed, or an orphan not deleted: one sentence each."""


class Orphans:
    """Finds and deletes orphans.

    Parameters
    ----------
    hosts
        Reads BenchHosts.
    providers
        Clouds.
    cluster
        Id of this cluster, as in the owner tags.
    namespaces
        Namespaces that this controller watches; none means all.
    scopes
        Where to look beside the places that hosts name; with the controller's own credentials.
    min_age
        How old an orphan must be. A younger resource may come from a write that was under way while its object went,
        or the cloud's list may lag. Where the cloud gives no date it counts from the first look.
    clock
        Gives the time in UTC.
    pause
        Waits for that many seconds.
    """

    def __init__(
        self,
        hosts: Hosts,
        providers: Providers,
        *,
        cluster: str,
        namespaces: tuple[str, ...] = (),
        scopes: Iterable[Scope] = (),
        min_age: timedelta = timedelta(minutes=15),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hosts = hosts
        self._cluster = cluster
        self._namespaces = namespaces
        self._min_age = min_age
        self._clock = clock
        self._pause = pause
        self._scopes = SweepScopes(providers, scopes, memory=min_age)
        self._first_seen: dict[str, datetime] = {}

    async def find(self) -> Findings:
        """Look at every scope that is known. Reads only.

        Raises
        ------
        ApiException, aiohttp.ClientError, OSError, TimeoutError
            When the API server cannot tell which BenchHosts exist. Nothing is concluded then.
        """
        bodies = await self._hosts.list_bodies(self._namespaces)
        scopes = self._scopes.learn(_readable(bodies), now=self._clock())
        listed: list[OwnedResource] = []
        problems: list[str] = []
        for scope in scopes:
            look = partial(self._scopes.list_owned, scope, self._cluster, now=self._clock())
            try:
                listed += await self._in_turn(look)
            except (CloudError, DeferredError) as error:
                problems.append(f"{scope} could not be listed: {error}")
        orphans = await self._without_live(self._candidates(listed, bodies))
        orphans.sort(key=lambda orphan: (orphan.scope, orphan.owner.uid, _rank(orphan)))
        return Findings(scopes, tuple(orphans), tuple(problems))

    async def delete(self, findings: Findings) -> Findings:
        """Delete what was found, each host's parts in order, and look again until all is gone or time is up.

        Gives what is left, with why it could not be deleted.
        """
        refused: dict[str, CloudError | DeferredError] = {}
        for _ in range(_ROUNDS):
            hopeless = {resource_id for resource_id, error in refused.items() if not _passes(error)}
            due = first_parts(orphan for orphan in findings.orphans if orphan.resource_id not in hopeless)
            if not due:
                break
            finished = [await self._delete(orphan, refused) for orphan in due]
            if not all(finished):
                await self._pause(_BETWEEN_ROUNDS.total_seconds())
            findings = await self.find()
        problems = [
            f"{orphan.resource_id} could not be deleted: {refused[orphan.resource_id]}"
            for orphan in findings.orphans
            if orphan.resource_id in refused
        ]
        return Findings(findings.scopes, findings.orphans, (*findings.problems, *problems))

    async def _in_turn(self, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """What the cloud answers, once it may be asked; a long wait is left to the next look."""
        while True:
            try:
                return await ask()
            except DeferredError as deferred:
                if deferred.retry_after > _PATIENCE:
                    raise
                await self._pause(deferred.retry_after.total_seconds())

    def _candidates(self, listed: Iterable[OwnedResource], bodies: Iterable[Mapping[str, Any]]) -> list[OwnedResource]:
        """What is old enough and belongs to nobody in the list of BenchHosts."""
        now = self._clock()
        self._first_seen = {seen.resource_id: self._first_seen.get(seen.resource_id, now) for seen in listed}
        old = [
            seen for seen in listed if now - (seen.created_at or self._first_seen[seen.resource_id]) >= self._min_age
        ]
        live = {body["metadata"]["uid"] for body in bodies}
        networks = {
            (Scope.of(host.spec), host.spec.azure.network.virtual_network.name.lower())
            for host in _readable(bodies)
            if host.spec.azure.network.virtual_network is not None
        }
        return [
            seen for seen in old if (self._is_empty(seen, networks) if seen.is_shared else self._is_lost(seen, live))
        ]

    def _is_lost(self, seen: OwnedResource, live: set[str]) -> bool:
        watched = not self._namespaces or seen.owner.namespace in self._namespaces
        return watched and seen.owner.uid not in live

    def _is_empty(self, network: OwnedResource, wanted: set[tuple[Scope, str]]) -> bool:
        """Whether no host of the cluster is in it, nor going to be; unknown to who watches some namespaces only."""
        name = network.resource_id.rsplit("/", 1)[-1].lower()
        return not self._namespaces and not network.in_use and (network.scope, name) not in wanted

    async def _without_live(self, candidates: Iterable[OwnedResource]) -> list[OwnedResource]:
        """Those whose very object is not there either: it may have come since the list."""
        uids: dict[Owner, str | None] = {}
        orphans = []
        for candidate in candidates:
            owner = candidate.owner
            if not candidate.is_shared and owner not in uids:
                uids[owner] = await self._hosts.read_uid(owner.namespace, owner.name)
            if candidate.is_shared or uids[owner] != owner.uid:
                orphans.append(candidate)
        return orphans

    async def _delete(self, orphan: OwnedResource, refused: dict[str, CloudError | DeferredError]) -> bool:
        """Start to delete it unless that is under way; whether nothing has to be waited for."""
        if orphan.state is PartState.DELETING:
            return False
        try:
            started = await self._in_turn(partial(self._scopes.reached(orphan.scope).delete_owned, orphan))
        except (CloudError, DeferredError) as error:
            refused[orphan.resource_id] = error
            return not _passes(error)
        refused.pop(orphan.resource_id, None)
        return started.finished


def first_parts(orphans: Iterable[OwnedResource]) -> list[OwnedResource]:
    """Of each host what has to go first, of what is left; a shared network has no host and waits for none."""
    by_owner: dict[tuple[Scope, Owner], list[OwnedResource]] = {}
    for orphan in orphans:
        by_owner.setdefault((orphan.scope, orphan.owner), []).append(orphan)
    return [part for parts in by_owner.values() for part in parts if _rank(part) == min(map(_rank, parts))]


def _rank(resource: OwnedResource) -> int:
    return _DELETE_ORDER.index(resource.part)


def _passes(error: CloudError | DeferredError) -> bool:
    """Whether the same may work in a moment, without anybody's help."""
    return isinstance(error, DeferredError | TransientError | ThrottledError)


def _readable(bodies: Iterable[Mapping[str, Any]]) -> Iterable[BenchHost]:
    """Those that fit the API; the others exist all the same."""
    for body in bodies:
        try:
            yield BenchHost.from_dict(body)
        except InvalidBenchHostError:
            continue
