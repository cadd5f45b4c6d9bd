"""ARM resource ids and the source of all generated identifiers.

Used by the whole emulator. Two ids that differ only in case name the same resource: compare `ResourceId.key`.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ResourceId:
    """The id of one resource in a resource group.

    Parameters
    ----------
    subscription, group
        Subscription id and resource group name.
    namespace
        For instance ``Microsoft.Network``.
    types, names
        One entry a level: ``("virtualNetworks", "subnets")`` and ``("vnet", "default")``.
    """

    subscription: str
    group: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    text: str = field(init=False, repr=False, compare=False)
    key: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        path = "".join(f"/{kind}/{name}" for kind, name in zip(self.types, self.names, strict=True))
        text = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{self.namespace}{path}"
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "key", text.lower())

    def __str__(self) -> str:
        """Return the id as ARM writes it."""
        return self.text

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def kind(self) -> str:
        """The full type, for instance ``Microsoft.Network/virtualNetworks/subnets``."""
        return "/".join((self.namespace, *self.types))

    @property
    def parent(self) -> ResourceId | None:
        """The resource that this one is nested in."""
        if len(self.types) == 1:
            return None
        return ResourceId(self.subscription, self.group, self.namespace, self.types[:-1], self.names[:-1])

    def child(self, kind: str, name: str) -> ResourceId:
        """Return the id of a resource nested in this one."""
        return ResourceId(self.subscription, self.group, self.namespace, (*self.types, kind), (*self.names, name))

    def sibling(self, kind: str, name: str) -> ResourceId:
        """Return the id of a top-level resource of the same provider in the same group."""
        return ResourceId(self.subscription, self.group, self.namespace, (kind,), (name,))

    def elsewhere(self, namespace: str, kind: str, name: str) -> ResourceId:
        """Return the id of a top-level resource of another provider in the same group."""
        return ResourceId(self.subscription, self.group, namespace, (kind,), (name,))


def resource_key(text: str) -> str:
    """Return what two spellings of one resource id have in common."""
    return text.rstrip("/").lower()


@dataclass(slots=True)
class IdentifierSource:
    """Makes GUIDs, MAC addresses and disk suffixes; the same seed makes the same ones."""

    random: random.Random

    def guid(self) -> str:
        """Return a version 4 GUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def hexadecimal(self, digits: int = 32) -> str:
        """Return that many lower-case hexadecimal digits."""
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def mac_address(self) -> str:
        """Return a MAC address from the range that Azure's virtual machines have."""
        return "-".join(("00", "0D", "3A", *(f"{self.random.getrandbits(8):02X}" for _ in range(3))))
