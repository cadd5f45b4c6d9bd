"""How much hardware there is: limits that somebody sets, and who takes what of it.

Without a limit there is room for everybody. Limits are set by the emulator's administration and asked by
`allocation`; the list of SKUs shows those that leave no room at all as restrictions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import MACHINE_SIZES, find_size
from benchhost.emulator.cloud.compute.machine import Claim, Priority, VirtualMachine
from benchhost.emulator.cloud.compute.reserved import reserved_claims

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.emulator.cloud.errors import ArmError
    from benchhost.emulator.cloud.resources import Resource, ResourceStore

EVERY_SIZE = "*"


class CapacityFailure(StrEnum):
    """How a missing capacity shows; the last two appear only after the request was accepted."""

    SKU_NOT_AVAILABLE = "SkuNotAvailable"
    ALLOCATION_FAILED = "AllocationFailed"
    OVERCONSTRAINED = "OverconstrainedAllocationRequest"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityLimit:
    """How many machines of a kind fit.

    Parameters
    ----------
    location, zone
        Where; without a zone the limit counts all machines of the region, in whichever zone.
    scope
        The name of a size or of a quota family, or ``*`` for every size.
    priority
        Spot machines have a capacity of their own.
    machines
        How many machines fit, 0 for none.
    failure
        How the lack of room shows. None chooses as Azure does: a size that is withheld, and spot capacity, at
        once with ``SkuNotAvailable`` (doc: error-codes-spot); a size that ran out after the request was accepted.
    """

    location: str
    scope: str
    machines: int
    zone: str | None = None
    priority: Priority = Priority.REGULAR
    failure: CapacityFailure | None = None

    @property
    def key(self) -> tuple[str, str, str | None, Priority]:
        """What there can be only one limit for."""
        return self.location, self.scope.lower(), self.zone, self.priority

    @property
    def shown_as(self) -> CapacityFailure:
        """How the lack of room shows."""
        if self.failure is not None:
            return self.failure
        is_withheld = self.machines == 0 or self.priority is Priority.SPOT
        return CapacityFailure.SKU_NOT_AVAILABLE if is_withheld else CapacityFailure.ALLOCATION_FAILED

    def covers(self, claim: Claim) -> bool:
        """Tell whether a claim counts against this limit."""
        if self.location != claim.location or self.priority is not claim.priority:
            return False
        if self.zone is not None and self.zone != claim.zone:
            return False
        return self.covers_size(claim.size)

    def covers_size(self, name: str) -> bool:
        """Tell whether machines of that size count against this limit."""
        size = find_size(name)
        family = "" if size is None else size.family.lower()
        return self.scope.lower() in (EVERY_SIZE, name.lower(), family)


class Capacity:
    """The limits of a subscription's regions.

    Parameters
    ----------
    store
        Where the machines are that take capacity.
    """

    def __init__(self, store: ResourceStore) -> None:
        self._store = store
        self.limits: list[CapacityLimit] = []

    def set(self, limit: CapacityLimit) -> None:
        """Set a limit, in the place of one for the same kind of capacity."""
        self.remove(limit)
        self.limits.append(limit)

    def remove(self, limit: CapacityLimit) -> None:
        """Lift a limit, whatever its number; one that is not there is fine."""
        self.limits = [other for other in self.limits if other.key != limit.key]

    def lacking(self, claim: Claim, *, but: Resource | None = None, number: int = 1) -> CapacityLimit | None:
        """Return the first limit that leaves no room for that many claims, or None; ``but`` is not counted."""
        for limit in self.limits:
            if limit.covers(claim) and self.used(limit, but=but) + number > limit.machines:
                return limit
        return None

    def used(self, limit: CapacityLimit, *, but: Resource | None = None) -> int:
        """Return how much of a limit machines and reservations take."""
        reserved = sum(
            number
            for reservation, claim, number in reserved_claims(self._store)
            if reservation is not but and limit.covers(claim)
        )
        return reserved + sum(1 for _ in self.holders(limit, but=but))

    def holders(self, limit: CapacityLimit, *, but: Resource | None = None) -> Iterator[VirtualMachine]:
        """Iterate over the machines that take general capacity that a limit counts, the oldest first."""
        for resource in self._store.list_of_kind("Microsoft.Compute/virtualMachines"):
            if not isinstance(resource, VirtualMachine) or resource is but:
                continue
            if resource.claim is not None and resource.claim.is_general and limit.covers(resource.claim):
                yield resource


def is_scope(text: str) -> bool:
    """Tell whether a limit can be set for that: a size, a quota family or ``*``."""
    families = {size.family.lower() for size in MACHINE_SIZES.values()}
    return text == EVERY_SIZE or find_size(text) is not None or text.lower() in families


def no_capacity(failure: CapacityFailure, claim: Claim, *, more: tuple[str, ...] = ()) -> ArmError:
    """Return the error for a claim that there is no room for; ``more`` are further constraints to name.

    Wording: SkuNotAvailable from Azure-Samples/azuresandbox#70; AllocationFailed and ZonalAllocationFailed from
    vmware-tanzu/community-edition#3963 and Azure's page on allocation failures; the overconstrained ones from
    jenkins-infra/azure#1416.
    """
    match failure:
        case CapacityFailure.SKU_NOT_AVAILABLE:
            return errors.conflict(
                "SkuNotAvailable",
                f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: "
                f"{claim.size}' is currently not available in location '{claim.location}'. Please try another "
                "size or deploy to a different location or different zone. See "
                "https://aka.ms/azureskunotavailable for details.",
            )
        case CapacityFailure.ALLOCATION_FAILED:
            place = "region" if claim.zone is None else "zone"
            return errors.conflict(
                "AllocationFailed" if claim.zone is None else "ZonalAllocationFailed",
                "Allocation failed. We do not have sufficient capacity for the requested VM size in this "
                f"{place}. Read more about improving likelihood of allocation success at "
                "http://aka.ms/allocation-guidance",
            )
        case CapacityFailure.OVERCONSTRAINED:
            constraints = ["Availability Zone"] if claim.zone is not None else []
            constraints += ["Low Priority VMs"] if claim.priority is Priority.SPOT else []
            lines = "".join(f"  - {constraint}\n" for constraint in (*constraints, *more, "VM Size"))
            return errors.conflict(
                f"Overconstrained{'' if claim.zone is None else 'Zonal'}AllocationRequest",
                "Allocation failed. VM(s) with the following constraints cannot be allocated, because the "
                "condition is too restrictive. Please remove some constraints and try again. Constraints "
                f"applied are:\n{lines}",
            )


def no_spot(machine: VirtualMachine) -> ArmError:
    """Return the refusal for lack of spot capacity (doc: error-codes-spot)."""
    return errors.conflict(
        "SkuNotAvailable",
        f"The requested tier for resource '{machine.id}' is currently not available in location "
        f"'{machine.location}' for subscription '{machine.id.subscription}'. Try another tier or deploy to a "
        "different location.",
    )
