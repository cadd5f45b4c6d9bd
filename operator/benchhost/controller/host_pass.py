"""One pass over one host, as far as the cloud goes: poll what runs, observe, decide, start.

Made and run by the reconciler, which reports what came out of it. Every cloud error ends in ``outcome.error``.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.status import BenchHostStatus, Operation, OperationType
from benchhost.cloud.errors import CapacityError, CloudError, DeferredError, TransientError
from benchhost.cloud.machine import Machine, MachinePower, Observation, Owner, Part
from benchhost.cloud.provider import CloudProvider, HostRequest, OperationState, Started, Step, Verb
from benchhost.controller.console import with_console
from benchhost.controller.hosts import Hosts
from benchhost.controller.providers import Providers
from benchhost.lifecycle import (
    Action,
    Circumstances,
    Do,
    Finished,
    Pass,
    Wait,
    choose,
    decide,
    never_reached_cloud,
    report,
)
from benchhost.lifecycle.operation import begin, finish, operation_to_poll, result_without_a_look

_MOST_STEPS: Final = 12
"""Steps that the cloud finishes at once follow each other within a pass; a host has fewer than this many."""

_FRESH: Final = timedelta(seconds=15)
"""How old a look may be that something is concluded from; to do something an older one is good enough."""

_ALLOCATING: Final = frozenset({Verb.ENSURE, Verb.START, Verb.RESIZE})
"""What asks for hardware of a size, in a zone."""


class HostPass:
    """The pass; ``outcome`` and ``retry_after`` tell what came of it, ``host`` is the object as last written."""

    def __init__(
        self,
        host: BenchHost,
        hosts: Hosts,
        providers: Providers,
        *,
        cluster: str,
        clock: Callable[[], datetime],
        circumstances: Circumstances,
        changed_at: datetime,
        ended: OperationState | None,
        on_change: Callable[[BenchHost, BenchHostStatus], None],
    ) -> None:
        self.host = host
        self.outcome = Pass(operation=host.status.operation, circumstances=circumstances)
        self.retry_after: timedelta | None = None
        """The cloud's wish for the next look."""
        self.deferred: DeferredError | None = None
        """The turn has not come; nothing is known that was not known before."""
        self.changed_at = changed_at
        """The last moment at which something of the host was changed or seen to end."""
        self.began = clock()
        """When the pass began."""
        self.ended = ended
        """How the operation on record has ended, as soon as that is known; nobody is asked again then."""
        self._seen: Observation | None = None
        """What the last step has shown, where it has shown enough for the next."""
        self._done: set[str] = set()
        """Steps that have ended well in this pass."""
        self._attempted: Operation | None = None
        """What is being started."""
        self._hosts = hosts
        self._providers = providers
        self._clock = clock
        self._on_change = on_change
        meta = host.metadata
        self._owner = Owner(cluster=cluster, namespace=meta.namespace, name=meta.name, uid=meta.uid)

    async def run(self) -> None:
        """Go as far as the cloud lets us without waiting for it."""
        try:
            provider = await self._providers.get(self.host)
            if await self._still_running(provider):
                return
            for _ in range(_MOST_STEPS):
                if not await self._step(provider):
                    return
        except DeferredError as deferred:
            self.deferred, self.retry_after = deferred, deferred.retry_after
            if self.outcome.observation is None:
                # What has ended is told together with what the host is since then.
                self.outcome = replace(self.outcome, finished=())
            # What was going to be asked for has not been asked for.
            self.outcome = replace(
                self.outcome,
                operation=self.host.status.operation if not self.outcome.finished else None,
                action=Wait(None, _queued(deferred), Reason.QUEUED),
            )
        except CloudError as error:
            self.fail(error, self._attempted)

    def fail(self, error: CloudError, operation: Operation | None = None) -> None:
        """End the pass with this error; ``operation`` is what failed, None if the host could not be looked at."""
        self.outcome = replace(self.outcome, error=error, failed=operation)

    async def _still_running(self, provider: CloudProvider) -> bool:
        """Look once at the operation under way; whether there is nothing else to do in this pass."""
        operation = operation_to_poll(self.host)
        if operation is None or operation.poll_url is None:
            return False
        state = self.ended or await provider.poll(self._request(), operation.poll_url)
        if state is None:
            self._set_operation(operation.model_copy(update={"poll_url": None}))
            return False
        if not state.finished:
            self.retry_after = state.retry_after
            self.outcome = replace(self.outcome, action=Wait(operation.type, ""))
            return True
        self._finish(finish(operation, state, now=self._clock()))
        if self.ended is None:
            self.ended, self.changed_at = state, self._clock()
        if state.error is None and operation.step is not None and operation.generation == self.host.metadata.generation:
            self._done.add(operation.step)
        if state.error is not None and not state.canceled:
            self.fail(await self._explained(provider, operation, state.error), operation)
            return True
        return False

    async def _explained(self, provider: CloudProvider, operation: Operation, error: CloudError) -> CloudError:
        """The error of a creation with the last that the guest has said, where it came far enough to say anything."""
        diagnosed = operation.type is OperationType.PROVISION and self.host.spec.azure.boot_diagnostics
        if not diagnosed or isinstance(error, CapacityError):
            return error
        return with_console(error, await provider.read_console(self._request()))

    async def _step(self, provider: CloudProvider) -> bool:
        """Observe, decide, start; whether the cloud has finished at once, so that the next step can follow."""
        observation = self._seen or await provider.observe(self._request())
        self._seen = None
        action = self._decide(observation)
        if not isinstance(action, Do) and observation.as_of and observation.as_of < self._clock() - _FRESH:
            # The cloud refuses what rests on what is no more; what is concluded and told nobody would correct.
            observation = await provider.observe(replace(self._request(), max_age=_FRESH))
            action = self._decide(observation)
        self.outcome = replace(self.outcome, observation=observation, action=action)
        self._close_what_is_over(action, observation)
        if isinstance(action, Wait) and action.operation is not None:
            self._set_operation(self._begin(action.operation))
        if not isinstance(action, Do):
            return False
        self._require_not_in_vain(action)
        started = await self._start(provider, action, observation)
        if started.finished:
            self._done.add(str(action.step))
        self.retry_after = started.retry_after
        if started.finished and started.observed is not None and action.step.part is not Part.MACHINE:
            # The answer shows the part: looking at everything again would tell no more. A machine is more than a part.
            self._seen = observation.with_part(action.step.part, started.observed, action.step.lun)
        return started.finished

    def _decide(self, observation: Observation) -> Action:
        circumstances = self.outcome.circumstances
        return decide(self.host, self._owner, observation, now=self._clock(), circumstances=circumstances)

    def _require_not_in_vain(self, action: Do) -> None:
        """An update that has ended well and is needed again has changed nothing, or was undone: it waits as a failure.

        Raises
        ------
        TransientError
            So that it is not repeated at once, and for ever.
        """
        if action.operation is not OperationType.UPDATE or str(action.step) not in self._done:
            return
        self._attempted = self._begin(action.operation)
        raise TransientError(
            f"The cloud has done what was asked ({action.step}), and the machine still differs from the spec; "
            "something else may set it back.",
            code="NotKept",
            reason=Reason.OUT_OF_SYNC,
        )

    async def _start(self, provider: CloudProvider, action: Do, observation: Observation) -> Started:
        request = self._request(observation.machine)
        operation = self._begin(action.operation, request if _allocates(action.step) else None)
        self._set_operation(operation)
        self._attempted = operation
        if action.write_ahead or not self.host.has_finalizer:
            # Who is far down the line changes nothing yet, in the cloud or on the object: its deletion is no work.
            await provider.require_turn(request, action.step, observation)
            await self._go_on_record(action)
        if action.step.part is Part.MACHINE and action.step.verb is Verb.ENSURE:
            request = replace(request, secrets=await self._providers.guest_secrets(self.host))
        before, self.changed_at = self.changed_at, self._clock()
        try:
            started = await provider.start(request, action.step, observation)
        except DeferredError:
            self.changed_at = before  # nothing was sent
            raise
        if action.step.part is Part.MACHINE:
            self._set_operation(
                operation.model_copy(
                    update={
                        "poll_url": started.poll_url,
                        "request_id": started.request_id,
                        "step": str(action.step) if started.poll_url is not None else None,
                    }
                )
            )
        self._attempted = None
        return started

    async def _go_on_record(self, action: Do) -> None:
        """Hold the object before anything is made for it; put into status what a crash after the call would hide."""
        if not self.host.has_finalizer:
            await self._hosts.add_finalizer(self.host)
            self.host = self._hosts.newest(self.host)
        if action.write_ahead:
            await self._write_intent()

    async def _write_intent(self) -> None:
        status = report(self.host, self.outcome, now=self._clock())
        await self._hosts.write_status(self.host, status)
        self._on_change(self.host, status)
        self.host = self._hosts.newest(self.host)
        self.outcome = replace(self.outcome, finished=())

    def _begin(self, kind: OperationType, allocates: HostRequest | None = None) -> Operation:
        return begin(self.host, kind, current=self.outcome.operation, allocates=allocates, now=self._clock())

    def _close_what_is_over(self, action: Action, observation: Observation) -> None:
        """End an operation that the decision no longer goes on with."""
        operation = self.outcome.operation
        if operation is None:
            return
        result = result_without_a_look(operation, action, observation, is_deleting=self.host.is_deleting)
        if result is not None:
            changed_at = observation.machine.changed_at if observation.machine else None
            self._finish(Finished(operation, result, end_time=changed_at or self._clock()))

    def _finish(self, finished: Finished) -> None:
        self.outcome = replace(self.outcome, operation=None, finished=(*self.outcome.finished, finished))

    def _set_operation(self, operation: Operation) -> None:
        self.outcome = replace(self.outcome, operation=operation)

    def _request(self, machine: Machine | None = None) -> HostRequest:
        turn = choose(self.host, machine if machine is not None and machine.power is not MachinePower.UNKNOWN else None)
        return HostRequest(
            owner=self._owner,
            spec=self.host.spec,
            size=turn.size,
            zone=turn.zone,
            not_before=self._not_before(),
            is_new=never_reached_cloud(self.host.status) and not self.host.spec.adopt,
        )

    def _not_before(self) -> datetime | None:
        """As of when the host has to be seen; None: nothing is known that an earlier look could have missed."""
        if self.host.spec.observe_at is not None and self.host.spec.observe_at != self.host.status.last_observe_time:
            return max(self.began, self.changed_at)  # somebody doubts every earlier look
        # Only of a deletion nothing would be noticed any more if something was seen too early.
        return self.changed_at if self.host.is_deleting else None


def _queued(deferred: DeferredError) -> str:
    return f"Waits for its turn: Azure allows no more {deferred.budget} for now. Nothing is wrong."


def _allocates(step: Step) -> bool:
    return step.part is Part.MACHINE and step.verb in _ALLOCATING
