"""A cloud in a state file, and one in which everything has been made that a cloud can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.capacity import CapacityFailure, CapacityLimit
from benchhost.emulator.cloud.compute.guest import note_lines
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.placement_groups import GroupType
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.quotas import MACHINES, QuotaLimit
from benchhost.emulator.state import SavedState
from benchhost.emulator.state.cells import content_of, find_slots
from benchhost.emulator.state.encoding import encode
from unit.emulator.deploying import deploy
from unit.emulator.driver import Cloud

if TYPE_CHECKING:
    from pathlib import Path

HIBERNATING = {"hibernationEnabled": True}
FULL_SIZE = "Standard_D4s_v5"
HOST_SIZE = "Standard_D2s_v3"
NETWORK_VERSION = "2022-11-01"


class KeptCloud(Cloud):
    """A cloud in a file, saved when told."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        super().__init__(seed)
        self.state = SavedState(path)
        self.state.attach({"subscription": self.subscription})

    def restart(self) -> KeptCloud:
        """As after kill -9: what was not saved is lost."""
        path = self.state._database.path
        self.state.close()
        # Another seed: whatever is drawn after the restart must come from the file.
        again = KeptCloud(path, seed=99)
        again.now = self.now
        return again

    def content(self) -> dict[str, Any]:
        """Everything, comparable."""
        slots = find_slots({"subscription": self.subscription})
        return {slot.path: encode(content_of(slot.value), slot.path) for slot in slots}

    def machines(self) -> list[VirtualMachine]:
        """Every machine."""
        return [resource for resource in self.subscription.store if isinstance(resource, VirtualMachine)]


def busy_cloud(path: Path) -> KeptCloud:
    """A cloud in which everything that a unit test can make has been made, with operations under way."""
    cloud = KeptCloud(path)
    cloud.network()
    cloud.address()
    cloud.address("gone")
    cloud.subscription.addresses.delete(cloud.network_id("publicIPAddresses", "gone"), now=cloud.now)
    cloud.pass_time()
    _limit(cloud)
    _place(cloud)
    _identify_and_lock(cloud)
    _hibernate(cloud)
    _fail(cloud)
    detaching = _put(cloud, "detaching", dataDisks=[{"lun": 0, "createOption": "Empty", "diskSizeGB": 16}])
    leaving = _put(cloud, "leaving")
    warned = _put(cloud, "warned", priority="Spot")
    machine = cloud.running_machine(cloud.machine_body())
    note_lines(machine, ["ssh-ed25519 AAAA root@vm"], cloud.now)
    cloud.act(machine, PowerAction.POWER_OFF)
    deploy(cloud, "deployed", method="Dynamic")
    cloud.pass_time()
    _begin(cloud, detaching, leaving, warned)
    deploy(cloud, "deploying", method="Dynamic")
    cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now)
    return cloud


def _limit(cloud: Cloud) -> None:
    allocator = cloud.subscription.allocator
    allocator.quotas.set(QuotaLimit(location="eastus", name=MACHINES, limit=50))
    allocator.capacity.set(
        CapacityLimit(location="eastus", scope=FULL_SIZE, machines=0, failure=CapacityFailure.ALLOCATION_FAILED)
    )


def _place(cloud: Cloud) -> None:
    """Put a machine on a dedicated host and another into a reserved slot."""
    allocator, groups = cloud.subscription.allocator, cloud.subscription.placement_groups
    ids = {kind: cloud.machine_id().sibling(kind, "group") for kind in GroupType}
    for kind, group_id in ids.items():
        properties = {"platformFaultDomainCount": 1} if kind is GroupType.HOSTS else {}
        groups[kind].put(group_id, {"location": "eastus", "properties": properties}, now=cloud.now)
    host = {"location": "eastus", "sku": {"name": "DSv3-Type1"}, "properties": {"platformFaultDomain": 0}}
    host_id = ids[GroupType.HOSTS].child("hosts", "host")
    allocator.dedicated_hosts.put(host_id, host, now=cloud.now)
    slot = {"location": "eastus", "sku": {"name": "Standard_D2s_v5", "capacity": 1}}
    allocator.reservations.put(ids[GroupType.RESERVATIONS].child("capacityReservations", "slot"), slot, now=cloud.now)
    cloud.pass_time()
    _put(cloud, "hosted", host={"id": str(host_id)}, hardwareProfile={"vmSize": HOST_SIZE})
    reserved = {"capacityReservationGroup": {"id": str(ids[GroupType.RESERVATIONS])}}
    _put(cloud, "reserved", capacityReservation=reserved)
    _put(cloud, "near", proximityPlacementGroup={"id": str(ids[GroupType.PROXIMITY])})


