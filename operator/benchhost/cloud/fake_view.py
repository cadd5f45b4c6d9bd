"""What the in-memory cloud shows of a host.

Part of ``benchhost.cloud.fake``; nobody else needs it.
"""

from dataclasses import replace

from benchhost.api.azure import PublicAddress
from benchhost.cloud.fake_resources import FakeResource, HostResources
from benchhost.cloud.fake_store import FakeStore
from benchhost.cloud.machine import AttachedDisk, Machine, Observation, ObservedPart, Part
from benchhost.cloud.provider import HostRequest


def observe(store: FakeStore, request: HostRequest) -> Observation:
    """Everything that carries the names of the host's parts, whoever owns it."""
    host = HostResources(request)
    found = {part: store.resources.get(host.id_of(part)) for part in _parts_of(request)}
    disks = {
        seen.lun: _to_part(store, seen)
        for seen in store.resources.values()
        if seen.lun is not None and seen.id == host.id_of(Part.DATA_DISK, seen.lun)
    }
    parts = {part: _to_part(store, seen) for part, seen in found.items() if seen is not None}
    machine = found[Part.MACHINE]
    shown = _to_machine(store, host, machine) if machine is not None else None
    return Observation(parts=parts, machine=shown, data_disks=disks)


def _parts_of(request: HostRequest) -> tuple[Part, ...]:
    network = request.spec.azure.network
    hidden = {Part.DATA_DISK}
    if network.public_address is not PublicAddress.STATIC:
        hidden.add(Part.ADDRESS)
    if network.virtual_network is None or not network.virtual_network.create:
        hidden.add(Part.NETWORK)
    return tuple(part for part in Part if part not in hidden)


def _to_part(store: FakeStore, seen: FakeResource) -> ObservedPart:
    in_use = seen.part is Part.NETWORK and store.user_of(seen.id) is not None
    return ObservedPart(resource_id=seen.id, state=seen.state, owner=seen.owner, in_use=in_use, size_gib=seen.size_gib)


def _to_machine(store: FakeStore, host: HostResources, seen: FakeResource) -> Machine | None:
    if seen.machine is None:
        return None
    return replace(
        seen.machine,
        tags=dict(seen.tags),
        addresses=seen.machine.addresses or host.addresses(store.resources),
        data_disks=tuple(_to_attached(store, disk) for disk in seen.machine.data_disks),
    )


def _to_attached(store: FakeStore, disk: AttachedDisk) -> AttachedDisk:
    seen = store.resources.get(disk.resource_id)
    return replace(disk, size_gib=seen.size_gib) if seen is not None else disk
