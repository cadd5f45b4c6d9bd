"""The controller process: kopf for the watch, the login and the liveness probe; our queue and reconciler inside.

Called by ``benchhost operator run``. kopf's handlers here only fill the store and the queue: they return nothing, set
no patch and wait for nothing, and an object that is gone only means that its key is forgotten.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

import kopf
from kubernetes.aio.client import Configuration

from benchhost.api.host import BenchHost
from benchhost.api.names import GROUP, PLURAL, VERSION
from benchhost.api.status import BenchHostStatus
from benchhost.controller.connection import Login, connected
from benchhost.controller.events import EventRecorder
from benchhost.controller.holders import Holders
from benchhost.controller.hosts import Hosts
from benchhost.controller.key_reads import KeyReads, console_reader
from benchhost.controller.metrics import Metrics
from benchhost.controller.metrics_server import serving
from benchhost.controller.probes import ReadinessProbes
from benchhost.controller.providers import ProvidersFactory
from benchhost.controller.reconciler import Reconciler
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore, Key, key_of
from benchhost.controller.surroundings import Surroundings
from benchhost.controller.sweep import Sweep, orphans_of
from benchhost.controller.work_queue import WorkQueue, work

_log = logging.getLogger(__name__)

_DRAIN_SECONDS = 5.0
"""How long passes that are under way may take to end after the watch has stopped; losing one loses nothing."""

_LAST_EVENTS_SECONDS = 2.0
"""How long Events may take to be written at the end; some hundred, at a few ms each."""


async def run(settings: ControllerSettings, login: Login, make_providers: ProvidersFactory) -> None:
    """Run the controller until it is told to stop by a signal, or until the watch or one of its tasks dies.

    Parameters
    ----------
    settings
        How it works.
    login
        Gives a connected configuration; called again when the API server stops to accept it.
    make_providers
        Gives the clouds, once the API server can be asked for Secrets.
    """
    # What was imported lives as long as the process: the collector need not look at it again and again.
    gc.freeze()
    async with connected(login, settings.namespaces) as server:
        store = HostStore()
        queue: WorkQueue[Key] = WorkQueue()
        hosts = Hosts(server, store)
        metrics = Metrics(store.bodies, queue, version=version("benchhost"))
        recorder = EventRecorder(server, on_drop=metrics.record_drop)
        providers = make_providers(hosts, metrics.metered)
        cluster = await hosts.read_cluster_id()
        probes = ReadinessProbes(queue.add)
        keys = KeyReads(console_reader(store, providers, cluster=cluster), queue.add)
        reconciler = Reconciler(
            store,
            hosts,
            providers=providers,
            surroundings=Surroundings(Holders(server), probes, keys),
            cluster=cluster,
            settings=settings,
            on_change=partial(_tell, recorder, metrics),
        )
        sweep = Sweep(
            orphans_of(settings, hosts, providers, cluster=cluster),
            recorder,
            interval=settings.sweep_interval,
            delete=settings.delete_orphans,
            on_count=metrics.set_orphans,
        )
        async with serving(metrics.registry, settings.metrics_endpoint):
            handle = metrics.timed(reconciler.reconcile)
            workers = [asyncio.create_task(work(queue, handle)) for _ in range(settings.workers)]
            beside = [asyncio.create_task(sweep.run()), asyncio.create_task(recorder.run())]
            try:
                watch = _watch(settings, _registry(settings, store, queue, login))
                await _run_together(asyncio.create_task(watch), [*workers, *beside])
            finally:
                queue.close()
                await _drain(workers)
                await probes.close()
                await keys.close()
                await _say_the_rest(recorder)
                await _cancel(beside)
                await providers.close()


def _tell(recorder: EventRecorder, metrics: Metrics, before: BenchHost, after: BenchHostStatus) -> None:
    """What follows from a status that was written."""
    recorder.record_change(before, after)
    metrics.record_change(before, after, now=datetime.now(UTC))


async def _watch(settings: ControllerSettings, registry: kopf.OperatorRegistry) -> None:
    """Run kopf until a signal comes or its watcher dies."""
    await kopf.operator(
        registry=registry,
        settings=_kopf_settings(),
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        liveness_endpoint=settings.liveness_endpoint,
    )


async def _run_together(watch: asyncio.Task[None], others: list[asyncio.Task[None]]) -> None:
    """Until the watch ends; another task that dies ends the watch, and so the process."""
    await asyncio.wait([watch, *others], return_when=asyncio.FIRST_COMPLETED)
    dead = [other for other in others if other.done()]
    if not watch.done():
        watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    for other in dead:
        other.result()


async def _drain(workers: list[asyncio.Task[None]]) -> None:
    """Let passes end; what does not end in time is cut off, which is the same as a crash there."""
    _, late = await asyncio.wait(workers, timeout=_DRAIN_SECONDS)
    await _cancel(late)


async def _say_the_rest(recorder: EventRecorder) -> None:
    """Let the Events of the last passes be written, for a moment."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_EVENTS_SECONDS):
            await recorder.drain()


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _registry(
    settings: ControllerSettings, store: HostStore, queue: WorkQueue[Key], login: Login
) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def announce(**_: Any) -> None:
        where = f"namespace {', '.join(settings.namespaces)}" if settings.namespaces else "all namespaces"
        _log.info("watching BenchHosts in %s", where)

    @kopf.on.login(registry=registry)
    async def log_in(**_: Any) -> kopf.ConnectionInfo:
        return to_connection_info(await login())

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def note(event: kopf.RawEvent, **_: Any) -> None:
        body = event["object"]
        key = key_of(body)
        if event["type"] == "DELETED":
            if store.remove(body):
                queue.add(key)
        elif store.put(body):
            queue.add(key)

    return registry


def _kopf_settings() -> kopf.OperatorSettings:
    """Facts about kopf 1.45: no events of its own, no scanning of the cluster, a watch that notices silence."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = 300
    settings.watching.inactivity_timeout = 70
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    return settings


def to_connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    """Kopf's form of a connected configuration of the kubernetes package."""
    token = (configuration.api_key or {}).get("BearerToken")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        ca_data=configuration.ca_cert_data,
        scheme="Bearer" if token else None,
        token=token.removeprefix("Bearer ") if token else None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
