"""Availability zones: which locations and sizes have them, and what has to be in the same one.

Wording: recorded errors of public reports, named at each function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from benchhost.emulator.cloud.catalog import MachineSize
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.resources import Resource

WITHOUT_ZONES = frozenset(
    (
        *("westus", "northcentralus", "westcentralus", "canadaeast", "brazilsoutheast", "ukwest", "francesouth"),
        *("germanynorth", "norwaywest", "switzerlandwest", "southindia", "westindia", "koreasouth", "uaecentral"),
        *("southafricawest", "australiacentral", "australiacentral2", "australiasoutheast"),
    )
)
"""Regions that have no zones (doc: the list of Azure regions); every other one has three."""

_THREE = ("1", "2", "3")
_IN_ONE_ZONE = frozenset({"standardhbv3family", "standardncasv3_t4family"})
"""Families of special hardware that a region has in its first zone only; assumption, Azure's list differs by region."""


def zones_of(location: str) -> tuple[str, ...]:
    """Return the zones of a location."""
    return () if location in WITHOUT_ZONES else _THREE


def zones_of_size(size: MachineSize, location: str) -> tuple[str, ...]:
    """Return the zones of a location in which a size can be had."""
    zones = zones_of(location)
    return zones[:1] if size.family.lower() in _IN_ONE_ZONE else zones


def require_zones(resource_id: ResourceId, location: str, zones: Any) -> None:
    """Refuse zones that a location does not have.

    Raises
    ------
    ArmError
        ``LocationNotSupportAvailabilityZones`` or ``InvalidAvailabilityZone`` (terraform-provider-azurerm#6296).
    """
    if not zones:
        return
    known = zones_of(location)
    name = f"{resource_id.kind}/{resource_id.name}"
    if not known:
        raise errors.bad_request(
            "LocationNotSupportAvailabilityZones",
            f"The resource '{name}' does not support availability zones at location '{location}'.",
        )
    unknown = [str(zone) for zone in zones if zone not in known]
    if unknown:
        raise errors.bad_request(
            "InvalidAvailabilityZone",
            f"The zone(s) '{','.join(unknown)}' for resource '{name}' is not supported. The supported zones for "
            f"location '{location}' are '{','.join(known)}'.",
        )


def require_one_zone(resource_id: ResourceId, location: str, zones: Any) -> None:
    """Refuse zones for something that stands in one place: more than one, or one that a location does not have.

    Raises
    ------
    ArmError
        ``InvalidParameter`` (wording assumed), or what `require_zones` raises.
    """
    if zones and len(zones) > 1:
        raise errors.invalid_parameter(f"Resource '{resource_id.name}' can be in one availability zone only.", "zones")
    require_zones(resource_id, location, zones)


def require_size_in_zone(machine_id: ResourceId, size: MachineSize, *, location: str, zone: str | None) -> None:
    """Refuse a size that a zone does not have (recorded, Azure/Azure-Network-Security#30).

    Raises
    ------
    ArmError
        ``SkuNotAvailable``.
    """
    if zone is None or zone in zones_of_size(size, location):
        return
    raise errors.conflict(
        "SkuNotAvailable",
        f"The requested size for resource '{machine_id}' is currently not available in location '{location}' "
        f"zones '{zone}' for subscription '{machine_id.subscription}'. Please try another size or deploy to a "
        "different location or zones. See https://aka.ms/azureskunotavailable for details.",
    )


def require_disk_in_zone(disk: Resource, zone: str | None) -> None:
    """Refuse to attach a disk of another zone (recorded in a report on Kubernetes volumes).

    A zone-redundant disk has no zone and can be attached anywhere.

    Raises
    ------
    ArmError
        ``BadRequest``.
    """
    own = _zone_of(disk)
    is_redundant = str((disk.extras.get("sku") or {}).get("name", "")).upper().endswith("_ZRS")
    if is_redundant or own == zone:
        return
    raise errors.bad_request(
        "BadRequest",
        f"Disk {disk.id} cannot be attached to the VM because it is not in the same zone as the VM. "
        f"VM zone: '{zone or ''}'. Disk zone: '{own or ''}'.",
    )


def require_address_in_zone(address: Resource, machine_id: ResourceId, zone: str | None) -> None:
    """Refuse a public address that is pinned elsewhere (fortinet/azure-templates#43, Azure/azurehpc#317).

    A Standard address without zones serves every zone, as Azure's regions have it today; a Basic one is regional.

    Raises
    ------
    ArmError
        ``ComputeResourceZoneConstraintDoesNotMatchPublicIPAddressZoneConstraint``.
    """
    zones = [str(item) for item in address.extras.get("zones") or ()]
    is_basic = (address.extras.get("sku") or {}).get("name") == "Basic"
    if zone is None or zone in zones or (not zones and not is_basic):
        return
    raise errors.network_error(
        "ComputeResourceZoneConstraintDoesNotMatchPublicIPAddressZoneConstraint",
        f"Compute resource {machine_id} has a zone constraint {zone} but the PublicIPAddress {address.id} used by "
        "the compute resource via NetworkInterface or LoadBalancer has a different zone constraint "
        f"{', '.join(zones) or 'Regional'}.",
    )


def _zone_of(resource: Resource) -> str | None:
    zones = resource.extras.get("zones")
    return str(zones[0]) if zones else None
