"""Which resources a template makes, and which of them have to wait for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.templates.errors import TemplateError, not_supported
from benchhost.emulator.cloud.templates.evaluation import Evaluation, provider_path, require_known
from benchhost.emulator.cloud.templates.expressions import Call, calls_in, is_expression, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_REFUSED = {
    "copy": "copy loops",
    "resources": "resources nested in another's 'resources'",
    "scope": "resources of another scope",
    "resourceGroup": "resources in another resource group",
    "subscriptionId": "resources in another subscription",
}
_DEPLOYMENTS = "microsoft.resources/deployments"
_NOT_IN_BODY = frozenset(("type", "apiVersion", "name", "dependsOn", "condition", "comments", "metadata"))
"""What a template says about a resource, and the resource's provider is not told."""


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """One resource of a template.

    Parameters
    ----------
    id, kind, name
        What it will be; ``name`` has a slash for each level.
    api_version
        Under which it is written.
    is_wanted
        Its ``condition``.
    definition
        As the template has it, not evaluated.
    depends_on
        Ids of the resources that have to be there before, out of this template, and only those that are wanted.
    """

    id: str
    kind: str
    name: str
    api_version: str
    is_wanted: bool
    definition: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"resource '{self.name}' of type '{self.kind}'"

    def body(self, evaluation: Evaluation) -> dict[str, Any]:
        """Return what its provider is told.

        Raises
        ------
        TemplateError
            When an expression in it cannot be evaluated.
        """
        content = {key: item for key, item in self.definition.items() if key not in _NOT_IN_BODY}
        try:
            body = evaluation.value(content)
        except TemplateError as error:
            raise error.within(self.where) from error
        return {key: item for key, item in body.items() if item is not None}


def plan(resources: Sequence[Any], evaluation: Evaluation) -> list[PlannedResource]:
    """Return the resources of a template, each after those that it waits for.

    Raises
    ------
    TemplateError
        For what the emulator cannot do, for names that cannot be known, and for a circle.
    """
    found = [_planned(definition, evaluation) for definition in resources]
    known = {resource.id.lower(): resource for resource in found}
    if len(known) < len(found):
        raise TemplateError("A resource is defined more than once in the template.")
    waiting = [_with_dependencies(resource, found, evaluation) for resource in found]
    ordered = _in_order(waiting)
    for resource in ordered:
        _check_body(resource, evaluation)
    return ordered


def _planned(definition: Any, evaluation: Evaluation) -> PlannedResource:
    if not isinstance(definition, dict):
        raise TemplateError("A resource of the template is no object.")
    kind = str(definition.get("type", ""))
    where = f"a resource of type '{kind}'"
    for field, what in _REFUSED.items():
        if definition.get(field) is not None:
            raise not_supported(f"{what} ('{field}' in {where})")
    if kind.lower() == _DEPLOYMENTS:
        raise not_supported("nested deployments (a resource of type 'Microsoft.Resources/deployments')")
    for field in ("type", "apiVersion", "name"):
        if not isinstance(definition.get(field), str) or not definition[field]:
            raise TemplateError(f"The required property '{field}' is not found in {where}.")
    _require_known_functions(definition, where)
    try:
        name = str(evaluation.value(definition["name"]))
        path = provider_path(kind, name.split("/"))
        condition = evaluation.value(definition.get("condition", True))
        version = str(evaluation.value(definition["apiVersion"]))
    except TemplateError as error:
        raise error.within(where) from error
    if not isinstance(condition, bool):
        raise TemplateError(f"The condition of resource '{name}' is neither true nor false.")
    group, subscription = evaluation.scope.resource_group["name"], evaluation.scope.subscription["subscriptionId"]
    return PlannedResource(
        f"/subscriptions/{subscription}/resourceGroups/{group}{path}", kind, name, version, condition, definition
    )


