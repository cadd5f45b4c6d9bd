"""What Azure shows of a host, read once and told in the port's words.

``observe`` reads through whatever it is given and sends nothing itself; all but ``read_alone`` is pure.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from benchhost.api.azure import PublicAddress
from benchhost.api.status import Address, AddressType
from benchhost.azure.clients import AzureClients
from benchhost.azure.names import HostNames, name_in
from benchhost.azure.resources import resource
from benchhost.azure.tags import read_owner, without_owner
from benchhost.cloud.machine import Machine, MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest

_STATES: Final[dict[str, PartState]] = {
    "succeeded": PartState.READY,
    "failed": PartState.FAILED,
    "canceled": PartState.FAILED,
    "deleting": PartState.DELETING,
}
"""Everything else (Creating, Updating, Migrating) is work under way."""
_POWERS: Final[dict[str, MachinePower]] = {power.value.lower(): power for power in MachinePower}


Read = Callable[[Part], Awaitable[Any | None]]
"""Gives the SDK's model of a part; None when it does not exist."""


async def read_alone(clients: AzureClients, names: HostNames, part: Part) -> Any | None:
    """Read a part by a GET of its own."""
    expand = {"expand": "instanceView"} if part is Part.MACHINE else {}
    return await resource(clients, names, part).get(**expand)


async def observe(read: Read, request: HostRequest) -> Observation:
    """Look at every part of the host.

    The disk is asked for only when no machine of this host vouches for it, as its body names the disk.
    """
    wanted = _parts_to_read(request)
    seen = dict(zip(wanted, await _read_all(read, wanted), strict=True))
    machine = seen.get(Part.MACHINE)
    parts = {part: to_part(model) for part, model in seen.items() if model is not None}
    disk = disk_of(machine, request) if machine is not None else None
    if disk is None:
        model = await read(Part.DISK)
        disk = to_disk(model, request) if model is not None else None
    if disk is not None:
        parts[Part.DISK] = disk
    if machine is None:
        return Observation(parts=parts)
    addresses = to_addresses(seen.get(Part.INTERFACE), seen.get(Part.ADDRESS))
    return Observation(parts=parts, machine=to_machine(machine, addresses))


def _parts_to_read(request: HostRequest) -> tuple[Part, ...]:
    network = request.spec.azure.network
    wanted = [
        (Part.MACHINE, True),
        (Part.INTERFACE, True),
        (Part.ADDRESS, network.public_address is PublicAddress.STATIC),
        (Part.NETWORK, network.virtual_network is not None and network.virtual_network.create),
    ]
    return tuple(part for part, needed in wanted if needed)


async def _read_all(read: Read, parts: Iterable[Part]) -> list[Any]:
    """All at once; the first error counts, after all have come back."""
    answers = await asyncio.gather(*map(read, parts), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return list(answers)


def state_of(model: Any) -> PartState:
    """The state of a resource, from its provisioningState."""
    state = model.properties.provisioning_state if model.properties is not None else None
    return _to_state(getattr(state, "value", state))


def _to_state(provisioning_state: Any) -> PartState:
    return _STATES.get(str(provisioning_state or "").lower(), PartState.PENDING)


def to_part(model: Any) -> ObservedPart:
    """A resource that ARM shows; a network is in use while anything is attached to one of its subnets."""
    subnets = getattr(model.properties, "subnets", None) or []
    in_use = any(subnet.properties is not None and subnet.properties.ip_configurations for subnet in subnets)
    return ObservedPart(
        resource_id=model.id,
        state=state_of(model),
        owner=read_owner(model.tags),
        in_use=bool(in_use),
        etag=getattr(model, "etag", None),
        tags=dict(model.tags or {}),
    )


def part_from_json(body: Any) -> ObservedPart | None:
    """A resource as the answer to a write shows it; None for an answer without one."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str):
        return None
    properties = body.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, Mapping) else None
    tags = body.get("tags") or {}
    return ObservedPart(
        resource_id=body["id"],
        state=_to_state(state),
        owner=read_owner(tags),
        etag=body.get("etag"),
        tags=dict(tags),
    )


def to_disk(model: Any, request: HostRequest) -> ObservedPart:
    """A disk that ARM shows. ARM copies the machine's tags to it, but not on every path.

    A computed name holds the owner's digest, so a disk with that name and no tags is this host's too.
    """
    owner = read_owner(model.tags)
    if owner is None and HostNames.of(request).is_computed:
        owner = request.owner
    return ObservedPart(
        resource_id=model.id,
        state=state_of(model),
        owner=owner,
        tags=dict(model.tags or {}),
        size_gib=model.properties.disk_size_gb,
    )


def disk_of(machine: Any, request: HostRequest) -> ObservedPart | None:
    """The disk as the body of this host's own machine tells; None when it has to be looked at itself."""
    if read_owner(machine.tags) != request.owner or state_of(machine) is PartState.DELETING:
        return None
    storage = machine.properties.storage_profile
    managed = storage.os_disk.managed_disk if storage and storage.os_disk else None
    if managed is None or not managed.id:
        return None
    if name_in(managed.id).lower() != str(HostNames.of(request).get(Part.DISK)).lower():
        return None
    return ObservedPart(resource_id=managed.id, state=PartState.READY, owner=request.owner)


def to_machine(model: Any, addresses: tuple[Address, ...] = ()) -> Machine:
    """A machine that ARM shows with its instance view."""
    properties = model.properties
    view = properties.instance_view
    statuses = list(view.statuses or []) if view is not None else []
    provisioning = _last(statuses, "provisioningstate/")
    failed = provisioning if provisioning and "/failed" in provisioning.code.lower() else None
    return Machine(
        provider_id=f"azure://{model.id}",
        vm_id=properties.vm_id or "",
        size=str(properties.hardware_profile.vm_size if properties.hardware_profile else ""),
        power=_power(statuses),
        changed_at=_time(provisioning.time if provisioning is not None else None),
        created_at=_time(properties.time_created),
        zone=model.zones[0] if model.zones else None,
        addresses=addresses,
        tags=without_owner(model.tags),
        failure_code=_failure_code(failed.code) if failed else None,
        failure_message=failed.message if failed else None,
    )


def to_addresses(interface: Any | None, public: Any | None) -> tuple[Address, ...]:
    """The private addresses of the interface and the public one, where they are known."""
    configurations = (interface.properties.ip_configurations or []) if interface is not None else []
    found = [
        Address(type=AddressType.INTERNAL_IP, address=configuration.properties.private_ip_address)
        for configuration in configurations
        if configuration.properties is not None and configuration.properties.private_ip_address
    ]
    if public is not None and public.properties.ip_address:
        found.append(Address(type=AddressType.EXTERNAL_IP, address=public.properties.ip_address))
    return tuple(found)


def _last(statuses: list[Any], prefix: str) -> Any | None:
    found = [status for status in statuses if (status.code or "").lower().startswith(prefix)]
    # "creating/osProvisioningComplete" stands beside the state proper, which comes first.
    return found[0] if found else None


def _power(statuses: list[Any]) -> MachinePower:
    status = _last(statuses, "powerstate/")
    if status is None:
        return MachinePower.UNKNOWN
    return _POWERS.get(status.code.partition("/")[2].lower(), MachinePower.UNKNOWN)


def _failure_code(code: str) -> str | None:
    """``ProvisioningState/failed/<Code>``."""
    words = code.split("/")
    return words[2] if len(words) > 2 else None  # noqa: PLR2004 - the third of three words


def _time(moment: Any) -> datetime | None:
    return moment if isinstance(moment, datetime) else None
