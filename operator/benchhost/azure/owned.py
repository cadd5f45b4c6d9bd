"""What a cluster owns in one resource group, and the end of one such resource.

Called by the provider for the orphan sweep. The list is ARM's own index: one request a thousand resources, with the
creation time that Microsoft.Network's own lists do not have; it may lag behind. So nothing is deleted on its word:
``delete_owned`` reads the resource itself first, and leaves alone whatever does not carry the very same owner tags.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin

from azure.core.exceptions import HttpResponseError
from azure.mgmt.core.tools import parse_resource_id
from benchhost.api.conditions import Reason
from benchhost.azure.attempt import read_started
from benchhost.azure.budget import Caller, calling
from benchhost.azure.calls import azure_call, refusal_of
from benchhost.azure.clients import AzureClients
from benchhost.azure.names import without_suffix
from benchhost.azure.observation import part_from_json, to_part
from benchhost.azure.pages import read_items
from benchhost.azure.polling import to_time
from benchhost.azure.tags import is_shared_by, read_owner
from benchhost.azure.waiting import Flow
from benchhost.cloud.errors import AdminError, TransientError
from benchhost.cloud.machine import ObservedPart, Owner, Part, PartState
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.cloud.provider import Started

_API_VERSION: Final = "2021-04-01"
"""Of Microsoft.Resources: the newest that its reference pages name for this list."""
_NAMED: Final[tuple[tuple[str, str, Part], ...]] = (
    ("microsoft.compute/virtualmachines", "", Part.MACHINE),
    ("microsoft.network/networkinterfaces", "-nic", Part.INTERFACE),
    ("microsoft.network/publicipaddresses", "-ip", Part.ADDRESS),
    ("microsoft.compute/disks", "-os", Part.DISK),
    ("microsoft.compute/disks", "-data-", Part.DATA_DISK),
)
"""Types, and what the names of ours end in; see ``names.HostNames``."""
_NETWORK: Final = "microsoft.network/virtualnetworks"


async def list_owned(clients: AzureClients, scope: Scope, cluster: str) -> list[OwnedResource]:
    """Everything in the resource group that this cluster's controllers made and still own.

    A resource of a type or name that no controller makes does not count, whatever its tags: policies and people copy
    tags, and ARM copies a machine's to what belongs to it.

    Raises
    ------
    CloudError
        If Azure refuses to list. A resource group that does not exist has nothing in it.
    """
    with calling(Caller(f"list {scope}", location="", flow=Flow(""))):
        found = [to_owned(item, scope) async for item in _list_all(clients, scope)]
    ours = [resource for resource in found if resource is not None and resource.owner.cluster == cluster]
    return [await _with_users(clients, resource) if resource.part is Part.NETWORK else resource for resource in ours]


async def delete_owned(clients: AzureClients, resource: OwnedResource) -> Started:
    """Start to delete one resource, if it is still whose it was; already gone is success.

    Raises
    ------
    CloudError
        If Azure refuses, or the resource is somebody else's now.
    """
    with calling(_caller(resource)):
        return await _delete(clients, resource)


async def _delete(clients: AzureClients, resource: OwnedResource) -> Started:
    seen = await _read(clients, resource)
    if seen is None:
        return Started(finished=True)
    if seen.owner != resource.owner:
        raise AdminError(
            f"{resource.resource_id} was left alone: its owner tags have changed since it was listed.",
            reason=Reason.NOT_OWNED,
        )
    if seen.in_use:
        raise TransientError(f"{resource.resource_id} was left alone: it is in use.", code="InUse")
    if seen.state is PartState.DELETING:
        return Started()
    answers: list[Any] = []
    names = parse_resource_id(resource.resource_id)
    async with azure_call(clients.settings, f"delete {resource.part} {names['resource_name']}"):
        await _operations(clients, resource).begin_delete(
            names["resource_group"],
            names["resource_name"],
            polling=False,
            raw_response_hook=lambda response: answers.append(response.http_response),
        )
    return read_started(answers[-1], clients.settings)


def to_owned(item: Mapping[str, Any], scope: Scope) -> OwnedResource | None:
    """An item of ARM's list; None for what no controller made, or has let go."""
    owner = read_owner(item.get("tags"))
    part = _part_of(str(item.get("type", "")).lower(), str(item.get("name", "")), owner)
    if owner is None or part is None:
        return None
    seen = part_from_json({**item, "properties": {"provisioningState": item.get("provisioningState")}})
    return OwnedResource(
        scope=scope,
        part=part,
        resource_id=str(item["id"]),
        owner=owner,
        created_at=to_time(item.get("createdTime")),
        state=seen.state if seen is not None else PartState.PENDING,
        location=str(item.get("location") or ""),
    )


