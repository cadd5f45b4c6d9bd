"""What Azure shows of a host, read once and told in the port's words.

``observe`` reads through whatever it is given and sends nothing itself; all but ``read_alone`` is pure.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Protocol

from benchhost.api.azure import PublicAddress
from benchhost.api.status import Address, AddressType
from benchhost.azure.bodies import Body, each, inside, text
from benchhost.azure.clients import AzureClients
from benchhost.azure.disks import attached_disks, disks_of, sized
from benchhost.azure.interfaces import address_id_of, interface_id_of, is_elsewhere, owner_of
from benchhost.azure.names import HostNames, name_in
from benchhost.azure.pages import describe_list, list_url, read_items
from benchhost.azure.polling import to_time
from benchhost.azure.resources import resource
from benchhost.azure.states import state_of
from benchhost.azure.tags import read_owner, without_owner
from benchhost.cloud.errors import DeferredError
from benchhost.cloud.machine import Machine, MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest, makes_interface_with_machine

_POWERS: Final[dict[str, MachinePower]] = {power.value.lower(): power for power in MachinePower}


class Reader(Protocol):
    """Gives one host's resources as ARM shows them, as fresh as it was asked for."""

    async def part(self, part: Part, at: str | None = None) -> Body | None:
        """A part that there is one of, by its name or where its ARM id says; None when it does not exist."""
        ...

    async def named(self, part: Part) -> Body | None:
        """A part that is called as this host's, whatever suffix its name has; None when there is none."""
        ...

    async def disks(self) -> list[Body]:
        """At least all disks that are called as this host's are."""
        ...

    async def likely(self, request: HostRequest) -> "Likely":
        """What the machine most likely refers to, where it takes time to find that out from the machine first."""
        ...


@dataclass(frozen=True, slots=True)
class Likely:
    """Interface and address of a host, read before it is known that its machine refers to them."""

    bodies: Mapping[Part, Body] = field(default_factory=dict)
    is_search: bool = False
    """Whether there is nothing else that is called as this host's."""


@dataclass(frozen=True, slots=True)
class ReadAlone:
    """Reads one host by itself, with a request for each part, as many at once as can be.

    ``known`` has the ids of interface and address as an earlier look has shown them.
    """

    clients: AzureClients
    names: HostNames
    known: Mapping[Part, str] = field(default_factory=dict)

    async def part(self, part: Part, at: str | None = None) -> Body | None:
        """A part, by a GET of its own."""
        expand = {"expand": "instanceView"} if part is Part.MACHINE else {}
        seen = ObservedPart(at, PartState.PENDING) if at is not None else None
        return await resource(self.clients, self.names, part, seen).get(**expand)

    async def named(self, part: Part) -> Body | None:
        """The first by name of those in the resource group."""
        found = [item async for item in self._list(part) if self.names.is_called(part, name_in(str(item.get("id"))))]
        return min(found, key=lambda item: str(item["id"]).lower(), default=None)

    async def disks(self) -> list[Body]:
        """All disks of the resource group."""
        return [item async for item in self._list(Part.DISK)]

    async def likely(self, request: HostRequest) -> Likely:
        """Interface and address: those of an earlier look, else those that are called as this host's."""
        found = await _all(*(self._likely(part, request) for part in _attached(request)))
        bodies = {part: body for part, body in zip(_attached(request), found, strict=True) if body is not None}
        return Likely(bodies, is_search=not self.known)

    async def _likely(self, part: Part, request: HostRequest) -> Body | None:
        if part in self.known:
            return await self.part(part, self.known[part])
        read = self.named if makes_interface_with_machine(request.spec.azure) else self.part
        return await read(part)

    def _list(self, part: Part) -> AsyncIterator[Body]:
        azure = self.names.azure
        url = list_url(self.clients, part, azure.subscription_id, azure.resource_group)
        return read_items(self.clients, url, describe_list(part, azure.resource_group))


