"""What capacity reservations hold; counted by `capacity` and `quotas` like machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud.compute.machine import Claim, Priority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.emulator.cloud.resources import Resource, ResourceStore

KIND = "Microsoft.Compute/capacityReservationGroups/capacityReservations"


def claim_of(reservation: Resource) -> Claim:
    """Return the capacity that each slot of a reservation takes."""
    zones = reservation.extras.get("zones") or [None]
    return Claim(
        size=str(reservation.extras["sku"]["name"]),
        location=reservation.location,
        zone=zones[0],
        priority=Priority.REGULAR,
    )


def slots_of(reservation: Resource) -> int:
    """Return how many machines a reservation is for."""
    return int(reservation.extras["sku"]["capacity"])


def reserved_claims(store: ResourceStore) -> Iterator[tuple[Resource, Claim, int]]:
    """Iterate over all reservations: each, the capacity of one slot, and how many slots it has."""
    for reservation in store.list_of_kind(KIND):
        yield reservation, claim_of(reservation), slots_of(reservation)
