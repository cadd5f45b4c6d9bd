"""The names and ARM ids of a host's resources: they follow from the host and never change. Pure.

Read by everything in this package, so that a resource can be found again after any crash, by name alone.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from azure.mgmt.core.tools import parse_resource_id, resource_id
from benchhost.api.azure import AzureSpec
from benchhost.cloud.machine import ObservedPart, Owner, Part
from benchhost.cloud.provider import HostRequest

SUBNET: Final = "default"
"""The one subnet of a virtual network that is created for hosts."""

_NAME_LENGTH: Final = 50
"""With a hyphen and 8 digits 59 characters: below ARM's 64 for a Linux machine's name and its host name."""

_SUFFIX: Final = re.compile(r"-[0-9a-f]{8}$")
"""What Azure adds to the names of what a machine brings along; interface and address get the same one (an exported
template: azure-lifecycle.md, A)."""

_TYPES: Final[dict[Part, tuple[str, str]]] = {
    Part.NETWORK: ("Microsoft.Network", "virtualNetworks"),
    Part.ADDRESS: ("Microsoft.Network", "publicIPAddresses"),
    Part.INTERFACE: ("Microsoft.Network", "networkInterfaces"),
    Part.DISK: ("Microsoft.Compute", "disks"),
    Part.DATA_DISK: ("Microsoft.Compute", "disks"),
    Part.MACHINE: ("Microsoft.Compute", "virtualMachines"),
}
_WORDS: Final[dict[Part, str]] = {
    Part.NETWORK: "virtual network",
    Part.ADDRESS: "public IP address",
    Part.INTERFACE: "network interface",
    Part.DISK: "disk",
    Part.DATA_DISK: "disk",
    Part.MACHINE: "virtual machine",
}


@dataclass(frozen=True, slots=True)
class HostNames:
    """Where every part of one host is."""

    azure: AzureSpec
    machine: str

    @classmethod
    def of(cls, request: HostRequest) -> Self:
        """The names of this host's resources."""
        azure = request.spec.azure
        return cls(azure=azure, machine=azure.name or computed_name(request.owner))

    @property
    def is_computed(self) -> bool:
        """Whether the names hold the owner's digest, so that no other host can have them."""
        return self.azure.name is None

    def get(self, part: Part, lun: int | None = None) -> str | None:
        """The part's name in its resource group; None for a network that the spec gives by a subnet's id."""
        match part:
            case Part.MACHINE:
                return self.machine
            case Part.INTERFACE:
                return f"{self.machine}-nic"
            case Part.ADDRESS:
                return f"{self.machine}-ip"
            case Part.DISK:
                return f"{self.machine}-os"
            case Part.DATA_DISK:
                return f"{self.machine}-data-{lun}"
            case Part.NETWORK:
                network = self.azure.network.virtual_network
                return network.name if network else None

    def is_boot_disk(self, name: str) -> bool:
        """Whether the disk that the machine boots from is called so; ARM compares names without their case."""
        return name.lower() == f"{self.machine}-os".lower()

    def is_called(self, part: Part, name: str) -> bool:
        """Whether the host's interface or address is called so, be it made by itself or brought along."""
        return without_suffix(name) == str(self.get(part)).lower()

    def lun_of(self, name: str) -> int | None:
        """The logical unit number in the name of a data disk of this host; None for any other name."""
        prefix, lun = f"{self.machine}-data-", name[len(self.machine) + len("-data-") :]
        return int(lun) if name.lower().startswith(prefix.lower()) and lun.isdecimal() else None

    def is_disk(self, name: str) -> bool:
        """Whether a disk of this host is called so."""
        return self.is_boot_disk(name) or self.lun_of(name) is not None

    def id_of(self, part: Part, lun: int | None = None) -> str:
        """The part's ARM id.

        Raises
        ------
        ValueError
            For a network that is not named by the spec.
        """
        name = self.get(part, lun)
        if name is None:
            raise ValueError(f"the spec names no {part}")
        namespace, kind = _TYPES[part]
        return resource_id(
            subscription=self.azure.subscription_id,
            resource_group=self.azure.resource_group,
            namespace=namespace,
            type=kind,
            name=name,
        )

    def subnet_id(self) -> str:
        """The ARM id of the subnet that the host is attached to."""
        given = self.azure.network.subnet_id
        return given or f"{self.id_of(Part.NETWORK)}/subnets/{SUBNET}"

    def at(self, part: Part, seen: ObservedPart | None, lun: int | None = None) -> tuple[str, str]:
        """Resource group and name: those in the id that was seen, else those that a new one gets."""
        if seen is None:
            return self.azure.resource_group, self.get(part, lun) or ""
        found = parse_resource_id(seen.resource_id)
        return str(found.get("resource_group", "")), str(found.get("resource_name", ""))

    def describe(self, part: Part, lun: int | None = None, *, seen: ObservedPart | None = None) -> str:
        """The part in words, for messages."""
        group, name = self.at(part, seen, lun)
        return f"{_WORDS[part]} {name or '(unnamed)'} in resource group {group}"


def computed_name(owner: Owner) -> str:
    """A machine name that no other BenchHost in the world has, and that people recognise."""
    digest = hashlib.sha256(f"{owner.namespace}/{owner.name}/{owner.uid}".encode()).hexdigest()
    # A BenchHost's name may have dots, which a host name must not have.
    readable = owner.name.replace(".", "-")[:_NAME_LENGTH].rstrip("-")
    return f"{readable}-{digest[:8]}"


def name_in(arm_id: str) -> str:
    """The resource's own name at the end of an ARM id."""
    return str(parse_resource_id(arm_id).get("resource_name", ""))


def without_suffix(name: str) -> str:
    """A name, or an ARM id, without the digits that Azure adds to what a machine brings along; in lower case."""
    return _SUFFIX.sub("", name.lower())