async def observe(reader: Reader, request: HostRequest) -> Observation:
    """Look at every part of the host.

    Its disks are listed with all others of the resource group: one that was detached is found nowhere else, and a
    machine's body does not tell a disk's size in every state.
    """
    network = request.spec.azure.network.virtual_network
    shared = [Part.NETWORK] if network is not None and network.create else []
    disks, own, *networks = await _all(reader.disks(), _own_parts(reader, request), *map(reader.part, shared))
    return to_observation(request, {**own, **dict(zip(shared, networks, strict=True))}, disks)


def to_observation(request: HostRequest, bodies: Mapping[Part, Body | None], listed: Iterable[Body]) -> Observation:
    """What ARM tells of this host.

    Parameters
    ----------
    request
        The host.
    bodies
        What carries the names of its parts, disks aside.
    listed
        The disks in its resource group.
    """
    machine = bodies.get(Part.MACHINE)
    disks = disks_of(request, machine, listed)
    seen = {part: body for part, body in bodies.items() if body is not None}
    parts = {part: to_part(body) for part, body in seen.items()}
    for part in {Part.INTERFACE, Part.ADDRESS} & seen.keys():
        owner, in_use = owner_of(request, part, seen[part], machine), is_elsewhere(request, seen[part])
        parts[part] = replace(parts[part], owner=owner, in_use=in_use)
    if disks.boot is not None:
        parts[Part.DISK] = disks.boot
    if machine is None:
        return Observation(parts=parts, data_disks=disks.data)
    addresses = to_addresses(bodies.get(Part.INTERFACE), bodies.get(Part.ADDRESS))
    shown = to_machine(machine, addresses)
    return Observation(
        parts=parts, machine=replace(shown, data_disks=sized(shown.data_disks, disks)), data_disks=disks.data
    )


async def _own_parts(reader: Reader, request: HostRequest) -> dict[Part, Body | None]:
    """The machine, its interface and its public address: those that it refers to, whatever they are called."""
    machine, likely = await _all(reader.part(Part.MACHINE), reader.likely(request))
    if machine is None:
        return await _without_machine(reader, request, likely)
    interface = await _referred(reader, Part.INTERFACE, interface_id_of(machine), likely)
    at = address_id_of(interface) if interface is not None else None
    address = await _referred(reader, Part.ADDRESS, at, likely)
    return {Part.MACHINE: machine, Part.INTERFACE: interface, Part.ADDRESS: address}


async def _without_machine(reader: Reader, request: HostRequest, likely: Likely) -> dict[Part, Body | None]:
    """What was made for a machine, or is left of an earlier one where its deletion did not take everything along."""
    attached = _attached(request)
    if likely.is_search:
        return {part: likely.bodies.get(part) for part in attached}
    read = reader.named if makes_interface_with_machine(request.spec.azure) else reader.part
    return dict(zip(attached, await _all(*map(read, attached)), strict=True))


def _attached(request: HostRequest) -> list[Part]:
    """What a machine of this host has beside its disks."""
    is_public = request.spec.azure.network.public_address is PublicAddress.STATIC
    return [Part.INTERFACE, Part.ADDRESS] if is_public else [Part.INTERFACE]


async def _referred(reader: Reader, part: Part, at: str | None, likely: Likely) -> Body | None:
    if at is None:
        return None
    body = likely.bodies.get(part)
    return body if body is not None and str(body.get("id")).lower() == at.lower() else await reader.part(part, at)


