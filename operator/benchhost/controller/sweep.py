"""Look for orphans now and then, and tell of each one once: a log line, an Event, and a number for the metrics.

Run as one task of the controller, or once by ``benchhost operator sweep``. By itself it only reports: machines of a
cluster that was restored from an old backup look like orphans too, and only people know better.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from benchhost.cloud.owned import OwnedResource
from benchhost.controller.api_server import API_SERVER_TROUBLE, one_line
from benchhost.controller.changes import Event, Severity
from benchhost.controller.connection import InstallationError, Login, connected
from benchhost.controller.events import EventRecorder, Regarding
from benchhost.controller.hosts import CLUSTER_NAMESPACE, Hosts
from benchhost.controller.orphans import Findings, Orphans
from benchhost.controller.providers import Providers, ProvidersFactory
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore

_log = logging.getLogger(__name__)

ORPHAN_FOUND: Final = "OrphanFound"
"""Reason of the Event."""
_JITTER: Final = 0.1
"""Each interval is longer or shorter by up to this share, so that controllers do not list at the same time."""


class Sweep:
    """The task.

    Parameters
    ----------
    orphans
        Finds and deletes.
    recorder
        Takes an Event for each orphan.
    interval
        From one look to the next.
    delete
        Whether orphans are deleted, or only reported.
    on_count
        Called after each look with how many orphans there are of each kind.
    """

    def __init__(
        self,
        orphans: Orphans,
        recorder: EventRecorder,
        *,
        interval: timedelta,
        delete: bool = False,
        on_count: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> None:
        self._orphans = orphans
        self._recorder = recorder
        self._interval = interval
        self._delete = delete
        self._on_count = on_count
        self._told: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look again and again until cancelled; the first time within one interval."""
        delay = self._interval * random.random()  # noqa: S311 - spreads load, guards nothing
        while True:
            await asyncio.sleep(delay.total_seconds())
            await self._look()
            delay = self._interval * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - as above

    async def look(self) -> Findings:
        """Look once, tell of what is new, and delete if that is wished; gives what is left."""
        findings = await self._orphans.find()
        self._tell(findings)
        if self._delete and findings.orphans:
            findings = await self._orphans.delete(findings)
            self._tell(findings)
        self._on_count(Counter(str(orphan.part) for orphan in findings.orphans))
        return findings

    async def _look(self) -> None:
        try:
            await self.look()
        except API_SERVER_TROUBLE as error:
            _log.warning("orphans are looked for later: the API server did not take a request: %s", one_line(error))
        except Exception:  # noqa: BLE001 - a mistake of ours in here must not take the hosts' passes down
            _log.exception("internal error while looking for orphans; tried again in %s", self._interval)

    def _tell(self, findings: Findings) -> None:
        """Say what was not there at the last look."""
        for problem in findings.problems:
            if problem not in self._told:
                _log.warning("orphans: %s", problem)
        for orphan in findings.orphans:
            if orphan.resource_id not in self._told:
                self._tell_of(orphan)
        self._told = frozenset((*findings.problems, *(orphan.resource_id for orphan in findings.orphans)))

    def _tell_of(self, orphan: OwnedResource) -> None:
        message = describe(orphan, deleting=self._delete)
        _log.warning("orphans: %s", message)
        self._recorder.record(_regarding(orphan), Event(Severity.WARNING, ORPHAN_FOUND, message))


def _regarding(orphan: OwnedResource) -> Regarding:
    """The object that an Event about an orphan is about.

    It is the BenchHost that was: under its name somebody will ask. A shared network belongs to the cluster, which the
    namespace kube-system stands for, as its uid does in the owner tags.
    """
    owner = orphan.owner
    if orphan.is_shared:
        return Regarding("", CLUSTER_NAMESPACE, owner.cluster, kind="Namespace", api_version="v1")
    return Regarding(owner.namespace, owner.name, owner.uid)


def orphans_of(settings: ControllerSettings, hosts: Hosts, providers: Providers, *, cluster: str) -> Orphans:
    """What finds orphans, as an administrator has set it."""
    return Orphans(
        hosts,
        providers,
        cluster=cluster,
        namespaces=settings.namespaces,
        scopes=settings.sweep_scopes,
        min_age=settings.orphan_age,
    )


async def sweep_once(
    settings: ControllerSettings, login: Login, make_providers: ProvidersFactory
) -> tuple[Findings, Findings]:
    """Look once, for people: what was found, and what is left after a deletion, where that is wished.

    Raises
    ------
    InstallationError
        If the API server cannot tell which BenchHosts exist.
    """
    async with connected(login, settings.namespaces) as server:
        hosts = Hosts(server, HostStore())
        providers = make_providers(hosts, lambda provider: provider)
        try:
            orphans = orphans_of(settings, hosts, providers, cluster=await hosts.read_cluster_id())
            found = await orphans.find()
            return found, await orphans.delete(found) if settings.delete_orphans else found
        except API_SERVER_TROUBLE as error:
            raise InstallationError(
                f"The API server did not say which BenchHosts exist ({one_line(error)}); nothing more was deleted."
            ) from error
        finally:
            await providers.close()


def describe(orphan: OwnedResource, *, deleting: bool) -> str:
    """What it is, whose it was, and what to do."""
    host = f"{orphan.owner.namespace}/{orphan.owner.name}"
    whose = "no host of this cluster uses it" if orphan.is_shared else f"BenchHost {host} is gone"
    command = f"benchhost operator sweep --delete-orphans --sweep-scope {orphan.scope}"
    todo = "it is deleted" if deleting else f"delete it with: {command}"
    return f"The {orphan.part} {orphan.resource_id} is an orphan, as {whose}; {todo}."
