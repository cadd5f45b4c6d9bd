"""Which disks are one host's, and how they stand: told from the machine that has them and from the disks themselves.

Called by ``observation``. Pure. A disk is this host's by its owner tags, by a name that holds the owner's digest, or
because this host's machine has it: ARM copies a machine's tags to its disks, but not on every path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from benchhost.api.azure import Caching
from benchhost.azure.interfaces import owner_by_name
from benchhost.azure.names import HostNames, name_in
from benchhost.azure.states import state_of
from benchhost.azure.tags import read_owner
from benchhost.cloud.machine import AttachedDisk, ObservedPart, PartState
from benchhost.cloud.provider import HostRequest

_CACHING: Final = {caching.lower(): caching.value for caching in Caching}


@dataclass(frozen=True, slots=True)
class HostDisks:
    """The disks of one host that exist."""

    boot: ObservedPart | None = None
    data: Mapping[int, ObservedPart] = field(default_factory=dict)
    """By logical unit number, attached or not."""


def disks_of(request: HostRequest, machine: Any | None, listed: Iterable[Any]) -> HostDisks:
    """All disks of this host.

    Parameters
    ----------
    request
        The host.
    machine
        The SDK's model of the machine of this host's name, whoever owns it; None when there is none.
    listed
        The SDK's models of the disks in its resource group.
    """
    by_id = {model.id.lower(): to_disk(model, request, machine) for model in listed}
    boot, data = _by_name(request, by_id.values())
    if machine is None or not _vouches(machine, request):
        return HostDisks(boot, data)
    attached = {disk.lun: disk for disk in attached_disks(machine) if disk.resource_id}
    taken = {disk.resource_id.lower() for disk in attached.values()}
    loose = {lun: part for lun, part in data.items() if part.resource_id.lower() not in taken}
    vouched = boot_disk_of(machine, request)
    if vouched is not None:
        boot = _vouched(vouched, by_id)
    return HostDisks(boot, loose | {lun: _attached(disk, request, by_id) for lun, disk in attached.items()})


def to_disk(model: Any, request: HostRequest, machine: Any | None = None) -> ObservedPart:
    """A disk that ARM shows, beside the machine of this host's name."""
    names, owner = HostNames.of(request), read_owner(model.tags)
    if owner is None and names.is_disk(name_in(model.id)):
        owner = owner_by_name(request, machine)
    user = model.managed_by
    return ObservedPart(
        resource_id=model.id,
        state=state_of(model),
        owner=owner,
        in_use=bool(user) and name_in(user).lower() != names.machine.lower(),
        tags=dict(model.tags or {}),
        size_gib=model.properties.disk_size_gb,
    )


def attached_disks(machine: Any) -> tuple[AttachedDisk, ...]:
    """The data disks as the machine's body has them, by logical unit number."""
    storage = machine.properties.storage_profile
    disks = [
        AttachedDisk(
            lun=disk.lun,
            resource_id=(disk.managed_disk.id if disk.managed_disk else None) or "",
            size_gib=disk.disk_size_gb,
            caching=_CACHING.get(str(disk.get("caching")).lower()),
        )
        for disk in (storage.data_disks or [] if storage is not None else [])
    ]
    return tuple(sorted(disks, key=lambda disk: disk.lun))


def sized(attached: tuple[AttachedDisk, ...], disks: HostDisks) -> tuple[AttachedDisk, ...]:
    """The attached disks with the sizes that they have by now; a machine's body keeps an older one, or none."""
    sizes = {lun: part.size_gib for lun, part in disks.data.items()}
    return tuple(replace(disk, size_gib=sizes.get(disk.lun) or disk.size_gib) for disk in attached)


def boot_disk_of(machine: Any, request: HostRequest) -> ObservedPart | None:
    """The disk it boots from as the body of this host's own machine tells; None when it has to be looked at itself."""
    if not _vouches(machine, request):
        return None
    storage = machine.properties.storage_profile
    managed = storage.os_disk.managed_disk if storage and storage.os_disk else None
    if managed is None or not managed.id:
        return None
    if not HostNames.of(request).is_boot_disk(name_in(managed.id)):
        return None
    return ObservedPart(resource_id=managed.id, state=PartState.READY, owner=request.owner)


def _vouches(machine: Any, request: HostRequest) -> bool:
    """Whether what the machine has is this host's: it is, until its deletion begins."""
    return read_owner(machine.tags) == request.owner and state_of(machine) is not PartState.DELETING


def _by_name(
    request: HostRequest, parts: Iterable[ObservedPart]
) -> tuple[ObservedPart | None, dict[int, ObservedPart]]:
    """Those that are called as this host's disks are."""
    names = HostNames.of(request)
    boot: ObservedPart | None = None
    data: dict[int, ObservedPart] = {}
    for part in parts:
        name = name_in(part.resource_id)
        lun = names.lun_of(name)
        if lun is not None:
            data[lun] = part
        elif names.is_boot_disk(name):
            boot = part
    return boot, data


def _vouched(part: ObservedPart, by_id: Mapping[str, ObservedPart]) -> ObservedPart:
    """A disk that the machine vouches for, with what is known of the disk itself."""
    seen = by_id.get(part.resource_id.lower())
    return part if seen is None else replace(seen, owner=part.owner)


def _attached(disk: AttachedDisk, request: HostRequest, by_id: Mapping[str, ObservedPart]) -> ObservedPart:
    """An attached disk; one that is called otherwise was attached by somebody else and stays theirs."""
    if HostNames.of(request).is_disk(name_in(disk.resource_id)):
        part = ObservedPart(disk.resource_id, PartState.READY, request.owner, size_gib=disk.size_gib)
        return _vouched(part, by_id)
    seen = by_id.get(disk.resource_id.lower())
    return seen or ObservedPart(disk.resource_id, PartState.READY, size_gib=disk.size_gib)
