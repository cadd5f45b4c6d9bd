"""``FakeCloud``: the cloud port over memory, with a clock that the test moves.

Used by tests of everything above the port, and by anybody who wants to try the controller's logic without a cloud.
It keeps the port's promises (idempotent steps, owner's tags, operations that can be looked at, deletion that preempts)
and does no I/O. One fake serves any number of hosts; nothing but its own methods changes it.

What can be arranged: how long steps take (``durations``), that the next start of a step is refused (``refuse``), that
its next operation fails (``fail``), that nothing answers (``unreachable``), what somebody does behind our back
(``remove_machine``, ``set_power``, ``add_machine``), and that operations are forgotten (``forget_operations``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from benchhost.api.azure import PublicAddress
from benchhost.api.conditions import Reason
from benchhost.cloud.errors import AdminError, CloudError, TransientError
from benchhost.cloud.fake_clock import SettableClock
from benchhost.cloud.fake_owned import find_owned, list_owned
from benchhost.cloud.fake_resources import FakeResource, HostResources, shared_owner
from benchhost.cloud.fake_store import FakeOperation, FakeStore
from benchhost.cloud.machine import Machine, MachinePower, Observation, ObservedPart, Owner, Part, PartState
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.cloud.provider import HostRequest, OperationState, Started, Step, Verb

DEFAULT_DURATIONS: Final[Mapping[Step, timedelta]] = {
    Step(Verb.ENSURE, Part.MACHINE): timedelta(seconds=40),
    Step(Verb.DELETE, Part.MACHINE): timedelta(seconds=30),
    Step(Verb.START, Part.MACHINE): timedelta(seconds=20),
    Step(Verb.STOP, Part.MACHINE): timedelta(seconds=5),
    Step(Verb.DEALLOCATE, Part.MACHINE): timedelta(seconds=20),
    Step(Verb.RESTART, Part.MACHINE): timedelta(seconds=5),
    Step(Verb.RESIZE, Part.MACHINE): timedelta(seconds=5),
}
"""About what was seen of Azure (recordings in the tests of azure-service-operator and azure-cli); all else at once."""

_POWER_STEPS: Final[dict[Verb, tuple[MachinePower, MachinePower]]] = {
    Verb.START: (MachinePower.STARTING, MachinePower.RUNNING),
    Verb.STOP: (MachinePower.STOPPING, MachinePower.STOPPED),
    Verb.DEALLOCATE: (MachinePower.DEALLOCATING, MachinePower.DEALLOCATED),
    Verb.RESTART: (MachinePower.STARTING, MachinePower.RUNNING),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the port, as the log keeps it."""

    method: str
    owner: Owner
    step: Step | None = None
    poll_url: str | None = None


