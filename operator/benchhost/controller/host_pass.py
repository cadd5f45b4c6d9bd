"""One pass over one host, as far as the cloud goes: poll what runs, observe, decide, start.

Made and run by the reconciler, which reports what came out of it. Every cloud error ends in ``outcome.error``.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from benchhost.api.host import BenchHost
from benchhost.api.status import Operation, OperationResult, OperationType
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import Observation, Owner, Part
from benchhost.cloud.provider import CloudProvider, HostRequest, OperationState, Started, Verb
from benchhost.controller.hosts import Hosts
from benchhost.controller.providers import Providers
from benchhost.lifecycle import Do, Finished, Hold, Pass, Release, Settled, Wait, choose_size, decide, report

_MOST_STEPS: Final = 12
"""Steps that the cloud finishes at once follow each other within a pass; a host has fewer than this many."""

_TIMEOUTS: Final[dict[OperationType, str]] = {
    OperationType.PROVISION: "provision",
    OperationType.START: "start",
    OperationType.STOP: "stop",
    OperationType.DEALLOCATE: "deallocate",
    OperationType.REALLOCATE: "deallocate",
    OperationType.RESTART: "restart",
    OperationType.RESIZE: "resize",
    OperationType.UPDATE: "resize",
    OperationType.DELETE: "delete",
}


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
    ) -> None:
        self.host = host
        self.outcome = Pass(operation=host.status.operation)
        self.retry_after: timedelta | None = None
        """The cloud's wish for the next look."""
        self._seen: Observation | None = None
        """What the last step has shown, where it has shown enough for the next."""
        self._hosts = hosts
        self._providers = providers
        self._clock = clock
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
        except CloudError as error:
            self.fail(error)

    def fail(self, error: CloudError) -> None:
        """End the pass with this error."""
        self.outcome = replace(self.outcome, error=error)

    async def _still_running(self, provider: CloudProvider) -> bool:
        """Look once at the operation under way; whether there is nothing else to do in this pass."""
        operation = operation_to_poll(self.host)
        if operation is None or operation.poll_url is None:
            return False
        state = await provider.poll(self._request(), operation.poll_url)
        if state is None:
            self._set_operation(operation.model_copy(update={"poll_url": None}))
            return False
        if not state.finished:
            self.retry_after = state.retry_after
            self.outcome = replace(self.outcome, action=Wait(operation.type, ""))
            return True
        self._finish(operation, _result(state), state)
        if state.error is not None and not state.canceled:
            self.fail(state.error)
            return True
        return False

    async def _step(self, provider: CloudProvider) -> bool:
        """Observe, decide, start; whether the cloud has finished at once, so that the next step can follow."""
        observation = self._seen or await provider.observe(self._request())
        self._seen = None
        action = decide(self.host, self._owner, observation, now=self._clock())
        self.outcome = replace(self.outcome, observation=observation, action=action)
        self._close_what_is_over(observation)
        if isinstance(action, Wait) and action.operation is not None:
            self._set_operation(self._operation_for(action.operation))
        if not isinstance(action, Do):
            return False
        started = await self._start(provider, action, observation)
        self.retry_after = started.retry_after
        if started.finished and started.observed is not None:
            # The answer shows the part: looking at everything again would tell no more.
            self._seen = observation.with_part(action.step.part, started.observed)
        return started.finished

    async def _start(self, provider: CloudProvider, action: Do, observation: Observation) -> Started:
        operation = self._operation_for(action.operation)
        self._set_operation(operation)
        if action.write_ahead:
            await self._write_ahead()
        request = self._request(observation)
        if action.step.part is Part.MACHINE and action.step.verb is Verb.ENSURE:
            request = replace(request, secrets=await self._providers.guest_secrets(self.host))
        started = await provider.start(request, action.step, observation)
        if action.step.part is Part.MACHINE:
            self._set_operation(
                operation.model_copy(update={"poll_url": started.poll_url, "request_id": started.request_id})
            )
        return started

    async def _write_ahead(self) -> None:
        """Put the intent into status before the call, so that a crash after the call cannot hide it."""
        status = report(self.host, self.outcome, now=self._clock())
        await self._hosts.write_status(self.host, status)
        self.host = self._hosts.newest(self.host)
        self.outcome = replace(self.outcome, finished=())

    def _operation_for(self, kind: OperationType) -> Operation:
        """The operation under way if it is the same one, else a new one; waiting for a part is under way too."""
        current = self.outcome.operation
        generation = self.host.metadata.generation
        if current is not None and current.type is kind and current.generation == generation:
            return current
        now = self._clock()
        return Operation(
            type=kind,
            started_at=now,
            deadline=now + self.host.spec.timeouts.get(_TIMEOUTS[kind]),
            generation=generation,
            attempt=_attempt(self.host),
        )

    def _close_what_is_over(self, observation: Observation) -> None:
        """End an operation that the decision no longer goes on with."""
        operation, action = self.outcome.operation, self.outcome.action
        if operation is None or isinstance(action, Hold):
            return
        if isinstance(action, Wait) and action.operation in (None, operation.type):
            return
        if isinstance(action, Do) and action.operation is operation.type:
            return
        gave_way = observation.machine is None or self.host.is_deleting
        done = operation.type is OperationType.DELETE and isinstance(action, Release | Settled)
        result = OperationResult.CANCELED if gave_way and not done else OperationResult.SUCCEEDED
        self._finish(operation, result, None, machine_changed=_changed_at(observation))

    def _finish(
        self,
        operation: Operation,
        result: OperationResult,
        state: OperationState | None,
        *,
        machine_changed: datetime | None = None,
    ) -> None:
        end = state.end_time if state else machine_changed
        finished = Finished(
            operation=operation,
            result=result,
            start_time=state.start_time if state else None,
            end_time=end or self._clock(),
            reason=state.error.code or None if state and state.error else None,
        )
        self.outcome = replace(self.outcome, operation=None, finished=(*self.outcome.finished, finished))

    def _set_operation(self, operation: Operation) -> None:
        self.outcome = replace(self.outcome, operation=operation)

    def _request(self, observation: Observation | None = None) -> HostRequest:
        machine = observation.machine if observation else None
        size = choose_size(self.host, machine.size if machine else None)
        return HostRequest(owner=self._owner, spec=self.host.spec, size=size)


def operation_to_poll(host: BenchHost) -> Operation | None:
    """The operation that is looked at before anything else; a deletion does not wait for what it is going to undo."""
    operation = host.status.operation
    if operation is None or operation.poll_url is None:
        return None
    return None if host.is_deleting and operation.type is not OperationType.DELETE else operation


def _result(state: OperationState) -> OperationResult:
    if state.canceled:
        return OperationResult.CANCELED
    return OperationResult.SUCCEEDED if state.error is None else OperationResult.FAILED


def _attempt(host: BenchHost) -> int:
    failure = host.status.failure
    return failure.count + 1 if failure and failure.generation == host.metadata.generation else 1


def _changed_at(observation: Observation) -> datetime | None:
    return observation.machine.changed_at if observation.machine else None
