"""The template deployments of a subscription's resource groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import Body, Context
from benchhost.emulator.cloud.deployments import refusals
from benchhost.emulator.cloud.deployments.progress import Progress
from benchhost.emulator.cloud.deployments.record import Deployment, DeploymentState, Step
from benchhost.emulator.cloud.groups import GROUP_KIND
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.templates.errors import TemplateError, not_supported
from benchhost.emulator.cloud.templates.evaluation import Scope
from benchhost.emulator.cloud.templates.template import BoundTemplate, bind_template, template_hash

if TYPE_CHECKING:
    from benchhost.emulator.cloud.deployments.writing import ResourceWriter
    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.groups import ResourceGroup
    from benchhost.emulator.cloud.identifiers import ResourceId

_NAME = re.compile(r"[-\w.()]{1,64}")
"""ARM's naming rules of deployments."""

_REFUSED = {
    "templateLink": "templates that are somewhere else ('templateLink')",
    "parametersLink": "parameters that are somewhere else ('parametersLink')",
    "onErrorDeployment": "a deployment to return to on errors ('onErrorDeployment')",
}


class Deployments:
    """Deployments and their progress.

    Parameters
    ----------
    context
        The subscription's state.
    """

    unsaved = ("_writer", "_bound")
    """Put together by each run, or follows from the rest (state.cells)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_guid: dict[str, Deployment] = {}
        self._guids: dict[str, str] = {}
        """Of each name's last deployment; an ended record is saved once, so a new one must not take its key."""
        self._writer: ResourceWriter | None = None
        self._bound: dict[str, BoundTemplate] = {}

    def write_with(self, writer: ResourceWriter) -> None:
        """Say how resources are written."""
        self._writer = writer

    def put(
        self, deployment_id: ResourceId, properties: Body, *, principal: str, now: float
    ) -> tuple[Deployment, bool]:
        """Begin a deployment; the last value tells whether there was none of that name.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound``, ``InvalidTemplate`` and others for what can be seen at once, and
            ``DeploymentActive``.
        """
        bound = self.check(deployment_id, properties)
        previous = self.find(deployment_id)
        if previous is not None and previous.is_active:
            raise refusals.deployment_active(previous)
        deployment = self._record(deployment_id, bound, principal=principal, now=now)
        if previous is not None:
            del self._by_guid[previous.guid]
        self._by_guid[deployment.guid] = deployment
        self._guids[deployment_id.key] = deployment.guid
        self._bound[deployment.guid] = bound
        self._look_at(now + self._context.operations.draw_duration(OperationKind.DEPLOYMENT_STEP), deployment, now)
        return deployment, previous is None

    def check(self, deployment_id: ResourceId, properties: Body) -> BoundTemplate:
        """Return the template that a deployment would carry out, without beginning anything.

        Raises
        ------
        ArmError
            As `put` does.
        """
        group = self._context.groups.get_for_write(deployment_id.group)
        if _NAME.fullmatch(deployment_id.name) is None:
            raise errors.bad_request(
                "InvalidDeploymentName",
                f"The deployment name '{deployment_id.name}' is not valid: it has 1 to 64 letters, digits, '-', '_', "
                "'.', '(' and ')'.",
            )
        try:
            bound = bind_template(_template_of(properties), _parameters_of(properties), self._scope(group))
        except TemplateError as error:
            raise refusals.invalid_template(error) from error
        for resource in bound.resources:
            self._providers.require_type(resource.id, resource.api_version)
        return bound

    def find(self, deployment_id: ResourceId) -> Deployment | None:
        """Return a name's last deployment, or None."""
        return self._by_guid.get(self._guids.get(deployment_id.key, ""))

    def get(self, deployment_id: ResourceId) -> Deployment:
        """Return a name's last deployment.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound`` or ``DeploymentNotFound``.
        """
        self._context.groups.get(deployment_id.group)
        found = self.find(deployment_id)
        if found is None:
            raise refusals.deployment_not_found(deployment_id.name)
        return found

    def list_in_group(self, group: str) -> list[Deployment]:
        """Return the deployments to a resource group, the latest first."""
        self._context.groups.get(group)
        found = [one for one in self._by_guid.values() if one.id.group.lower() == group.lower()]
        return sorted(found, key=lambda one: one.started, reverse=True)

    def delete(self, deployment_id: ResourceId) -> bool:
        """Forget a deployment, and touch nothing that it has made; False when there is none.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound``, or ``DeploymentCannotBeDeleted`` while it goes on.
        """
        self._context.groups.get(deployment_id.group)
        found = self.find(deployment_id)
        if found is None:
            return False
        if found.is_active:
            raise refusals.cannot_be_deleted(found)
        self._forget(found)
        return True

    def cancel(self, deployment_id: ResourceId, now: float) -> None:
        """Begin no more of a deployment's resources; those under way come to their end.

        Raises
        ------
        ArmError
            ``DeploymentNotFound``, or ``DeploymentCannotBeCancelled`` when it has ended.
        """
        found = self.get(deployment_id)
        if not found.is_active:
            raise refusals.cannot_be_canceled(found)
        found.end(DeploymentState.CANCELED, now)
        self._bound.pop(found.guid, None)

    def forget_group(self, group: str) -> None:
        """Forget the deployments to a resource group that is gone."""
        for deployment in list(self._by_guid.values()):
            if deployment.id.group.lower() == group.lower():
                self._forget(deployment)

    def advance(self, operation: Operation, now: float) -> None:
        """Take a deployment one look further; it may have ended, or been put anew, since that was planned."""
        deployment = None if operation.target is None else self.find(operation.target)
        if deployment is None or not deployment.is_active or now < deployment.look_at:
            return
        bound = self._bound_of(deployment)
        progress = Progress(deployment, bound, operations=self._context.operations, writer=self._providers)
        again = progress.look(now)
        if again is not None:
            self._look_at(again, deployment, now)
        else:
            self._bound.pop(deployment.guid, None)

    def fail(self, operation: Operation, error: ArmError, now: float) -> None:
        """End a deployment whose look ended in a mistake of ours, or a client would wait for ever."""
        deployment = None if operation.target is None else self.find(operation.target)
        if deployment is not None and deployment.is_active:
            deployment.end(DeploymentState.FAILED, now, error=error)
            self._bound.pop(deployment.guid, None)

    @property
    def _providers(self) -> ResourceWriter:
        if self._writer is None:  # pragma: no cover - said before the first request
            raise RuntimeError("Nobody has said how a deployment's resources are written.")
        return self._writer

    def _look_at(self, when: float, deployment: Deployment, now: float) -> None:
        deployment.look_at = when
        self._context.operations.begin_step(deployment.id, deployment.location, now=now, due=when)

    def _forget(self, deployment: Deployment) -> None:
        del self._by_guid[deployment.guid]
        del self._guids[deployment.id.key]
        self._bound.pop(deployment.guid, None)

    def _record(self, deployment_id: ResourceId, bound: BoundTemplate, *, principal: str, now: float) -> Deployment:
        identifiers = self._context.identifiers
        return Deployment(
            id=deployment_id,
            location=self._context.groups.get(deployment_id.group).location,
            guid=identifiers.guid(),
            principal=principal,
            template=dict(bound.content),
            template_hash=template_hash(bound.content),
            values=bound.parameters.values,
            parameters=bound.parameters.shown,
            steps=[
                Step(
                    resource_id=resource.id,
                    kind=resource.kind,
                    name=resource.name,
                    depends_on=resource.depends_on,
                    guid=identifiers.hexadecimal(16).upper(),
                )
                for resource in bound.resources
                if resource.is_wanted
            ],
            started=now,
            changed=now,
        )

    def _bound_of(self, deployment: Deployment) -> BoundTemplate:
        """Return a deployment's template with its parameters; after a restart it is put together again."""
        found = self._bound.get(deployment.guid)
        if found is None:
            given = {name: {"value": value} for name, value in deployment.values.items()}
            scope = self._scope(self._context.groups.get(deployment.id.group))
            found = self._bound[deployment.guid] = bind_template(deployment.template, given, scope)
        return found

    def _scope(self, group: ResourceGroup) -> Scope:
        context = self._context
        subscription = f"/subscriptions/{context.subscription_id}"
        return Scope(
            resource_group={
                "id": f"{subscription}/resourceGroups/{group.name}",
                "name": group.name,
                "type": GROUP_KIND,
                "location": group.location,
                "tags": dict(group.tags),
                "properties": {"provisioningState": str(group.state)},
            },
            subscription={
                "id": subscription,
                "subscriptionId": context.subscription_id,
                "tenantId": context.tenant_id,
                "displayName": "BenchHost emulator",
            },
        )


def _template_of(properties: Body) -> dict[str, Any]:
    for name, what in _REFUSED.items():
        if properties.get(name) is not None:
            raise not_supported(what)
    mode = properties.get("mode")
    if mode != "Incremental":
        if mode == "Complete":
            raise not_supported("the mode 'Complete', which deletes what a template does not name")
        raise TemplateError("The deployment's 'mode' has to be 'Incremental'")
    template = properties.get("template")
    if not isinstance(template, dict):
        raise TemplateError("The deployment has no 'template' that is an object")
    return template


def _parameters_of(properties: Body) -> dict[str, Any]:
    parameters = properties.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise TemplateError("The deployment's 'parameters' are no object")
    return parameters
