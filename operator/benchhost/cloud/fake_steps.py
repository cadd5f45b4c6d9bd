"""The steps of the in-memory cloud: what each asks of the resources that exist, and how it can be refused.

Part of ``benchhost.cloud.fake``; nobody else needs it. Whose a part is and whether there is anything to do is told by
the observation that a step is started on; whether it can be done, by what exists now, as in a cloud.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.cloud.errors import AdminError, CapacityError, CloudError, DeferredError, TerminalError, TransientError
from benchhost.cloud.fake_resources import FakeResource, HostResources, shared_owner
from benchhost.cloud.fake_store import FakeOperation, FakeStore
from benchhost.cloud.machine import MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest, Started, Step, Verb, makes_interface_with_machine
from benchhost.cloud.tags import merge_tags, to_user_tags

_FINISHED: Final = Started(finished=True)
_POWER_STEPS: Final[dict[Verb, tuple[MachinePower, MachinePower]]] = {
    Verb.START: (MachinePower.STARTING, MachinePower.RUNNING),
    Verb.STOP: (MachinePower.STOPPING, MachinePower.STOPPED),
    Verb.DEALLOCATE: (MachinePower.DEALLOCATING, MachinePower.DEALLOCATED),
    Verb.HIBERNATE: (MachinePower.DEALLOCATING, MachinePower.DEALLOCATED),
    Verb.RESTART: (MachinePower.STARTING, MachinePower.RUNNING),
}
_ONLY_RUNNING: Final = frozenset({Verb.RESTART, Verb.HIBERNATE})


class FakeSteps:
    """Starts steps.

    Parameters
    ----------
    store
        What exists and what is under way.
    durations
        How long steps take, by verb and part; one that is not named is finished at once.
    retry_after
        What the cloud asks pollers to wait.
    """

    def __init__(self, store: FakeStore, *, durations: Mapping[Step, timedelta], retry_after: timedelta | None) -> None:
        self._store = store
        self._durations = durations
        self._retry_after = retry_after
        self.refusals: dict[Step, list[CloudError | DeferredError]] = {}
        self.failures: dict[Step, list[CloudError]] = {}
        self.full: set[tuple[str, str | None]] = set()
        """Sizes without room, with the zone; with None everywhere."""
        self.forced_tags: dict[str, str] = {}
        """What a policy makes of tags that are set."""

    def require_turn(self, step: Step) -> None:
        """Raise the next refusal of a step if it says that its turn has not come."""
        refusals = self.refusals.get(step)
        if refusals and isinstance(refusals[0], DeferredError):
            raise refusals.pop(0)

    def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        """Start a step on what was observed."""
        if self.refusals.get(step):
            raise self.refusals[step].pop(0)
        part = seen.get(step.part, step.lun)
        match step.verb:
            case Verb.ENSURE:
                return self._ensure(request, step, part)
            case Verb.DELETE:
                return self._delete(request, step, part)
            case Verb.RELEASE:
                return self._release(request, step, part)
            case Verb.TAG:
                return self._tag(request, step, part)
            case Verb.RESIZE:
                return self._resize(request, step, seen)
            case Verb.UPDATE:
                return self._update(request, step, part)
            case _:
                return self._power(request, step, part)

    def _ensure(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        if step.part is Part.DISK or step.part in HostResources(request).brought_along:
            return _FINISHED  # the machine brings it along
        if step.part is Part.DATA_DISK:
            return self._grow(request, step, part)
        if part is None:
            return self._create(request, step)
        if step.part is Part.NETWORK and part.owner != shared_owner(request.owner):
            return _FINISHED
        self._require_owned(request, step, part)
        if part.state is not PartState.FAILED:
            return Started(finished=part.state is PartState.READY, retry_after=self._retry_after)
        now = self._existing(part)
        is_unmade = now.machine is None or now.machine.power is MachinePower.UNKNOWN
        if is_unmade and not makes_interface_with_machine(request.spec.azure):
            return self._make(request, step)
        return self._begin(step, meanwhile=now.as_pending(), after=now.as_ready(), otherwise=now.as_failed())

    def _create(self, request: HostRequest, step: Step) -> Started:
        host = HostResources(request)
        there = self._store.resources.get(host.id_of(step.part))
        if there is not None:
            raise TransientError(f"{there.id} was made in the meantime.", code="PreconditionFailed")
        for disk in host.new_disks() if step.part is Part.MACHINE else ():
            if disk.id in self._store.resources:
                raise TransientError(f"{disk.id} exists already.", code="ConflictingUserInput")
        return self._make(request, step)

    def _make(self, request: HostRequest, step: Step) -> Started:
        """A part that does not exist, or whose creation failed."""
        host = HostResources(request)
        new = host.new(step.part, self._store.next_id(), self._store.clock())
        brought = self._brought_along(host) if step.part is Part.MACHINE else ()
        own = {resource.id for resource in brought}
        needed = (used for resource in (new, *brought) for used in resource.uses)
        missing = [used for used in needed if used not in self._store.resources and used not in own]
        if missing:
            raise TransientError(f"{missing[0]} was not found.", code="InvalidResourceReference")
        if step.part is Part.MACHINE and self._is_full(request.size, request.zone):
            raise CapacityError(f"There is no room for {request.size}.", code="SkuNotAvailable")
        for resource in brought:
            self._store.resources.setdefault(resource.id, resource)
        return self._begin(step, meanwhile=new.as_pending(), after=new, otherwise=new.as_failed())

    def _brought_along(self, host: HostResources) -> tuple[FakeResource, ...]:
        """What comes with a new machine: it stays when the creation fails, and goes when the machine goes."""
        made = (host.new(part, self._store.next_id(), self._store.clock()) for part in host.brought_along)
        return (*made, *host.new_disks())

    def _grow(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        now = self._owned(request, step, part)
        wanted = next((disk.size_gib for disk in request.spec.azure.data_disks if disk.lun == step.lun), 0)
        if (now.size_gib or 0) >= wanted:
            return _FINISHED
        after = replace(now, size_gib=wanted, state=PartState.READY)
        return self._begin(step, meanwhile=now.as_pending(), after=after, otherwise=now.as_failed())

    def _delete(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        if part is None:
            return _FINISHED
        self._require_owned(request, step, part)
        now = self._store.resources.get(part.resource_id)
        if now is None:
            return _FINISHED
        user = self._store.user_of(now.id)
        if user is not None and now.state is not PartState.DELETING:
            raise TransientError(f"{now.id} is in use by {user.id}.", code="InUse")
        return self.remove(now, step)

    def remove(self, now: FakeResource, step: Step) -> Started:
        """Begin the end of a resource, pushing aside what is under way on it."""
        if now.state is PartState.DELETING:
            return Started(retry_after=self._retry_after)
        self._store.preempt(now.id)
        meanwhile = replace(now, state=PartState.DELETING)
        return self._begin(step, meanwhile=meanwhile, after=None, otherwise=now.as_failed())

    def _release(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        if part is None or part.owner is None:
            return _FINISHED
        now = self._owned(request, step, part)
        self._store.resources[now.id] = replace(now, owner=None)
        return _FINISHED

    def _tag(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        is_adopted = part is not None and part.owner is None and request.spec.adopt
        now = self._existing(part) if is_adopted else self._owned(request, step, part)
        self._require_idle(now)
        if is_adopted and now.owner is not None:
            raise TransientError(f"{now.id} has changed since it was seen.", code="PreconditionFailed")
        tags = merge_tags(merge_tags(now.tags, to_user_tags(request.spec.azure.tags)), self.forced_tags)
        self._store.resources[now.id] = replace(now, owner=request.owner, tags=tags)
        return _FINISHED

    def _resize(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        now = self._owned(request, step, seen.get(Part.MACHINE))
        if seen.machine is not None and seen.machine.size == request.size:
            return _FINISHED
        self._require_idle(now)
        is_allocated = now.machine is not None and now.machine.power is not MachinePower.DEALLOCATED
        if is_allocated and self._is_full(request.size, now.machine.zone if now.machine else None):
            raise CapacityError(
                f"{request.size} is not to be had where the machine is now.",
                code="OperationNotAllowed",
                reason=Reason.DEALLOCATION_NEEDED,
                retry_after=timedelta(0),
            )
        after = now.as_ready().with_machine(size=request.size)
        return self._begin(step, meanwhile=now.as_pending(), after=after, otherwise=now.as_failed())

    def _update(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        now, host = self._owned(request, step, part), HostResources(request)
        after = host.updated(now, self._store.ids_of(request.owner))
        if after == now:
            return _FINISHED
        self._require_idle(now)
        for disk in request.spec.azure.data_disks:
            new = host.new_data_disk(disk)
            if self._store.resources.setdefault(new.id, new).owner != request.owner:
                raise TransientError(f"{new.id} exists already.", code="ConflictingUserInput")
        return self._begin(step, meanwhile=now.as_pending(), after=after.as_ready(), otherwise=now.as_failed())

    def _power(self, request: HostRequest, step: Step, part: ObservedPart | None) -> Started:
        now = self._owned(request, step, part)
        power = now.machine.power if now.machine is not None else MachinePower.UNKNOWN
        self._require_idle(now)
        if step.verb is Verb.DEALLOCATE and request.spec.azure.os_disk.ephemeral:
            raise TerminalError("A machine with an ephemeral disk has no disk to keep.", code="OperationNotAllowed")
        if step.verb is Verb.HIBERNATE and not request.spec.azure.hibernation:
            raise TerminalError("The machine was not made to hibernate.", code="OperationNotAllowed")
        if step.verb in _ONLY_RUNNING and power is not MachinePower.RUNNING:
            raise TransientError(f"Only a running machine can {step.verb}.", code="OperationNotAllowed")
        meanwhile, after = _POWER_STEPS[step.verb]
        if step.verb is Verb.STOP and power is MachinePower.DEALLOCATED:
            meanwhile = after = power
        is_allocation = step.verb is Verb.START and power is MachinePower.DEALLOCATED
        hardware = self._store.next_id() if is_allocation else now.hardware
        return self._begin(
            step,
            meanwhile=now.as_pending().with_machine(power=meanwhile),
            after=replace(now.as_ready().with_machine(power=after), hardware=hardware),
            otherwise=now.as_failed().with_machine(power=power),
            error=self._allocation_error(now) if is_allocation else None,
        )

    def _begin(
        self,
        step: Step,
        *,
        meanwhile: FakeResource,
        after: FakeResource | None,
        otherwise: FakeResource,
        error: CloudError | None = None,
    ) -> Started:
        now, failures = self._store.clock(), self.failures.get(step)
        operation = FakeOperation(
            resource_id=meanwhile.id,
            start=now,
            end=now + self._durations.get(Step(step.verb, step.part), timedelta(0)),
            after=after,
            otherwise=otherwise,
            error=failures.pop(0) if failures else error,
        )
        url = self._store.begin(meanwhile, operation)
        if operation.is_done and operation.error is None:
            return Started(request_id=url[-4:], finished=True)
        return Started(poll_url=url, retry_after=self._retry_after, request_id=url[-4:])

    def _is_full(self, size: str, zone: str | None) -> bool:
        return not self.full.isdisjoint({(size, None), (size, zone)})

    def _allocation_error(self, now: FakeResource) -> CloudError | None:
        if now.machine is None or not self._is_full(now.machine.size, now.machine.zone):
            return None
        return CapacityError(f"There is no room for {now.machine.size}.", code="AllocationFailed")

    def _owned(self, request: HostRequest, step: Step, part: ObservedPart | None) -> FakeResource:
        if part is not None:
            self._require_owned(request, step, part)
        return self._existing(part)

    def _existing(self, part: ObservedPart | None) -> FakeResource:
        now = self._store.resources.get(part.resource_id) if part is not None else None
        if now is None:
            raise TransientError("The part does not exist.", code="ResourceNotFound")
        return now

    def _require_owned(self, request: HostRequest, step: Step, part: ObservedPart) -> None:
        wanted = shared_owner(request.owner) if step.part is Part.NETWORK else request.owner
        if part.owner != wanted:
            raise AdminError(f"{part.resource_id} is not this host's; it was left alone.", reason=Reason.NOT_OWNED)

    def _require_idle(self, now: FakeResource) -> None:
        if now.state in (PartState.PENDING, PartState.DELETING):
            raise TransientError("An operation is under way on it.", code="OperationNotAllowed")
