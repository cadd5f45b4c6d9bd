"""The controller process: kopf for the watch, the login and the liveness probe; our queue and reconciler inside.

Called by ``benchhost operator run``. kopf's handlers here only fill the store and the queue: they return nothing, set
no patch and wait for nothing, and an object that is gone only means that its key is forgotten.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import kopf
from kubernetes.aio.client import ApiClient, Configuration, CustomObjectsApi
from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.names import GROUP, PLURAL, VERSION
from benchhost.controller.api_server import ApiServer
from benchhost.controller.events import EventRecorder
from benchhost.controller.holders import Holders
from benchhost.controller.hosts import Hosts
from benchhost.controller.probes import ReadinessProbes
from benchhost.controller.providers import Providers
from benchhost.controller.reconciler import Reconciler
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore, Key, key_of
from benchhost.controller.surroundings import Surroundings
from benchhost.controller.work_queue import WorkQueue, work

_log = logging.getLogger(__name__)

_DRAIN_SECONDS = 5.0
"""How long passes that are under way may take to end after the watch has stopped; losing one loses nothing."""

_CONNECTIONS = 8
"""To the API server, beside the watch: at some 5 ms a write they carry far more than a controller writes."""

ProvidersFactory = Callable[[Hosts], Providers]
Login = Callable[[], Awaitable[Configuration]]


async def run(settings: ControllerSettings, login: Login, make_providers: ProvidersFactory) -> None:
    """Run the controller until it is told to stop by a signal, or until the watch or a worker dies.

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
    configuration = await login()
    configuration.connection_pool_maxsize = _CONNECTIONS
    async with ApiClient(configuration) as client:
        await check_installation(client, settings)
        store = HostStore()
        queue: WorkQueue[Key] = WorkQueue()
        server = ApiServer(client, lambda: _renew(client, login))
        hosts = Hosts(server, store)
        providers = make_providers(hosts)
        probes = ReadinessProbes(queue.add)
        events = EventRecorder(server)
        reconciler = Reconciler(
            store,
            hosts,
            providers=providers,
            surroundings=Surroundings(Holders(server), probes),
            cluster=await hosts.read_cluster_id(),
            settings=settings,
            on_change=events.record_change,
        )
        workers = [asyncio.create_task(work(queue, reconciler.reconcile)) for _ in range(settings.workers)]
        speaker = asyncio.create_task(events.run())
        try:
            watch = _watch(settings, _registry(settings, store, queue, login))
            await _run_together(asyncio.create_task(watch), workers)
        finally:
            queue.close()
            await _drain(workers)
            await probes.close()
            await _say_the_rest(events, speaker)
            await providers.close()


async def _renew(client: ApiClient, login: Login) -> None:
    """Take over a token that has been replaced in the kubeconfig or in the pod since."""
    client.configuration.api_key = (await login()).api_key


class InstallationError(Exception):
    """The controller cannot work in this cluster as it is; the message says what to do."""


async def check_installation(client: ApiClient, settings: ControllerSettings) -> None:
    """See that BenchHosts can be listed, so that a missing CRD or role is a sentence and not a silence.

    Raises
    ------
    InstallationError
        If they cannot.
    """
    objects = CustomObjectsApi(client)
    try:
        if settings.namespaces:
            for namespace in settings.namespaces:
                await objects.list_namespaced_custom_object(
                    GROUP, VERSION, namespace, PLURAL, limit=1, _request_timeout=10
                )
        else:
            await objects.list_cluster_custom_object(GROUP, VERSION, PLURAL, limit=1, _request_timeout=10)
    except ApiException as error:
        raise InstallationError(_why_refused(error)) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        where = client.configuration.host
        raise InstallationError(
            f"The API server at {where} cannot be reached ({str(error) or type(error).__name__}); "
            "check the kubeconfig and that the server runs."
        ) from error


def _why_refused(error: ApiException) -> str:
    match error.status:
        case 404:
            return f"The cluster has no {PLURAL}.{GROUP}; install the CRD with: kubectl apply -f crds/"
        case 401:
            return "The API server does not accept the controller's credentials; check the kubeconfig or token."
        case 403:
            return f"The controller may not list {PLURAL}.{GROUP}; give its ServiceAccount the roles of manifests/base."
        case _:
            return f"The API server refused a list of {PLURAL}.{GROUP}: HTTP {error.status} {error.reason}."


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


async def _run_together(watch: asyncio.Task[None], workers: list[asyncio.Task[None]]) -> None:
    """Until the watch ends; a worker that dies ends the watch, and so the process."""
    await asyncio.wait([watch, *workers], return_when=asyncio.FIRST_COMPLETED)
    dead = [worker for worker in workers if worker.done()]
    if not watch.done():
        watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch
    for worker in dead:
        worker.result()


async def _say_the_rest(events: EventRecorder, speaker: asyncio.Task[None]) -> None:
    """Let Events that wait be written; what cannot be written in time is dropped, as an Event may always be."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(events.drain(), _DRAIN_SECONDS)
    speaker.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await speaker


async def _drain(workers: list[asyncio.Task[None]]) -> None:
    """Let passes end; what does not end in time is cut off, which is the same as a crash there."""
    _, late = await asyncio.wait(workers, timeout=_DRAIN_SECONDS)
    for worker in late:
        worker.cancel()
    if late:
        await asyncio.wait(late)


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
                queue.add(key)  # so that what it used is closed, after any pass that is under way
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
