"""What every service of the subscription works on, and the checks that every write begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.resources import ProvisioningState, Resource
from benchhost.emulator.cloud.zones import require_zones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.emulator.cloud.groups import ResourceGroups
    from benchhost.emulator.cloud.identifiers import IdentifierSource, ResourceId
    from benchhost.emulator.cloud.operations import Operations
    from benchhost.emulator.cloud.resources import ResourceStore

Body = dict[str, Any]
"""A JSON object as the client sent it."""

MAX_TAGS = 50
"""ARM's limit of tags on a resource."""

_EXTRAS = ("sku", "zones", "identity", "plan", "extendedLocation", "kind")


@dataclass(frozen=True, slots=True)
class Context:
    """The state of one subscription, shared by its services.

    Parameters
    ----------
    subscription_id, tenant_id
        Whose it is.
    locations
        Names of the regions, such as ``eastus``.
    identifiers
        Gives all generated ids.
    operations, groups, store
        What there is.
    scale
        What recorded durations are multiplied by.
    """

    subscription_id: str
    tenant_id: str
    locations: tuple[str, ...]
    identifiers: IdentifierSource
    operations: Operations
    groups: ResourceGroups
    store: ResourceStore
    scale: float


def normalize_location(text: str) -> str:
    """Return ``eastus`` for ``East US``."""
    return text.replace(" ", "").lower()


def properties_of(body: Mapping[str, Any]) -> Body:
    """Return ``properties`` of a body, or an empty object.

    Raises
    ------
    ArmError
        When it is no object.
    """
    properties = body.get("properties")
    if properties is None:
        return {}
    if not isinstance(properties, dict):
        raise errors.bad_request("InvalidRequestContent", "The request content was invalid: 'properties' is no object.")
    return properties


def tags_of(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a body.

    Names that differ in case only are one tag (doc: tag-resources, names are case-insensitive and values are not): it
    keeps the name as it came first and the value that came last. What Azure does with two in one body is not recorded.

    Raises
    ------
    ArmError
        For tags that are no map of strings, or too many.
    """
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.bad_request("InvalidRequestContent", "The request content was invalid: tags are strings.")
    names: dict[str, str] = {}
    folded = {names.setdefault(name.lower(), name): value for name, value in tags.items()}
    if len(folded) > MAX_TAGS:
        raise errors.bad_request(
            "InvalidTagNumber", f"The number of tags {len(folded)} exceeds the maximum number of {MAX_TAGS}."
        )
    return folded


def extras_of(body: Mapping[str, Any]) -> Body:
    """Return the top-level fields that are neither name, location, tags nor properties."""
    return {name: body[name] for name in _EXTRAS if body.get(name) is not None}


def location_of(context: Context, body: Mapping[str, Any], resource_id: ResourceId) -> str:
    """Return the location that a PUT names.

    Raises
    ------
    ArmError
        When there is none, it is not offered, or the resource is already somewhere else.
    """
    text = body.get("location")
    if not isinstance(text, str) or not text:
        raise errors.location_required()
    location = normalize_location(text)
    if location not in context.locations:
        raise errors.location_not_available(text, resource_id.kind, context.locations)
    existing = context.store.find(resource_id)
    if existing is not None and existing.location != location:
        raise errors.location_changed(
            resource_id.name, resource_id.group, existing=existing.location, requested=location
        )
    return location


def new_resource(context: Context, resource_id: ResourceId, body: Body, *, now: float) -> Resource:
    """Return a resource made from the common part of a body; it is not stored yet."""
    location = location_of(context, body, resource_id)
    require_zones(resource_id, location, body.get("zones"))
    return Resource(
        id=resource_id,
        location=location,
        tags=tags_of(body),
        extras=extras_of(body),
        guid=context.identifiers.guid(),
        created_at=now,
        etag=context.identifiers.guid(),
    )


def touch(context: Context, resource: Resource) -> None:
    """Record that a resource has changed."""
    resource.revision += 1
    resource.etag = context.identifiers.guid()


def reference_id(value: object) -> str | None:
    """Return the id in a sub-resource reference ``{"id": ...}``, or None where there is none."""
    if not isinstance(value, dict):
        return None
    found = value.get("id")
    return found if isinstance(found, str) and found else None


def same_region_or_missing(context: Context, text: str, *, location: str, referrer: str) -> Resource:
    """Return the resource that is referred to.

    Raises
    ------
    ArmError
        ``InvalidResourceReference`` when it is not there or is in another region.
    """
    found = context.store.find(text)
    if found is None or found.location != location:
        raise errors.invalid_reference(text, referrer)
    if found.provisioning_state is ProvisioningState.DELETING:
        raise errors.invalid_reference(text, referrer)
    return found
