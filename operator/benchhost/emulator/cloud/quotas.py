"""How much a subscription may have: cores of each family, cores of a region, spot cores, machines.

Azure refuses what exceeds a quota at once, before anything is tried. Nothing is limited until somebody limits it.
Deallocated machines count as well (doc: virtual-machines/quotas, and spot-vms for spot).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import MACHINE_SIZES, find_size
from benchhost.emulator.cloud.compute.machine import Priority, VirtualMachine
from benchhost.emulator.cloud.compute.reserved import reserved_claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.emulator.cloud.compute.machine import Claim
    from benchhost.emulator.cloud.resources import Resource, ResourceStore

REGIONAL_CORES = "cores"
SPOT_CORES = "lowPriorityCores"
MACHINES = "virtualMachines"
PUBLIC_ADDRESSES = "PublicIPAddresses"
UNLIMITED = 2_147_483_647
"""What is shown where there is no limit: the largest number of the field's type."""

FAMILIES = tuple(dict.fromkeys(size.family for size in MACHINE_SIZES.values()))
QUOTAS = (REGIONAL_CORES, MACHINES, SPOT_CORES, *FAMILIES)
"""The quotas of Microsoft.Compute, in the order of a recorded list (azure-cli, test_vm_usage)."""

_WORDS = {REGIONAL_CORES: "Total Regional Cores", SPOT_CORES: "LowPriorityCores", MACHINES: "Virtual Machines"}
"""How a refusal names a quota that is no family's (cb-spider#1558, karpenter-provider-azure#192; machines: assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLimit:
    """How much of something a subscription may have in a region.

    Parameters
    ----------
    location
        Where.
    name
        One of `QUOTAS` or `PUBLIC_ADDRESSES`.
    limit
        Cores, or things.
    """

    location: str
    name: str
    limit: int


class Quotas:
    """The quotas of a subscription.

    Parameters
    ----------
    store
        Where that is which counts against them.
    """

    def __init__(self, store: ResourceStore) -> None:
        self._store = store
        self.limits: list[QuotaLimit] = []

    def set(self, limit: QuotaLimit) -> None:
        """Set a limit, in the place of an earlier one."""
        self.remove(limit.location, limit.name)
        self.limits.append(limit)

    def remove(self, location: str, name: str) -> None:
        """Lift a limit; one that is not there is fine."""
        self.limits = [other for other in self.limits if (other.location, other.name) != (location, name)]

    def limit_of(self, location: str, name: str) -> int:
        """Return a limit, or `UNLIMITED`."""
        found = (limit.limit for limit in self.limits if (limit.location, limit.name) == (location, name))
        return next(found, UNLIMITED)

    def usage_of(self, location: str, name: str, *, but: Resource | None = None) -> int:
        """Return how much is used; ``but`` is not counted, and a machine in a reserved slot only once."""
        if name == PUBLIC_ADDRESSES:
            addresses = self._store.list_of_kind("Microsoft.Network/publicIPAddresses")
            return sum(1 for address in addresses if address.location == location)
        reserved = sum(
            number * _needs(claim.size, claim.priority).get(name, 0)
            for reservation, claim, number in reserved_claims(self._store)
            if reservation is not but and claim.location == location
        )
        machines = self._machines(location, but)
        return reserved + sum(_needs(machine.size, machine.priority).get(name, 0) for machine in machines)

    def require(self, claim: Claim, *, but: Resource | None, number: int = 1) -> None:
        """Refuse that many machines where they would exceed a quota; ``but`` is who asks, if it exists already.

        Raises
        ------
        ArmError
            ``OperationNotAllowed``, told apart from other ones by its message alone.
        """
        for name, needed in _needs(claim.size, claim.priority).items():
            limit = self.limit_of(claim.location, name)
            if limit == UNLIMITED:
                continue
            used = self.usage_of(claim.location, name, but=but)
            if used + number * needed > limit:
                raise _exceeded(claim.location, name, limit=limit, used=used, needed=number * needed)

    def require_address(self, location: str) -> None:
        """Refuse one more public address than there may be.

        Raises
        ------
        ArmError
            ``PublicIPCountLimitReached``.
        """
        limit = self.limit_of(location, PUBLIC_ADDRESSES)
        if self.usage_of(location, PUBLIC_ADDRESSES) < limit:
            return
        raise errors.network_error(
            "PublicIPCountLimitReached",
            f"Cannot create more than {limit} public IP addresses for this subscription in this region.",
        )

    def _machines(self, location: str, but: Resource | None) -> Iterator[VirtualMachine]:
        for resource in self._store.list_of_kind("Microsoft.Compute/virtualMachines"):
            if not isinstance(resource, VirtualMachine) or resource is but or resource.location != location:
                continue
            if resource.claim is None or resource.claim.is_general:
                yield resource


def quota_named(text: str) -> str | None:
    """Return the quota of that name in its own spelling, or None."""
    return next((name for name in (*QUOTAS, PUBLIC_ADDRESSES) if name.lower() == text.lower()), None)


def _needs(size_name: str, priority: Priority) -> dict[str, int]:
    size = find_size(size_name)
    if size is None:  # pragma: no cover - refused when the machine was written
        raise LookupError(size_name)
    if priority is Priority.SPOT:
        return {SPOT_CORES: size.cores, MACHINES: 1}
    return {size.family: size.cores, REGIONAL_CORES: size.cores, MACHINES: 1}


def _exceeded(location: str, name: str, *, limit: int, used: int, needed: int) -> errors.ArmError:
    words = _WORDS.get(name, f"{name} Cores")
    article = "per-vm-quota-requests" if name in FAMILIES else "regional-quota-requests"
    return errors.conflict(
        "OperationNotAllowed",
        f"Operation could not be completed as it results in exceeding approved {words} quota. Additional details - "
        f"Deployment Model: Resource Manager, Location: {location}, Current Limit: {limit}, Current Usage: {used}, "
        f"Additional Required: {needed}, (Minimum) New Limit Required: {used + needed}. Submit a request for Quota "
        "increase at https://aka.ms/ProdportalCRP/#blade/Microsoft_Azure_Capacity/UsageAndQuota.ReactView by "
        "specifying parameters listed in the 'Details' section for deployment to succeed. Please read more about "
        f"quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/{article}",
    )
