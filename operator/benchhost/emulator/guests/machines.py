"""Which guests there have to be, and how each is: read off the emulated cloud, which is never changed here.

Called by `guests` whenever something may have happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.compute.guest import event_of, last_boot
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine
from benchhost.emulator.cloud.compute.machines import KIND
from benchhost.emulator.cloud.context import reference_id
from benchhost.emulator.cloud.network.public_addresses import ADDRESS
from benchhost.emulator.cloud.resources import ProvisioningState
from benchhost.emulator.guests.disk import Account
from benchhost.emulator.guests.guest import Setting

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.hosts import SpeedFactors
    from benchhost.emulator.cloud.subscription import Subscription

FASTEST = 1.15
"""The speed, as `speed_of` has it, of a host that slows nothing down: two standard deviations above the middle of all
hosts. The two in a hundred that are faster are as fast as this one, since no laptop can be made faster than it is."""

SLOWEST = 0.05
"""No draw is so slow; a limit for factors that somebody sets."""

_DISKS = "microsoft.compute/disks"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedGuest:
    """A guest that has to be there.

    Parameters
    ----------
    setting
        What it is, from one boot to the next.
    public_address
        The address of its machine, None for a machine that has none.
    speed
        The share of the time that it runs.
    """

    setting: Setting
    public_address: str | None
    speed: float


def speed_of(factors: SpeedFactors) -> float:
    """Return how fast a program is on a host that waits for its processor and for its memory half the time each.

    Processors differ by 1 % and memory by 14 % (`VARIATION`); a program that uses one of them only is not slowed down
    exactly as it would be in Azure, since what is slowed down here is all that it does.
    """
    return 2.0 / (1.0 / factors.cpu + 1.0 / factors.memory)


def machines_of(subscription: Subscription) -> list[VirtualMachine]:
    """Return all machines."""
    found = subscription.store.list_of_kind(KIND)
    return [machine for machine in found if isinstance(machine, VirtualMachine)]


def wanted_guest(subscription: Subscription, machine: VirtualMachine) -> WantedGuest | None:
    """Return the guest of a machine, None while it has to be down or has nobody to let in."""
    disk, placement, boot = disk_of(subscription, machine), machine.placement, last_boot(machine)
    if machine.power is not PowerState.RUNNING or disk is None or placement is None or boot is None:
        return None
    operation = subscription.operations.running_on(machine)
    if operation is not None and event_of(machine, operation) is not None:
        return None  # it boots or goes down
    if machine.provisioning_state is ProvisioningState.DELETING or machine.os_disk.get("osType") == "Windows":
        return None
    profile = machine.properties.get("osProfile") or {}
    keys = ((profile.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or ()
    setting = Setting(
        disk=disk,
        boot=f"{boot.kind} {boot.ended!r}",
        account=Account(
            user=str(profile.get("adminUsername") or ""),
            keys=tuple(str(key.get("keyData") or "") for key in keys),
        ),
        hostname=str(profile.get("computerName") or machine.id.name),
        custom_data=machine.custom_data,
    )
    factors = subscription.allocator.hosts.hosts[placement.host_id].factors
    speed = min(1.0, max(SLOWEST, speed_of(factors) / FASTEST))
    return WantedGuest(setting=setting, public_address=public_address_of(subscription, machine), speed=speed)


def disk_of(subscription: Subscription, machine: VirtualMachine) -> str | None:
    """Return the name of a machine's OS disk, which is another after it was lost; None before there is one."""
    if machine.has_ephemeral_disk:
        return f"{machine.guid}-{machine.provisionings}"
    text = reference_id(machine.os_disk.get("managedDisk"))
    disk = None if text is None else subscription.store.find(text)
    return None if disk is None else disk.guid


def disks_of(subscription: Subscription) -> set[str]:
    """Return the names of all disks that a guest may have."""
    managed = {disk.guid for disk in subscription.store.list_of_kind(_DISKS)}
    ephemeral = {disk_of(subscription, machine) for machine in machines_of(subscription) if machine.has_ephemeral_disk}
    return managed | {name for name in ephemeral if name is not None}


def public_address_of(subscription: Subscription, machine: VirtualMachine) -> str | None:
    """Return the first public address of a machine."""
    for text in machine.interface_ids:
        interface = subscription.store.find(text)
        for address in [] if interface is None else subscription.interfaces.public_addresses_of(interface):
            found = address.properties.get(ADDRESS)
            if found is not None:
                return str(found)
    return None
