"""What a machine size can do beyond its cores: premium storage, accelerated networking, local disks, hibernation.

Derived from the letters of the size's name, as Azure's naming convention explains them (doc: vm-naming-conventions):
``s`` is premium storage, ``d`` a local disk, ``v6`` a local disk of NVMe. What no letter tells is in small tables by
quota family. Where documents disagree the size can do less, so that a client never relies on more than Azure gives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from benchhost.emulator.cloud.catalog import MACHINE_SIZES, MachineSize

_NAME = re.compile(r"Standard_(?P<family>[A-Z]+)\d+(?:-\d+)?(?P<letters>[a-z]*)(?:_[A-Z0-9]+)?(?:_v(?P<version>\d))?")

_CACHE_GIB_PER_CORE = {
    "standardDSv2Family": 43,
    "standardDSv3Family": 25,
    "standardESv3Family": 25,
    "standardDDSv4Family": 25,
    "standardEDSv4Family": 25,
    "standardFSv2Family": 16,
}
"""Cache of the host that an OS disk can be put on (doc: the size pages; Standard_D2s_v3 has 50 GiB as in
bosh-azure-cpi-release#674). Later families keep ephemeral OS disks on the local disk."""

_WITHOUT_HYPERTHREADING = frozenset({"standardDv2Family", "standardDSv2Family"})
_SINCE_EVERY_SIZE = 4
"""From this version of a family on, every size has accelerated networking; before, those with hyperthreading need
four cores and the others two (doc: create-vm-accelerated-networking)."""

_NVME_SINCE = 6
"""From this version on a local disk is NVMe (doc: ephemeral-os-disks)."""

_ACCELERATED_BURSTABLES = frozenset({"Standard_B12ms", "Standard_B16ms", "Standard_B20ms"})
"""The only burstable sizes of the first version with accelerated networking (doc: B-series sizes)."""

_HIBERNATING = frozenset(
    (
        *("standardDSv5Family", "standardDDSv5Family", "standardDASv5Family", "standardDADSv5Family"),
        *("standardESv5Family", "standardEDSv5Family", "standardEASv5Family", "standardEADSv5Family"),
    )
)
MAX_HIBERNATING_MIB = 64 * 1024
"""Families that hibernate, and the most memory that they may have (doc: hibernate-resume)."""


@dataclass(frozen=True, slots=True)
class SizeFeatures:
    """What a size can do.

    Parameters
    ----------
    has_premium_storage, has_accelerated_networking, can_hibernate
        Whether it supports each.
    cache_gib, temporary_gib, nvme_gib
        Room for an ephemeral OS disk on each kind of local storage; 0 where the size has none, or no premium storage,
        with which the documents name the sizes that have such disks.
    max_interfaces
        How many network interfaces it takes.
    """

    has_premium_storage: bool
    has_accelerated_networking: bool
    can_hibernate: bool
    cache_gib: int
    temporary_gib: int
    nvme_gib: int
    max_interfaces: int

    @property
    def has_ephemeral_disks(self) -> bool:
        """Whether an OS disk can be ephemeral on any of its local storage."""
        return max(self.cache_gib, self.temporary_gib, self.nvme_gib) > 0


@cache
def features_of(name: str) -> SizeFeatures:
    """Return what the size of that name, in any case, can do.

    Raises
    ------
    LookupError
        For a size that the catalogue does not have; callers have checked that before.
    """
    size = MACHINE_SIZES[name.lower()]
    found = _NAME.fullmatch(size.name)
    letters = found["letters"] if found else ""
    version = int(found["version"] or 1) if found else 1
    is_burstable = size.name.startswith("Standard_B")
    has_premium = is_burstable or _has_premium(size, letters)
    local_gib = size.resource_disk_mib // 1024 if has_premium else 0
    has_nvme = version >= _NVME_SINCE
    return SizeFeatures(
        has_premium_storage=has_premium,
        has_accelerated_networking=_has_accelerated_networking(size, version, is_burstable=is_burstable),
        can_hibernate=size.family in _HIBERNATING and size.memory_mib <= MAX_HIBERNATING_MIB,
        cache_gib=_CACHE_GIB_PER_CORE.get(size.family, 0) * size.cores,
        temporary_gib=0 if has_nvme else local_gib,
        nvme_gib=local_gib if has_nvme else 0,
        max_interfaces=_max_interfaces(size.cores),
    )


def accelerated_sizes() -> list[str]:
    """Return the names of all sizes with accelerated networking."""
    return [size.name for size in MACHINE_SIZES.values() if features_of(size.name).has_accelerated_networking]


def _has_premium(size: MachineSize, letters: str) -> bool:
    return "s" in letters or size.name.startswith("Standard_DS")


def _has_accelerated_networking(size: MachineSize, version: int, *, is_burstable: bool) -> bool:
    if size.name.startswith("Standard_A"):
        return False
    if is_burstable:
        return version > 1 or size.name in _ACCELERATED_BURSTABLES
    if version >= _SINCE_EVERY_SIZE:
        return True
    return size.cores >= (2 if size.family in _WITHOUT_HYPERTHREADING else 4)


def _max_interfaces(cores: int) -> int:
    """Return how many interfaces a size takes; the pages of current D and E sizes agree on these steps."""
    for up_to, interfaces in ((1, 2), (4, 2), (8, 4)):
        if cores <= up_to:
            return interfaces
    return 8