class FakeCloud:
    """Implements ``benchhost.cloud.CloudProvider``.

    Parameters
    ----------
    clock
        What time it is; operations end by it.
    durations
        How long steps take; a step that is not named is finished at once.
    retry_after
        What the cloud asks pollers to wait.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] | None = None,
        *,
        durations: Mapping[Step, timedelta] = DEFAULT_DURATIONS,
        retry_after: timedelta | None = timedelta(seconds=1),
    ) -> None:
        self._clock = clock or SettableClock()
        self._store = FakeStore(self._clock)
        self.durations = dict(durations)
        self.retry_after = retry_after
        self.calls: list[Call] = []
        self.unreachable: CloudError | None = None
        """While set, every call raises it."""
        self._refusals: dict[Step, list[CloudError]] = {}
        self._failures: dict[Step, list[CloudError]] = {}

    # What a test arranges and asks.

    def refuse(self, step: Step, error: CloudError) -> None:
        """Let the next start of this step raise the error; called again, the one after it too."""
        self._refusals.setdefault(step, []).append(error)

    def fail(self, step: Step, error: CloudError) -> None:
        """Let the next operation of this step be accepted, and fail at its end."""
        self._failures.setdefault(step, []).append(error)

    def forget_operations(self) -> None:
        """Let polls of everything that was started so far find nothing; what is under way goes on."""
        self._store.forget_operations()

    def add_machine(self, request: HostRequest, *, owner: Owner | None = None) -> None:
        """Make a running machine of the host's name that somebody else made."""
        host = HostResources(request)
        now = self._clock()
        made = host.new_machine(self._store.next_id(), now, owner=owner)
        self._store.resources[made.id] = made.ended(now)

    def add_network(self, request: HostRequest) -> None:
        """Make the network that the spec names, without tags."""
        self._store.resources[HostResources(request).id_of(Part.NETWORK)] = HostResources(request).new_network(None)

    def remove_machine(self, request: HostRequest) -> None:
        """Delete the machine, with what goes with it, behind everybody's back."""
        self._store.settle()
        self._store.remove(HostResources(request).id_of(Part.MACHINE))

    def set_power(self, request: HostRequest, power: MachinePower) -> None:
        """Change the machine's power state behind everybody's back."""
        self._store.settle()
        resource_id = HostResources(request).id_of(Part.MACHINE)
        seen = self._store.resources[resource_id]
        self._store.resources[resource_id] = seen.with_machine(power=power)

    @property
    def resource_ids(self) -> tuple[str, ...]:
        """Everything that exists, in the order of its creation."""
        self._store.settle()
        return tuple(self._store.resources)

    # The port.

    async def observe(self, request: HostRequest) -> Observation:
        """Look at everything that belongs to the host."""
        self._enter(Call("observe", request.owner))
        host, network = HostResources(request), request.spec.azure.network
        hidden = {Part.DATA_DISK}
        if network.public_address is not PublicAddress.STATIC:
            hidden.add(Part.ADDRESS)
        if network.virtual_network is None or not network.virtual_network.create:
            hidden.add(Part.NETWORK)
        found = {part: self._store.resources.get(host.id_of(part)) for part in Part if part not in hidden}
        parts = {part: self._to_part(seen) for part, seen in found.items() if seen is not None}
        machine = found[Part.MACHINE]
        if machine is None or machine.machine is None:
            return Observation(parts=parts)
        shown = replace(machine.machine, tags=dict(machine.tags), addresses=host.addresses(self._store.resources))
        return Observation(parts=parts, machine=shown)

    async def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:  # noqa: ARG002
        """Start one step. What is there now counts, whatever was seen: memory is as good as an observation."""
        self._enter(Call("start", request.owner, step=step))
        if self._refusals.get(step):
            raise self._refusals[step].pop(0)
        match step.verb:
            case Verb.ENSURE:
                return self._ensure(request, step)
            case Verb.DELETE:
                return self._delete(request, step)
            case Verb.RELEASE:
                return self._release(request, step)
            case _:
                return self._change(request, step)

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        """Look once at an operation; None when it is not known."""
        self._enter(Call("poll", request.owner, poll_url=poll_url))
        operation = self._store.operations.get(poll_url)
        return None if operation is None else operation.to_state(self.retry_after)

    async def list_owned(self, scope: Scope, cluster: str) -> list[OwnedResource]:
        """Everything in the resource group that carries this cluster's owner."""
        self._enter(Call("list_owned", Owner(cluster=cluster, namespace="", name="", uid="")))
        return list_owned(self._store, scope, cluster)

    async def delete_owned(self, resource: OwnedResource) -> Started:
        """Start to delete one resource that is still whose it was; already gone is success."""
        step = Step(Verb.DELETE, resource.part)
        self._enter(Call("delete_owned", resource.owner, step=step))
        seen = find_owned(self._store, resource)
        return Started(finished=True) if seen is None else self._remove(seen, step)

    async def close(self) -> None:
        """Nothing is held."""

    # Steps.

    def _ensure(self, request: HostRequest, step: Step) -> Started:
        host, part = HostResources(request), step.part
        seen = self._store.resources.get(host.id_of(part))
        if part is Part.DISK:
            return Started(finished=True)  # the machine brings it along
        if seen is not None and part is Part.NETWORK and seen.owner != shared_owner(request.owner):
            return Started(finished=True)
        if seen is not None:
            self._require_owned(request, seen)
            if seen.state is not PartState.FAILED:
                return Started(finished=seen.state is PartState.READY, retry_after=self.retry_after)
        new = host.new(part, self._store.next_id(), self._clock())
        if seen is not None and seen.machine is not None and seen.machine.power is not MachinePower.UNKNOWN:
            new = seen.as_ready()  # it has run before: mended, not made again
        self._require_used(new)
        if part is Part.MACHINE:
            self._store.resources.setdefault(host.id_of(Part.DISK), host.new(Part.DISK, 0, self._clock()))
        return self._begin(step, meanwhile=new.as_pending(), after=new, otherwise=new.as_failed())

    def _delete(self, request: HostRequest, step: Step) -> Started:
        seen = self._store.resources.get(HostResources(request).id_of(step.part))
        if seen is None:
            return Started(finished=True)
        self._require_owned(request, seen)
        user = self._store.user_of(seen.id)
        if user is not None and seen.state is not PartState.DELETING:
            raise TransientError(f"{seen.id} is in use by {user.id}.", code="InUse")
        return self._remove(seen, step)

    def _remove(self, seen: FakeResource, step: Step) -> Started:
        if seen.state is PartState.DELETING:
            return Started(retry_after=self.retry_after)
        self._store.preempt(seen.id)
        return self._begin(
            step, meanwhile=replace(seen, state=PartState.DELETING), after=None, otherwise=seen.as_failed()
        )

    def _release(self, request: HostRequest, step: Step) -> Started:
        seen = self._store.resources.get(HostResources(request).id_of(step.part))
        if seen is None or seen.owner is None:
            return Started(finished=True)
        self._require_owned(request, seen)
        self._store.resources[seen.id] = replace(seen, owner=None)
        return Started(finished=True)

    def _change(self, request: HostRequest, step: Step) -> Started:
        seen = self._store.resources.get(HostResources(request).id_of(step.part))
        if seen is None or seen.machine is None:
            raise TransientError(f"The {step.part} does not exist.", code="ResourceNotFound")
        if not (step.verb is Verb.TAG and seen.owner is None and request.spec.adopt):
            self._require_owned(request, seen)
        if seen.state in (PartState.PENDING, PartState.DELETING):
            raise TransientError("An operation is under way on the machine.", code="OperationNotAllowed")
        if step.verb is Verb.TAG:
            tags = {**seen.tags, **request.spec.azure.tags}
            self._store.resources[seen.id] = replace(seen, owner=request.owner, tags=tags)
            return Started(finished=True)
        if step.verb is Verb.RESIZE and seen.machine.size == request.size:
            return Started(finished=True)
        if step.verb is Verb.RESIZE:
            after = seen.as_ready().with_machine(size=request.size)
            return self._begin(step, meanwhile=seen.as_pending(), after=after, otherwise=seen.as_failed())
        return self._power(seen, seen.machine, step)

    def _power(self, seen: FakeResource, machine: Machine, step: Step) -> Started:
        if step.verb is Verb.RESTART and machine.power is not MachinePower.RUNNING:
            raise TransientError("Only a running machine can be restarted.", code="OperationNotAllowed")
        meanwhile, after = _POWER_STEPS[step.verb]
        if step.verb is Verb.STOP and machine.power is MachinePower.DEALLOCATED:
            meanwhile = after = machine.power
        return self._begin(
            step,
            meanwhile=seen.as_pending().with_machine(power=meanwhile),
            after=seen.as_ready().with_machine(power=after),
            otherwise=seen.as_failed().with_machine(power=machine.power),
        )

    def _begin(
        self, step: Step, *, meanwhile: FakeResource, after: FakeResource | None, otherwise: FakeResource
    ) -> Started:
        now, failures = self._clock(), self._failures.get(step)
        operation = FakeOperation(
            resource_id=meanwhile.id,
            start=now,
            end=now + self.durations.get(step, timedelta(0)),
            after=after,
            otherwise=otherwise,
            error=failures.pop(0) if failures else None,
        )
        url = self._store.begin(meanwhile, operation)
        if operation.is_done and operation.error is None:
            return Started(request_id=url[-4:], finished=True)
        return Started(poll_url=url, retry_after=self.retry_after, request_id=url[-4:])

    def _to_part(self, seen: FakeResource) -> ObservedPart:
        in_use = seen.part is Part.NETWORK and self._store.user_of(seen.id) is not None
        return ObservedPart(resource_id=seen.id, state=seen.state, owner=seen.owner, in_use=in_use)

    def _require_used(self, new: FakeResource) -> None:
        """Everything that a new resource needs has to be there; a disk comes with its machine."""
        known = self._store.resources
        missing = [needed for needed in new.uses if needed not in known and f"/{Part.DISK.name.lower()}/" not in needed]
        if missing:
            raise TransientError(f"{missing[0]} was not found.", code="InvalidResourceReference")

    def _require_owned(self, request: HostRequest, seen: FakeResource) -> None:
        wanted = shared_owner(request.owner) if seen.part is Part.NETWORK else request.owner
        if seen.owner != wanted:
            raise AdminError(f"{seen.id} is not this host's; it was left alone.", reason=Reason.NOT_OWNED)

    def _enter(self, call: Call) -> None:
        self.calls.append(call)
        if self.unreachable is not None:
            raise self.unreachable
        self._store.settle()
