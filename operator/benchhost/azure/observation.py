"""What Azure shows of a host, read once and told in the port's words.

``observe`` reads through whatever it is given and sends nothing itself; all but ``read_alone`` is pure.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

from benchhost.api.azure import PublicAddress
from benchhost.api.status import Address, AddressType
from benchhost.azure.clients import AzureClients
from benchhost.azure.disks import attached_disks, disks_of, sized
from benchhost.azure.interfaces import address_id_of, interface_id_of, is_elsewhere, owner_of
from benchhost.azure.names import HostNames, name_in
from benchhost.azure.pages import MODELS, describe_list, list_url, read_items
from benchhost.azure.resources import list_disks, resource
from benchhost.azure.states import state_of, to_state
from benchhost.azure.tags import read_owner, without_owner
from benchhost.cloud.machine import Machine, MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest, makes_interface_with_machine

_POWERS: Final[dict[str, MachinePower]] = {power.value.lower(): power for power in MachinePower}


class Reader(Protocol):
    """Gives the SDK's models of one host's resources, as fresh as it was asked for."""

    async def part(self, part: Part, at: str | None = None) -> Any | None:
        """A part that there is one of, by its name or where its ARM id says; None when it does not exist."""
        ...

    async def named(self, part: Part) -> Any | None:
        """A part that is called as this host's, whatever suffix its name has; None when there is none."""
        ...

    async def disks(self) -> list[Any]:
        """At least all disks that are called as this host's are."""
        ...


@dataclass(frozen=True, slots=True)
class ReadAlone:
    """Reads one host by itself, with a request for each part."""

    clients: AzureClients
    names: HostNames

    async def part(self, part: Part, at: str | None = None) -> Any | None:
        """A part, by a GET of its own."""
        expand = {"expand": "instanceView"} if part is Part.MACHINE else {}
        seen = ObservedPart(at, PartState.PENDING) if at is not None else None
        return await resource(self.clients, self.names, part, seen).get(**expand)

    async def named(self, part: Part) -> Any | None:
        """The first by name of those in the resource group."""
        azure = self.names.azure
        url = list_url(self.clients, part, azure.subscription_id, azure.resource_group)
        items = read_items(self.clients, url, describe_list(part, azure.resource_group))
        found = [item async for item in items if self.names.is_called(part, name_in(str(item.get("id"))))]
        return MODELS[part](min(found, key=lambda item: str(item["id"]).lower())) if found else None

    async def disks(self) -> list[Any]:
        """All disks of the resource group."""
        return await list_disks(self.clients, self.names)


async def observe(reader: Reader, request: HostRequest) -> Observation:
    """Look at every part of the host.

    Its disks are listed with all others of the resource group: one that was detached is found nowhere else, and a
    machine's body does not tell a disk's size in every state.
    """
    network = request.spec.azure.network.virtual_network
    shared = [Part.NETWORK] if network is not None and network.create else []
    disks, own, *networks = await _all(reader.disks(), _own_parts(reader, request), *map(reader.part, shared))
    return to_observation(request, {**own, **dict(zip(shared, networks, strict=True))}, disks)


def to_observation(request: HostRequest, models: Mapping[Part, Any | None], listed: Iterable[Any]) -> Observation:
    """What the SDK's models tell of this host.

    Parameters
    ----------
    request
        The host.
    models
        What carries the names of its parts, disks aside.
    listed
        The disks in its resource group.
    """
    machine = models.get(Part.MACHINE)
    disks = disks_of(request, machine, listed)
    parts = {part: to_part(model) for part, model in models.items() if model is not None}
    for part in {Part.INTERFACE, Part.ADDRESS} & parts.keys():
        model = models[part]
        owner, in_use = owner_of(request, part, model, machine), is_elsewhere(request, part, model)
        parts[part] = replace(parts[part], owner=owner, in_use=in_use)
    if disks.boot is not None:
        parts[Part.DISK] = disks.boot
    if machine is None:
        return Observation(parts=parts, data_disks=disks.data)
    addresses = to_addresses(models.get(Part.INTERFACE), models.get(Part.ADDRESS))
    shown = to_machine(machine, addresses)
    return Observation(
        parts=parts, machine=replace(shown, data_disks=sized(shown.data_disks, disks)), data_disks=disks.data
    )


async def _own_parts(reader: Reader, request: HostRequest) -> dict[Part, Any | None]:
    """The machine, its interface and its public address."""
    is_public = request.spec.azure.network.public_address is PublicAddress.STATIC
    attached = [Part.INTERFACE, Part.ADDRESS] if is_public else [Part.INTERFACE]
    if not makes_interface_with_machine(request.spec.azure):
        wanted = [Part.MACHINE, *attached]
        return dict(zip(wanted, await _all(*map(reader.part, wanted)), strict=True))
    machine = await reader.part(Part.MACHINE)
    if machine is None:
        # What is left of an earlier machine, where its deletion did not take everything along.
        return dict(zip(attached, await _all(*map(reader.named, attached)), strict=True))
    interface = await _referred(reader, Part.INTERFACE, interface_id_of(machine))
    address_id = address_id_of(interface) if is_public and interface is not None else None
    address = await _referred(reader, Part.ADDRESS, address_id)
    return {Part.MACHINE: machine, Part.INTERFACE: interface, Part.ADDRESS: address}


async def _referred(reader: Reader, part: Part, at: str | None) -> Any | None:
    return None if at is None else await reader.part(part, at)


async def _all(*readings: Awaitable[Any]) -> list[Any]:
    """All at once; the first error counts, after all have come back."""
    answers = await asyncio.gather(*readings, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return list(answers)


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
        state=to_state(state),
        owner=read_owner(tags),
        etag=body.get("etag"),
        tags=dict(tags),
    )


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
        data_disks=attached_disks(model),
        identity_ids=_identity_ids(model),
        boot_diagnostics=_boot_diagnostics(properties),
        is_spot=str(properties.get("priority") or "").lower() == "spot",
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


def _identity_ids(model: Any) -> frozenset[str]:
    """The user-assigned identities; ARM shows their ids in a case of its own."""
    assigned = model.identity.user_assigned_identities if model.identity is not None else None
    return frozenset(identity_id.lower() for identity_id in assigned or {})


def _boot_diagnostics(properties: Any) -> bool | None:
    profile = properties.diagnostics_profile
    diagnostics = profile.boot_diagnostics if profile is not None else None
    return diagnostics.enabled if diagnostics is not None else None


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
