"""Paths that name a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import normalize_location

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import ArmRequest


def offered_location(request: ArmRequest, locations: tuple[str, ...]) -> str:
    """Return the region of a path ``subscriptions/*/providers/NAMESPACE/locations/*/…``.

    Raises
    ------
    ArmError
        ``LocationNotAvailableForResourceType`` for a region that is not offered.
    """
    location = normalize_location(request.path.names[1])
    if location not in locations:
        kind = "/".join((request.path.provider or "", *request.path.types))
        raise errors.location_not_available(location, kind, locations)
    return location
