"""Which disks are one host's, and how they stand: told from the machine that has them and from the disks themselves.

Called by ``observation``. Pure. A disk is this host's by its owner tags, by a name that holds the owner's digest, or
because this host's machine has it: ARM copies a machine's tags to its disks, but not on every path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from benchhost.api.azure import Caching
from benchhost.azure.bodies import Body, each, inside, text
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


def disks_of(request: HostRequest, machine: Body | None, listed: Iterable[Body]) -> HostDisks:
    """All disks of this host.

    Parameters
    ----------
    request
        The host.
    machine
        The machine of this host's name, whoever owns it; None when there is none.
    listed
        The disks in its resource group.
    """
    by_id = {str(body["id"]).lower(): to_disk(body, request, machine) for body in listed}
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


def to_disk(body: Body, request: HostRequest, machine: Body | None = None) -> ObservedPart:
    """A disk that ARM shows, beside the machine of this host's name."""
    names, owner, resource_id = HostNames.of(request), read_owner(body.get("tags")), str(body["id"])
    if owner is None and names.is_disk(name_in(resource_id)):
        owner = owner_by_name(request, machine)
    user = body.get("managedBy")
    return ObservedPart(
        resource_id=resource_id,
        state=state_of(body),
        owner=owner,
        in_use=bool(user) and name_in(str(user)).lower() != names.machine.lower(),
        tags=dict(body.get("tags") or {}),
        size_gib=inside(body, "properties").get("diskSizeGB"),
    )


def attached_disks(machine: Body) -> tuple[AttachedDisk, ...]:
    """The data disks as the machine's body has them, by logical unit number."""
    disks = [
        AttachedDisk(
            lun=disk["lun"],
            resource_id=str(inside(disk, "managedDisk").get("id") or ""),
            size_gib=disk.get("diskSizeGB"),
            caching=_CACHING.get(text(disk.get("caching")).lower()),
        )
        for disk in each(machine, "properties", "storageProfile", "dataDisks")
    ]
    return tuple(sorted(disks, key=lambda disk: disk.lun))


def sized(attached: tuple[AttachedDisk, ...], disks: HostDisks) -> tuple[AttachedDisk, ...]:
    """The attached disks with the sizes that they have by now; a machine's body keeps an older one, or none."""
    sizes = {lun: part.size_gib for lun, part in disks.data.items()}
    return tuple(replace(disk, size_gib=sizes.get(disk.lun) or disk.size_gib) for disk in attached)


def boot_disk_of(machine: Body, request: HostRequest) -> ObservedPart | None:
    """The disk it boots from as the body of this host's own machine tells; None when it has to be looked at itself."""
    if not _vouches(machine, request):
        return None
    disk_id = str(inside(machine, "properties", "storageProfile", "osDisk", "managedDisk").get("id") or "")
    if not disk_id or not HostNames.of(request).is_boot_disk(name_in(disk_id)):
        return None
    return ObservedPart(resource_id=disk_id, state=PartState.READY, owner=request.owner)


def _vouches(machine: Body, request: HostRequest) -> bool:
    """Whether what the machine has is this host's: it is, until its deletion begins."""
    return read_owner(machine.get("tags")) == request.owner and state_of(machine) is not PartState.DELETING


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
    names = HostNames.of(request)
    # An adopted machine may have brought a disk that is called as ours would be: then only tags tell.
    may_go_by_name = names.is_computed or not request.spec.adopt
    if may_go_by_name and names.is_disk(name_in(disk.resource_id)):
        part = ObservedPart(disk.resource_id, PartState.READY, request.owner, size_gib=disk.size_gib)
        return _vouched(part, by_id)
    seen = by_id.get(disk.resource_id.lower())
    return seen or ObservedPart(disk.resource_id, PartState.READY, size_gib=disk.size_gib)
