"""``FakeCloud``: the cloud port over memory, with a clock that the test moves.

Used by tests of everything above the port, and by anybody who wants to try the controller's logic without a cloud.
It keeps the port's promises (idempotent steps on what was seen, owner's tags, operations that can be looked at,
deletion that preempts) and does no I/O. One fake serves any number of hosts; nothing but its own methods changes it.

What can be arranged: how long steps take (``durations``), that the next start of a step is refused (``refuse``), that
its next operation fails (``fail``), that a size has no room (``no_room``), that tags are set otherwise
(``force_tags``), that nothing answers (``unreachable``), that looks have to wait (``delay_looks``) or may show the past
(``freeze_looks``), what somebody does behind our back (``remove_machine``, ``set_power``, ``evict``, ``add_machine``),
what the console shows (``set_console``), and that operations are forgotten (``forget_operations``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from benchhost.api.azure import EvictionPolicy
from benchhost.cloud.errors import CloudError, DeferredError
from benchhost.cloud.fake_clock import SettableClock
from benchhost.cloud.fake_owned import find_owned, list_owned
from benchhost.cloud.fake_resources import HostResources
from benchhost.cloud.fake_steps import FakeSteps
from benchhost.cloud.fake_store import FakeStore
from benchhost.cloud.fake_view import observe
from benchhost.cloud.machine import MachinePower, Observation, Owner, Part
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
    Step(Verb.HIBERNATE, Part.MACHINE): timedelta(seconds=20),
    Step(Verb.UPDATE, Part.MACHINE): timedelta(seconds=9),
}
"""About what was seen of Azure (recordings in the tests of azure-service-operator and azure-cli); all else at once."""


_CONSOLE_END: Final = 64 * 1024
"""Characters of a console that are its end."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the port, as the log keeps it."""

    method: str
    owner: Owner
    step: Step | None = None
    poll_url: str | None = None
    not_before: datetime | None = None


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
        self._steps = FakeSteps(self._store, durations=self.durations, retry_after=retry_after)
        self._retry_after = retry_after
        self._consoles: dict[Owner, str] = {}
        self.calls: list[Call] = []
        self.unreachable: CloudError | None = None
        """While set, every call raises it."""
        self._turns: list[DeferredError] = []
        self._frozen: dict[Owner, Observation] = {}

    # What a test arranges and asks.

    def refuse(self, step: Step, error: CloudError | DeferredError) -> None:
        """Let the next start of this step raise the error; called again, the one after it too."""
        self._steps.refusals.setdefault(step, []).append(error)

    def fail(self, step: Step, error: CloudError) -> None:
        """Let the next operation of this step be accepted, and fail at its end."""
        self._steps.failures.setdefault(step, []).append(error)

    def delay_looks(self, *turns: DeferredError) -> None:
        """Let the next looks at hosts wait for their turn, one after the other."""
        self._turns.extend(turns)

    def freeze_looks(self, request: HostRequest) -> None:
        """Let looks at this host show it as it is now, but for those that say how old they may be."""
        self._store.settle()
        self._frozen[request.owner] = replace(observe(self._store, request), as_of=self._clock())

    def force_tags(self, tags: Mapping[str, str]) -> None:
        """Let a policy set these tags, whatever anybody asks for."""
        self._steps.forced_tags = dict(tags)

    def forget_operations(self) -> None:
        """Let polls of everything that was started so far find nothing; what is under way goes on."""
        self._store.forget_operations()

    def add_machine(self, request: HostRequest, *, owner: Owner | None = None, **brought: Any) -> None:
        """Make a running machine of the host's name that somebody else made; ``brought`` is what ``Machine`` has."""
        host = HostResources(request)
        now = self._clock()
        made = host.new_machine(self._store.next_id(), now, owner=owner).with_machine(**brought)
        self._store.resources[made.id] = made.ended(now)

    def add_network(self, request: HostRequest) -> None:
        """Make the network that the spec names, without tags."""
        self._store.resources[HostResources(request).id_of(Part.NETWORK)] = HostResources(request).new_network(None)

    def remove_machine(self, request: HostRequest, *, keep_disks: bool = False) -> None:
        """Delete the machine, with what goes with it, behind everybody's back; its disks may stay."""
        self._store.settle()
        kept = frozenset({Part.DISK, Part.DATA_DISK} if keep_disks else ())
        self._store.remove(HostResources(request).id_of(Part.MACHINE), kept=kept)

    def set_power(self, request: HostRequest, power: MachinePower) -> None:
        """Change the machine's power state behind everybody's back."""
        self._store.settle()
        resource_id = HostResources(request).id_of(Part.MACHINE)
        seen = self._store.resources[resource_id]
        self._store.resources[resource_id] = seen.with_machine(power=power)

    def evict(self, request: HostRequest) -> None:
        """Take a spot machine's capacity back, as its eviction policy says.

        Raises
        ------
        ValueError
            If the host does not use spot capacity.
        """
        spot, machine_id = request.spec.azure.spot, HostResources(request).id_of(Part.MACHINE)
        if spot is None:
            raise ValueError("only a spot machine can be evicted")
        self._store.settle()
        self._store.preempt(machine_id)
        if spot.eviction_policy is EvictionPolicy.DELETE:
            self._store.remove(machine_id)
            return
        seen = self._store.resources[machine_id].as_ready()
        self._store.resources[machine_id] = seen.with_machine(power=MachinePower.DEALLOCATED).ended(self._clock())

    def no_room(self, size: str, zone: str | None = None) -> None:
        """Let there be no hardware of this size, in one zone or anywhere."""
        self._steps.full.add((size, zone))

    def make_room(self, size: str, zone: str | None = None) -> None:
        """Let there be hardware again where ``no_room`` took it away."""
        self._steps.full.discard((size, zone))

    def set_console(self, request: HostRequest, text: str) -> None:
        """Let the host's machine have written this to its console."""
        self._consoles[request.owner] = text

    @property
    def resource_ids(self) -> tuple[str, ...]:
        """Everything that exists, in the order of its creation."""
        self._store.settle()
        return tuple(self._store.resources)

    # The port.

    async def observe(self, request: HostRequest) -> Observation:
        """Look at everything that belongs to the host."""
        self._enter(Call("observe", request.owner, not_before=request.not_before))
        if self._turns:
            raise self._turns.pop(0)
        frozen = self._frozen.get(request.owner)
        if frozen is not None and request.max_age is None:
            return frozen
        return observe(self._store, request)

    async def require_turn(self, request: HostRequest, step: Step, seen: Observation) -> None:  # noqa: ARG002 - all steps alike
        """Say when the step's turn comes, if ``refuse`` has arranged that."""
        self._steps.require_turn(step)

    async def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        """Start one step on what was observed."""
        self._enter(Call("start", request.owner, step=step))
        return self._steps.start(request, step, seen)

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        """Look once at an operation; None when it is not known."""
        self._enter(Call("poll", request.owner, poll_url=poll_url))
        operation = self._store.operations.get(poll_url)
        return None if operation is None else operation.to_state(self._retry_after)

    async def read_console(self, request: HostRequest, *, whole: bool = False) -> str | None:
        """What the machine has written, where it is recorded."""
        self.calls.append(Call("read_console", request.owner))
        self._store.settle()
        machine = observe(self._store, request).machine
        is_shown = self.unreachable is None and machine is not None and machine.boot_diagnostics
        text = self._consoles.get(request.owner) if is_shown else None
        return text if whole or text is None else text[-_CONSOLE_END:]

    async def list_owned(self, scope: Scope, cluster: str) -> list[OwnedResource]:
        """Everything in the resource group that carries this cluster's owner."""
        self._enter(Call("list_owned", Owner(cluster=cluster, namespace="", name="", uid="")))
        return list_owned(self._store, scope, cluster)

    async def delete_owned(self, resource: OwnedResource) -> Started:
        """Start to delete one resource that is still whose it was; already gone is success."""
        step = Step(Verb.DELETE, resource.part)
        self._enter(Call("delete_owned", resource.owner, step=step))
        seen = find_owned(self._store, resource)
        return Started(finished=True) if seen is None else self._steps.remove(seen, step)

    async def close(self) -> None:
        """Nothing is held."""

    def _enter(self, call: Call) -> None:
        self.calls.append(call)
        if self.unreachable is not None:
            raise self.unreachable
        self._store.settle()
