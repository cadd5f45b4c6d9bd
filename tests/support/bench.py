"""A controller without its watch, on a real API server with the in-memory cloud and a clock that the test moves.

Used by tests that call each pass by hand, so that a crash can be put between any two calls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from kubernetes.aio.client import ApiClient, CustomObjectsApi
from kubernetes.aio.client.exceptions import ApiException

from benchhost.api import BenchHost, is_true
from benchhost.api.conditions import ConditionType
from benchhost.api.names import GROUP, PLURAL, VERSION
from benchhost.cloud import (
    GuestSecrets,
    HostRequest,
    Observation,
    OperationState,
    OwnedResource,
    Owner,
    Scope,
    Started,
    Step,
)
from benchhost.cloud.fake import FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from benchhost.cloud.fake_resources import FakeResource
from benchhost.controller.api_server import ApiServer
from benchhost.controller.holders import Holders
from benchhost.controller.hosts import Hosts
from benchhost.controller.key_reads import KeyReads, console_reader
from benchhost.controller.probes import ReadinessProbes
from benchhost.controller.providers import Providers
from benchhost.controller.reconciler import Reconciler
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore
from benchhost.controller.surroundings import Surroundings
from support.builders import azure_spec
from support.stack import Kubectl

NAME = "pg-1"
_SETTINGS = ControllerSettings(poll_interval=timedelta(seconds=75))
"""A look in 15 s, as the fake cloud wants it: looks that show nothing are no more passes to go through."""


class CrashError(BaseException):
    """The process ends here: nothing may catch it."""


@dataclass
class Counter:
    """Counts calls and crashes at one of them, before or after it takes effect."""

    crash_at: int | None = None
    after: bool = False
    calls: int = 0

    async def __call__(self, call: Callable[[], Awaitable[Any]]) -> Any:
        self.calls += 1
        doomed = self.calls == self.crash_at
        if doomed and not self.after:
            raise CrashError
        answer = await call()
        if doomed:
            raise CrashError
        return answer


@dataclass
class CountedCloud:
    """The cloud behind a counter."""

    cloud: FakeCloud
    counter: Counter

    async def observe(self, request: HostRequest) -> Observation:
        seen: Observation = await self.counter(lambda: self.cloud.observe(request))
        return seen

    async def require_turn(self, request: HostRequest, step: Step, seen: Observation) -> None:
        await self.cloud.require_turn(request, step, seen)

    async def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        started: Started = await self.counter(lambda: self.cloud.start(request, step, seen))
        return started

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        state: OperationState | None = await self.counter(lambda: self.cloud.poll(request, poll_url))
        return state

    async def read_console(self, request: HostRequest, *, whole: bool = False) -> str | None:
        return await self.cloud.read_console(request, whole=whole)

    async def list_owned(self, scope: Scope, cluster: str) -> list[OwnedResource]:
        return await self.cloud.list_owned(scope, cluster)

    async def delete_owned(self, resource: OwnedResource) -> Started:
        return await self.cloud.delete_owned(resource)

    async def close(self) -> None:
        await self.cloud.close()


class CountedHosts(Hosts):
    """Writes behind the same counter."""

    counter: Counter

    async def _patch(self, *arguments: Any, **keywords: Any) -> None:
        await self.counter(lambda: super(CountedHosts, self)._patch(*arguments, **keywords))


@dataclass
class Bench:
    """One namespace, one cloud, and a controller that can be made anew."""

    client: ApiClient
    kubectl: Kubectl
    clock: SettableClock = field(default_factory=SettableClock)
    counter: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.cloud = FakeCloud(self.clock, retry_after=timedelta(seconds=15))
        self.restart()

    def restart(self) -> None:
        """A new process: nothing but the API server and the cloud is remembered."""
        self.store = HostStore()
        server = ApiServer(self.client)
        hosts = CountedHosts(server, self.store)
        hosts.counter = self.counter
        provider = CountedCloud(self.cloud, self.counter)
        providers = Providers(hosts, lambda *_: provider, own=lambda: provider, own_namespaces=("*",))
        self.reconciler = Reconciler(
            self.store,
            hosts,
            providers=providers,
            surroundings=self.surroundings(server, providers),
            cluster="cluster-1",
            settings=_SETTINGS,
            clock=self.clock,
        )

    def surroundings(self, server: ApiServer, providers: Providers) -> Surroundings:
        """Leases, guests and consoles; nobody is woken by them, as every pass is called by hand."""
        self.probes = ReadinessProbes(lambda _: None, clock=self.clock)
        read = console_reader(self.store, providers, cluster="cluster-1")
        self.keys = KeyReads(read, lambda _: None, first_pause=0.01)
        return Surroundings(Holders(server, clock=self.clock), self.probes, self.keys)

    async def close(self) -> None:
        """End what goes on beside the passes."""
        await self.probes.close()
        await self.keys.close()

    def create(self, **spec: Any) -> None:
        self.kubectl.apply(
            {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": "BenchHost",
                "metadata": {"name": NAME},
                "spec": {"azure": azure_spec(), **spec},
            }
        )

    async def make(self, azure: Mapping[str, Any], **spec: Any) -> None:
        """The same as ``create`` without kubectl, for those who make many."""
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "BenchHost",
            "metadata": {"name": NAME},
            "spec": {"azure": dict(azure), **spec},
        }
        await self._objects.create_namespaced_custom_object(*self._at, body)

    async def patch(self, spec: Mapping[str, Any]) -> None:
        """Merge into the host's spec."""
        await self._objects.patch_namespaced_custom_object(
            *self._at, NAME, {"spec": spec}, _content_type="application/merge-patch+json"
        )

    async def wipe(self) -> None:
        """Take away what an earlier life may have left, without asking anybody."""
        if await self.read() is not None:
            await self._objects.patch_namespaced_custom_object(
                *self._at, NAME, {"metadata": {"finalizers": None}}, _content_type="application/merge-patch+json"
            )
        if await self.read() is not None:
            await self.delete()

    async def delete(self) -> None:
        """Ask for the host's deletion."""
        await self._objects.delete_namespaced_custom_object(*self._at, NAME)

    @property
    def _objects(self) -> CustomObjectsApi:
        return CustomObjectsApi(self.client)

    @property
    def _at(self) -> tuple[str, str, str, str]:
        return (GROUP, VERSION, self.kubectl.namespace, PLURAL)

    async def read(self) -> dict[str, Any] | None:
        while True:
            try:
                found = await self._objects.list_namespaced_custom_object(*self._at)
            except ApiException as error:
                if error.status != HTTPStatus.TOO_MANY_REQUESTS:
                    raise
                await asyncio.sleep(0.1)  # the API server prepares its storage anew when a CRD has just been applied
            else:
                return next(iter(found["items"]), None)

    async def host(self) -> BenchHost:
        body = await self.read()
        assert body is not None
        return BenchHost.from_dict(body)

    async def step(self) -> float | None:
        """One pass over what the watch would have shown; moves the clock to when the next one is due."""
        body = await self.read()
        if body is None:
            return None
        self.store.put(body)
        delay = await self.reconciler.reconcile((self.kubectl.namespace, NAME))
        self.clock.advance(timedelta(seconds=min(delay or 0.0, 900.0)))
        return delay

    async def settle(self, *, passes: int = 40) -> None:
        """Passes until nothing more is to be done; a crash starts the controller anew."""
        for _ in range(passes):
            try:
                await self.step()
            except CrashError:
                self.restart()
            body = await self.read()
            if body is None:
                return
            host = BenchHost.from_dict(body)
            done = is_true(host.status.conditions, ConditionType.SYNCED, generation=host.metadata.generation)
            if done and not host.is_deleting:
                return
        raise AssertionError(f"not settled after {passes} passes: {await self.read()}")

    async def request(self) -> HostRequest:
        host = await self.host()
        meta = host.metadata
        owner = Owner(cluster="cluster-1", namespace=meta.namespace, name=meta.name, uid=meta.uid)
        return HostRequest(owner=owner, spec=host.spec, size=host.spec.azure.sizes[0], secrets=GuestSecrets())

    def machines_made(self) -> int:
        return sum(1 for resource in self.cloud.resource_ids if "machine" in resource.lower())

    def hardware(self) -> int | None:
        """What the host's machine runs on, as only the cloud knows; None without a machine."""
        machines = [resource for resource in self.owned() if resource.machine is not None]
        return machines[0].hardware if machines else None

    def owned(self) -> list[FakeResource]:
        """Everything in the cloud that carries the tags of a host or of this cluster."""
        _ = self.cloud.resource_ids  # what is due ends first
        return [resource for resource in self.cloud._store.resources.values() if resource.owner is not None]

    def end_trouble(self) -> None:
        """From now on nothing is refused, fails or is full."""
        self.cloud.unreachable = None
        steps = self.cloud._steps
        steps.refusals.clear()
        steps.failures.clear()
        steps.full.clear()
