"""What the controller counts, for Prometheus.

Made once by the process and handed to whoever has something to count: the registry is its own, nothing is global.
Counting costs no I/O; numbers of hosts and of waiting work are taken when somebody asks. Labels are short lists of
words, never names of objects.
"""

import time
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from benchhost.api.conditions import ConditionType
from benchhost.api.host import BenchHost
from benchhost.api.status import BenchHostStatus, FailureClass, OperationType, Phase
from benchhost.cloud.errors import CloudError, DeferredError
from benchhost.cloud.machine import Observation, Part
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.cloud.provider import CloudProvider, HostRequest, OperationState, Started, Step
from benchhost.controller.changes import finished_since, has_become_true, has_failed_again
from benchhost.controller.store import Key

_CLOUD_SECONDS: Final = (1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800)
"""From a stop (5 s) over a creation (45 s) to the time-outs of the API (30 minutes)."""
_WORK_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""A pass is a few requests; one to the cloud takes 0.3 to 3.6 s (recorded, azure-service-operator)."""


class Metrics:
    """Everything that is counted.

    Parameters
    ----------
    bodies
        Gives the raw BenchHosts that are known.
    queue
        Its length is how many hosts wait for a worker.
    version
        Of this package.
    """

    def __init__(self, bodies: Callable[[], Iterable[Mapping[str, Any]]], queue: Sized, *, version: str) -> None:
        registry = self.registry = CollectorRegistry()
        registry.register(_Hosts(bodies))
        ProcessCollector(registry=registry)
        Info("benchhost_build", "The running version.", registry=registry).info({"version": version})
        Gauge("benchhost_queue_depth", "Hosts that wait for a worker.", registry=registry).set_function(
            lambda: len(queue)
        )
        self._work = Histogram(
            "benchhost_work_seconds", "Length of one pass.", buckets=_WORK_SECONDS, registry=registry
        )
        self._operations = Histogram(
            "benchhost_operation_seconds",
            "Length of finished operations, by the cloud's clock where it tells.",
            ["type", "result"],
            buckets=_CLOUD_SECONDS,
            registry=registry,
        )
        self._ready = Histogram(
            "benchhost_time_to_ready_seconds",
            "From a BenchHost's creation until it is Ready for the first time.",
            buckets=_CLOUD_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "benchhost_cloud_requests",
            "Calls of a cloud, by how they ended: Succeeded, Deferred, or the class of the error.",
            ["operation", "result"],
            registry=registry,
        )
        self._errors = Counter(
            "benchhost_reconcile_errors", "Passes that failed, by the class of the error.", ["class"], registry=registry
        )
        self._orphans = Gauge(
            "benchhost_orphans", "Cloud resources without BenchHost at the last look.", ["kind"], registry=registry
        )
        self._dropped = Counter("benchhost_events_dropped", "Events that were not written.", registry=registry)
        for failure in FailureClass:
            self._errors.labels(failure)

    def record_change(self, before: BenchHost, after: BenchHostStatus, *, now: datetime) -> None:
        """Count what is different in this status."""
        for entry in finished_since(before.status, after):
            self._operations.labels(entry.type, entry.result).observe(entry.seconds)
        if after.failure is not None and has_failed_again(before.status.failure, after.failure):
            self._errors.labels(after.failure.failure_class).inc()
        created = before.metadata.creation_timestamp
        if created is not None and _is_ready_at_last(before.status, after):
            self._ready.observe((now - created).total_seconds())

    def record_drop(self) -> None:
        """Count an Event that is not written."""
        self._dropped.inc()

    def set_orphans(self, counts: Mapping[str, int]) -> None:
        """Take over how many orphans there are of each kind; of those not named there are none."""
        for part in Part:
            self._orphans.labels(part).set(counts.get(part, 0))

    def timed(self, handle: Callable[[Key], Awaitable[float | None]]) -> Callable[[Key], Awaitable[float | None]]:
        """The same handler of keys, with each pass timed."""

        async def handle_timed(key: Key) -> float | None:
            began = time.perf_counter()
            try:
                return await handle(key)
            finally:
                self._work.observe(time.perf_counter() - began)

        return handle_timed

    def metered(self, provider: CloudProvider) -> CloudProvider:
        """The same provider, with each call counted."""
        return MeteredProvider(provider, self._count)

    def _count(self, operation: str, result: str) -> None:
        self._requests.labels(operation, result).inc()


class MeteredProvider:
    """Implements ``benchhost.cloud.CloudProvider`` over another one, and counts its calls.

    Parameters
    ----------
    provider
        Does the work.
    count
        Called with operation and result of each call.
    """

    def __init__(self, provider: CloudProvider, count: Callable[[str, str], None]) -> None:
        self._provider = provider
        self._count = count

    async def observe(self, request: HostRequest) -> Observation:
        """Look at everything that belongs to the host."""
        with self._counted("observe"):
            return await self._provider.observe(request)

    async def require_turn(self, request: HostRequest, step: Step, seen: Observation) -> None:
        """Line up to start a step; nothing is asked of the cloud, so nothing is counted."""
        await self._provider.require_turn(request, step, seen)

    async def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        """Start one step."""
        with self._counted(f"{step.verb.name}_{step.part.name}".lower()):
            return await self._provider.start(request, step, seen)

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        """Look once at an operation."""
        with self._counted("poll"):
            return await self._provider.poll(request, poll_url)

    async def read_console(self, request: HostRequest, *, whole: bool = False) -> str | None:
        """What the machine wrote to its serial console."""
        with self._counted("read_console"):
            return await self._provider.read_console(request, whole=whole)

    async def list_owned(self, scope: Scope, cluster: str) -> list[OwnedResource]:
        """What this cluster owns there."""
        with self._counted("list_owned"):
            return await self._provider.list_owned(scope, cluster)

    async def delete_owned(self, resource: OwnedResource) -> Started:
        """Start to delete a resource that is still its owner's."""
        with self._counted("delete_owned"):
            return await self._provider.delete_owned(resource)

    async def close(self) -> None:
        """Give back connections."""
        await self._provider.close()

    @contextmanager
    def _counted(self, operation: str) -> Iterator[None]:
        try:
            yield
        except CloudError as error:
            self._count(operation, error.failure_class)
            raise
        except DeferredError:
            self._count(operation, "Deferred")
            raise
        self._count(operation, "Succeeded")


class _Hosts(Collector):
    """Hosts by phase, counted when asked for; a phase that no host is in has a zero, so that its series goes on."""

    def __init__(self, bodies: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._bodies = bodies

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The one family."""
        phases = Tally(_phase_of(body) for body in self._bodies())
        family = GaugeMetricFamily("benchhost_hosts", "BenchHosts by phase.", labels=["phase"])
        for phase in Phase:
            family.add_metric([phase], phases[phase])
        yield family


def _phase_of(body: Mapping[str, Any]) -> str:
    return str((body.get("status") or {}).get("phase") or Phase.PENDING)


def _is_ready_at_last(before: BenchHostStatus, after: BenchHostStatus) -> bool:
    """Whether the host is Ready for the first time: nothing but its provisioning has ever happened to it."""
    only_made = all(entry.type in (OperationType.PROVISION, OperationType.UPDATE) for entry in after.history)
    first_epoch = after.placement is not None and after.placement.epoch == 1
    return only_made and first_epoch and has_become_true(ConditionType.READY, before, after)