def _identify_and_lock(cloud: Cloud) -> None:
    identity_id = cloud.machine_id().elsewhere("Microsoft.ManagedIdentity", "userAssignedIdentities", "one")
    cloud.subscription.identities.put(identity_id, {"location": "eastus"}, now=cloud.now)
    machine = _put(cloud, "identified")
    identity = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {str(identity_id): {}}}
    cloud.subscription.machines.patch(machine.id, {"identity": identity, "tags": {"a": "b"}}, now=cloud.now)
    cloud.pass_time()
    cloud.subscription.locks.put(str(machine.id), "keep", {"level": "CanNotDelete", "notes": "why"})


def _hibernate(cloud: Cloud) -> None:
    machine = _put(cloud, "hibernated", additionalCapabilities=HIBERNATING)
    cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now, hibernate=True)
    cloud.pass_time()


def _fail(cloud: Cloud) -> None:
    """Let a creation fail, and leave the trace of a deletion."""
    _put(cloud, "failed", hardwareProfile={"vmSize": FULL_SIZE})


def _begin(cloud: Cloud, detaching: VirtualMachine, leaving: VirtualMachine, warned: VirtualMachine) -> None:
    """Begin what is only there until an operation has ended, or for a few minutes."""
    subscription = cloud.subscription
    gone = _put(cloud, "gone")
    cloud.delete(gone)
    cloud.pass_time()
    subscription.machines.patch(detaching.id, {"properties": {"storageProfile": {"dataDisks": []}}}, now=cloud.now)
    subscription.machines.delete(leaving.id, force=True, now=cloud.now)
    subscription.evictions.evict(warned, cloud.now)
    _put(cloud, "denied", wait=False, hardwareProfile={"vmSize": FULL_SIZE})
    cloud.put_machine(_configured(cloud), name="configured")
    image = {"publisher": "Nobody", "offer": "nothing", "sku": "none", "version": "latest"}
    with pytest.raises(ArmError, match="PlatformImageNotFound"):
        _put(cloud, "refused", wait=False, storageProfile={"imageReference": image})


def _put(cloud: Cloud, name: str, *, wait: bool = True, **properties: Any) -> VirtualMachine:
    """Create a machine with an interface of its own."""
    cloud.interface(f"nic-{name}")
    disks = properties.pop("dataDisks", None)
    body = cloud.machine_body(f"nic-{name}", **properties)
    body["properties"]["osProfile"]["customData"] = "IyEvYmluL3No"
    if disks is not None:
        body["properties"]["storageProfile"]["dataDisks"] = disks
    machine, _ = cloud.put_machine(body, name=name)
    if wait:
        cloud.pass_time()
    return machine


def _configured(cloud: Cloud) -> dict[str, Any]:
    """Return the body of a machine that makes its own interface."""
    subnet = str(cloud.network_id("virtualNetworks", "vnet").child("subnets", "default"))
    configuration = {
        "name": "made",
        "properties": {
            "primary": True,
            "ipConfigurations": [{"name": "ipconfig", "properties": {"subnet": {"id": subnet}, "primary": True}}],
        },
    }
    profile = {"networkApiVersion": NETWORK_VERSION, "networkInterfaceConfigurations": [configuration]}
    return cloud.machine_body(networkProfile=profile)