def _caller(resource: OwnedResource) -> Caller:
    """On whose behalf it is read and deleted: it counts against the limits that its host's own requests do."""
    return Caller(resource.resource_id, resource.location, Flow(resource.owner.namespace, ends_bill=True))


def _part_of(kind: str, name: str, owner: Owner | None) -> Part | None:
    if owner is None:
        return None
    if kind == _NETWORK:
        return Part.NETWORK if is_shared_by(owner, owner) else None
    if not (owner.namespace and owner.name and owner.uid):
        return None
    for own_kind, ending, part in _NAMED:
        # Only Azure's own suffix may follow: a disk that somebody copied is theirs.
        own_name = without_suffix(name) if part in (Part.INTERFACE, Part.ADDRESS) else name.lower()
        if kind == own_kind and _has_ending(own_name, ending):
            return part
    return None


def _has_ending(name: str, ending: str) -> bool:
    """Whether the name ends like this; after a hyphen at the end comes a number."""
    if not ending.endswith("-"):
        return name.endswith(ending)
    machine, _, number = name.rpartition(ending)
    return bool(machine) and number.isdecimal()


def _list_all(clients: AzureClients, scope: Scope) -> AsyncIterator[Mapping[str, Any]]:
    # Not filtered by tag: such a list comes without tags (reference of Resources - List By Resource Group, $filter).
    query = urlencode({"$expand": "createdTime,provisioningState", "api-version": _API_VERSION}, safe="$,")
    group = f"subscriptions/{quote(scope.subscription_id)}/resourceGroups/{quote(scope.resource_group)}"
    url = urljoin(f"{clients.settings.resource_manager_endpoint}/", f"{group}/resources?{query}")
    return read_items(clients, url, f"list resource group {scope.resource_group}")


async def _with_users(clients: AzureClients, resource: OwnedResource) -> OwnedResource:
    """A network with whether it is in use, which only its own body tells; taken for used when it cannot be seen."""
    with calling(_caller(resource)):
        seen = await _read(clients, resource)
    return replace(resource, in_use=seen is None or seen.in_use)


async def _read(clients: AzureClients, resource: OwnedResource) -> ObservedPart | None:
    names = parse_resource_id(resource.resource_id)
    async with azure_call(clients.settings, f"read {resource.part} {names['resource_name']}"):
        try:
            model = await _operations(clients, resource).get(names["resource_group"], names["resource_name"])
        except HttpResponseError as error:
            if error.response is not None and refusal_of(error.response).is_absence:
                return None
            raise
    return to_part(model)


def _operations(clients: AzureClients, resource: OwnedResource) -> Any:
    """The SDK's operation group: all have get and begin_delete, and no type in common."""
    compute = partial(clients.compute, resource.scope.subscription_id)
    network = partial(clients.network, resource.scope.subscription_id)
    match resource.part:
        case Part.MACHINE:
            return compute().virtual_machines
        case Part.DISK | Part.DATA_DISK:
            return compute().disks
        case Part.INTERFACE:
            return network().network_interfaces
        case Part.ADDRESS:
            return network().public_ip_addresses
        case Part.NETWORK:
            return network().virtual_networks
