"""How a deployment goes on: what is ready is written, what has been written is waited for, and in the end it says so.

Called by `service` when a deployment's next look is due; each look says when the one after it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.deployments.record import Deployment, DeploymentState, Step, StepState
from benchhost.emulator.cloud.deployments.refusals import cause_of, deployment_failed, invalid_template
from benchhost.emulator.cloud.deployments.writing import ResourceRequest, ResourceWriter
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationKind, Operations
from benchhost.emulator.cloud.templates.errors import TemplateError
from benchhost.emulator.cloud.templates.planning import PlannedResource, find_planned

if TYPE_CHECKING:
    from benchhost.emulator.cloud.templates.template import BoundTemplate

MAX_TRIES = 20
"""How often a provider that says 429 is asked. Assumption: ARM tries again, how often is not documented."""

SOON = 0.1
"""Seconds to the next look at an operation that ought to have ended."""


class Progress:
    """Takes one deployment one look further.

    Parameters
    ----------
    deployment, bound
        Which one, and its template with its parameters.
    operations
        Where the operations of its resources are.
    writer
        Reaches their providers.
    """

    def __init__(
        self, deployment: Deployment, bound: BoundTemplate, *, operations: Operations, writer: ResourceWriter
    ) -> None:
        self._deployment = deployment
        self._bound = bound
        self._operations = operations
        self._writer = writer
        self._planned = {resource.id.lower(): resource for resource in bound.resources}

    def look(self, now: float) -> float | None:
        """Do what can be done now; return when to look again, None when the deployment has ended."""
        deployment = self._deployment
        deployment.state, deployment.changed = DeploymentState.RUNNING, now
        for step in deployment.steps:
            if step.state is StepState.RUNNING and step.ready <= now:
                self._settle(step, now)
        for step in deployment.steps:
            if step.state is StepState.WAITING and step.ready <= now and self._may_begin(step):
                self._begin(step, now)
        awaited = [step.ready for step in deployment.steps if self._is_awaited(step)]
        if awaited:
            return min(awaited)
        self._end(now)
        return None

    def _is_awaited(self, step: Step) -> bool:
        return step.state is StepState.RUNNING or (step.state is StepState.WAITING and step.tries > 0)

    def _may_begin(self, step: Step) -> bool:
        before = map(self._deployment.step_of, step.depends_on)
        return all(other is None or other.state is StepState.SUCCEEDED for other in before)

    def _settle(self, step: Step, now: float) -> None:
        operation = self._operations.find(step.operation_id)
        if operation is not None and operation.is_running:
            step.ready = max(operation.due, now + SOON)
            return
        step.ended = now
        step.error = None if operation is None else operation.error
        step.state = StepState.SUCCEEDED if step.error is None else StepState.FAILED

    def _begin(self, step: Step, now: float) -> None:
        planned = self._planned[step.resource_id.lower()]
        step.tries += 1
        step.started = now if step.started is None else step.started
        try:
            body = planned.body(self._bound.evaluation(self._references(now)))
            written = self._writer.write(self._request(planned.id, planned.api_version, body, now))
        except TemplateError as error:
            self._refused(step, invalid_template(error), now)
        except ArmError as error:
            self._refused(step, error, now)
        else:
            step.state, step.is_new = StepState.RUNNING, written.is_new
            step.operation_id = None if written.operation is None else written.operation.id
            due = now if written.operation is None else written.operation.due
            noticed = self._operations.draw_duration(OperationKind.DEPLOYMENT_STEP)
            step.ready = max(due, now + written.answer_seconds) + noticed

    def _refused(self, step: Step, error: ArmError, now: float) -> None:
        wait = self._writer.wait_after(error) if step.tries < MAX_TRIES else None
        if wait is not None:
            step.ready = now + wait
            return
        step.state, step.error, step.ended = StepState.FAILED, error, now

    def _end(self, now: float) -> None:
        deployment = self._deployment
        causes = [cause_of(step) for step in deployment.steps if step.state is StepState.FAILED]
        if causes:
            deployment.end(DeploymentState.FAILED, now, error=deployment_failed(deployment, causes))
            return
        try:
            deployment.outputs = self._bound.outputs(self._references(now))
        except TemplateError as error:
            deployment.end(DeploymentState.FAILED, now, error=invalid_template(error))
        else:
            deployment.end(DeploymentState.SUCCEEDED, now)

    def _references(self, now: float) -> _References:
        return _References(self, now)

    def read(self, target: str, api_version: str | None, now: float) -> Any:
        """Return a resource that a template refers to.

        Raises
        ------
        TemplateError
            When there is no such resource.
        """
        planned: PlannedResource | None = find_planned(target, self._bound.resources)
        if planned is None and not target.lower().startswith("/subscriptions/"):
            raise TemplateError(f"The resource '{target}' is not defined in the template.")
        version = api_version or (None if planned is None else planned.api_version)
        if version is None:
            raise TemplateError(f"The resource '{target}' is not defined in the template, so an API version is needed.")
        try:
            return self._writer.read(self._request(target if planned is None else planned.id, version, {}, now))
        except ArmError as error:
            raise TemplateError(f"The resource '{target}' cannot be read: {error}") from error

    def _request(self, resource_id: str, api_version: str, body: dict[str, Any], now: float) -> ResourceRequest:
        return ResourceRequest(
            resource_id=resource_id,
            api_version=api_version,
            principal=self._deployment.principal,
            now=now,
            body=body,
        )


class _References:
    """Finds what ``reference`` asks for, as things stand at one moment."""

    def __init__(self, progress: Progress, now: float) -> None:
        self._progress = progress
        self._now = now

    def __call__(self, target: str, api_version: str | None, *, full: bool) -> Any:
        found = self._progress.read(target, api_version, self._now)
        return found if full else found.get("properties", {})