def _require_known_functions(value: Any, where: str) -> None:
    for call in _calls_of(value, where):
        try:
            require_known(call)
        except TemplateError as error:
            raise error.within(where) from error


def _calls_of(value: Any, where: str) -> Iterator[Call]:
    """Iterate over every call in any expression of a value, evaluated or not."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _calls_of(item, where)
    if isinstance(value, str) and is_expression(value):
        try:
            parsed = parse(value)
        except TemplateError as error:
            raise error.within(where) from error
        yield from calls_in(parsed)


def _with_dependencies(
    resource: PlannedResource, others: Sequence[PlannedResource], evaluation: Evaluation
) -> PlannedResource:
    named = [_named(text, resource, others) for text in _depends_on(resource, evaluation)]
    implied = [_found(text, others) for text in _referenced(resource, evaluation)]
    wanted = {other.id: None for other in (*named, *implied) if other is not None and other.is_wanted}
    if resource.id in wanted:
        raise _circle(resource)
    return PlannedResource(
        resource.id, resource.kind, resource.name, resource.api_version, resource.is_wanted, resource.definition,
        tuple(wanted),
    )  # fmt: skip


def _depends_on(resource: PlannedResource, evaluation: Evaluation) -> list[str]:
    try:
        texts = evaluation.value(resource.definition.get("dependsOn") or [])
    except TemplateError as error:
        raise error.within(f"'dependsOn' of {resource.where}") from error
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise TemplateError(f"'dependsOn' of {resource.where} is no list of names.")
    return texts


def _referenced(resource: PlannedResource, evaluation: Evaluation) -> list[str]:
    """Return what the references in a resource's body name, as far as it can be known before anything exists."""
    targets: list[str] = []
    for call in _calls_of(resource.definition, resource.where):
        if call.function.lower() == "reference" and call.arguments:
            try:
                targets.append(str(evaluation.evaluate(call.arguments[0])))
            except TemplateError as error:
                raise error.within(resource.where) from error
    return targets


def _named(text: str, resource: PlannedResource, others: Sequence[PlannedResource]) -> PlannedResource:
    found = _found(text, others)
    if found is None:
        raise TemplateError(
            f"The resource '{text}' is not defined in the template, and '{resource.name}' depends on it. "
            "Please see https://aka.ms/arm-syntax for usage details."
        )
    return found


def _found(text: str, others: Sequence[PlannedResource]) -> PlannedResource | None:
    """Return the resource that an id, a type with a name, or a name alone means."""
    wanted = text.strip("/").lower()
    for other in others:
        ends = (other.id.strip("/"), f"{other.kind}/{other.name}", other.id.partition("/providers/")[2], other.name)
        if wanted in (end.lower() for end in ends):
            return other
    return None


def find_planned(text: str, resources: Sequence[PlannedResource]) -> PlannedResource | None:
    """Return the resource of a template that ``reference`` means, or None."""
    return _found(text, resources)


def _in_order(resources: Sequence[PlannedResource]) -> list[PlannedResource]:
    ordered: list[PlannedResource] = []
    done: set[str] = set()
    left = list(resources)
    while left:
        ready = [resource for resource in left if done.issuperset(resource.depends_on)]
        if not ready:
            raise _circle(left[0])
        ordered += ready
        done.update(resource.id for resource in ready)
        left = [resource for resource in left if resource.id not in done]
    return ordered


def _circle(resource: PlannedResource) -> TemplateError:
    return TemplateError(
        f"Circular dependency detected on resource: '{resource.id}'. "
        "Please see https://aka.ms/arm-syntax-resources for usage details."
    )


def _check_body(resource: PlannedResource, evaluation: Evaluation) -> None:
    """Find mistakes before anything is made; what asks for a resource that is not there yet is left for later."""
    has_references = any(
        call.function.lower() == "reference" for call in _calls_of(resource.definition, resource.where)
    )
    if resource.is_wanted and not has_references:
        resource.body(evaluation)