async def _all(*readings: Awaitable[Any]) -> list[Any]:
    """All at once; the first error counts, after all have come back, and of turns to wait for the last."""
    answers = await asyncio.gather(*readings, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    if errors:
        raise max(errors, key=_turn)
    return list(answers)


def _turn(error: BaseException) -> timedelta:
    return error.retry_after if isinstance(error, DeferredError) else timedelta.max


def to_part(body: Body) -> ObservedPart:
    """A resource that ARM shows; a network is in use while anything is attached to one of its subnets."""
    subnets = each(body, "properties", "subnets")
    return ObservedPart(
        resource_id=str(body["id"]),
        state=state_of(body),
        owner=read_owner(body.get("tags")),
        in_use=any(inside(subnet, "properties").get("ipConfigurations") for subnet in subnets),
        etag=body.get("etag"),
        tags=dict(body.get("tags") or {}),
        size_gib=inside(body, "properties").get("diskSizeGB"),
    )


def part_from_json(body: Any) -> ObservedPart | None:
    """A resource as the answer to a write shows it; None for an answer without one."""
    return to_part(body) if isinstance(body, Mapping) and isinstance(body.get("id"), str) else None


def to_machine(body: Body, addresses: tuple[Address, ...] = ()) -> Machine:
    """A machine that ARM shows with its instance view."""
    properties, zones = inside(body, "properties"), body.get("zones") or ()
    statuses = each(properties, "instanceView", "statuses")
    provisioning = _last(statuses, "provisioningstate/")
    failed = provisioning if provisioning and "/failed" in _code(provisioning) else None
    return Machine(
        provider_id=f"azure://{body['id']}",
        vm_id=properties.get("vmId") or "",
        size=text(inside(properties, "hardwareProfile").get("vmSize")),
        power=_power(statuses),
        changed_at=to_time(provisioning.get("time")) if provisioning is not None else None,
        created_at=to_time(properties.get("timeCreated")),
        zone=zones[0] if zones else None,
        addresses=addresses,
        tags=without_owner(body.get("tags")),
        data_disks=attached_disks(body),
        # ARM shows their ids in a case of its own.
        identity_ids=frozenset(map(str.lower, inside(body, "identity", "userAssignedIdentities"))),
        boot_diagnostics=inside(properties, "diagnosticsProfile", "bootDiagnostics").get("enabled"),
        failure_code=_failure_code(failed["code"]) if failed else None,
        failure_message=failed.get("message") if failed else None,
    )


def to_addresses(interface: Body | None, public: Body | None) -> tuple[Address, ...]:
    """The addresses and names inside the network and outside, where they are known."""
    private = (
        inside(one, "properties").get("privateIPAddress") for one in each(interface, "properties", "ipConfigurations")
    )
    found = [
        *((AddressType.INTERNAL_IP, address) for address in private),
        (AddressType.EXTERNAL_IP, inside(public, "properties").get("ipAddress")),
        (AddressType.INTERNAL_DNS, _internal_name(interface)),
        (AddressType.EXTERNAL_DNS, inside(public, "properties", "dnsSettings").get("fqdn")),
    ]
    return tuple(Address(type=kind, address=address) for kind, address in found if address)


def _internal_name(interface: Body | None) -> str | None:
    """The name in Azure's own DNS; without a label of its own the machine's name under the network's suffix.

    The reference of Network Interfaces, ``internalDomainNameSuffix``: a DNS entry is made for the primary interface.
    """
    dns = inside(interface, "properties", "dnsSettings")
    suffix, machine = dns.get("internalDomainNameSuffix"), inside(interface, "properties", "virtualMachine").get("id")
    made = f"{name_in(str(machine))}.{suffix}" if suffix and machine else None
    return dns.get("internalFqdn") or made


def _last(statuses: Iterable[Body], prefix: str) -> Body | None:
    # "creating/osProvisioningComplete" stands beside the state proper, which comes first.
    return next((status for status in statuses if _code(status).startswith(prefix)), None)


def _code(status: Body) -> str:
    return str(status.get("code") or "").lower()


def _power(statuses: Iterable[Body]) -> MachinePower:
    status = _last(statuses, "powerstate/")
    return (
        MachinePower.UNKNOWN if status is None else _POWERS.get(_code(status).partition("/")[2], MachinePower.UNKNOWN)
    )


def _failure_code(code: str) -> str | None:
    """``ProvisioningState/failed/<Code>``."""
    words = code.split("/")
    return words[2] if len(words) > 2 else None  # noqa: PLR2004 - the third of three words
