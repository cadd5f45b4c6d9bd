"""Network interfaces: their private address comes from a subnet, their public one is another resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.interface_rules import require_accelerated_changeable
from benchhost.emulator.cloud.context import (
    Body,
    Context,
    new_resource,
    properties_of,
    reference_id,
    same_region_or_missing,
    tags_of,
    touch,
)
from benchhost.emulator.cloud.network import writes
from benchhost.emulator.cloud.network.ip_configurations import (
    addresses_by_configuration,
    assign_address,
    check_address,
    give_back,
    kept_address,
    parse_configurations,
    public_address_id,
)
from benchhost.emulator.cloud.network.reservations import InterfaceReservations

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.resources import Resource

_DEFAULTS: Body = {
    "enableAcceleratedNetworking": False,
    "vnetEncryptionSupported": False,
    "enableIPForwarding": False,
    "disableTcpStateTracking": False,
    "hostedWorkloads": [],
    "tapConfigurations": [],
    "nicType": "Standard",
    "allowPort25Out": False,
    "auxiliaryMode": "None",
    "auxiliarySku": "None",
}
_READ_ONLY = ("macAddress", "virtualMachine", "primary", "resourceGuid", "provisioningState")


class Interfaces:
    """Network interfaces of a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.reservations = InterfaceReservations(context.scale)

    def put(self, interface_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, bool]:
        """Create or replace an interface; this is synchronous, as recorded in 2026."""
        context = self._context
        context.groups.get_for_write(interface_id.group)
        draft = new_resource(context, interface_id, body, now=now)
        given = properties_of(body)
        configurations = parse_configurations(interface_id, given)
        existing = context.store.find(interface_id)
        if existing is not None:
            writes.require_idle(context, existing)
            require_accelerated_changeable(existing, given, context.store.find(existing.first_user or ""))
        for configuration in configurations:
            self._check(draft, configuration)
        self._check_security_group(draft, given)
        return self._store(draft, existing, body, configurations)

    def delete(self, interface_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of an interface; None when there is none."""
        interface = self._context.store.find(interface_id)
        if interface is None:
            return None
        if interface.used_by:
            raise in_use(interface)
        self.reservations.check(str(interface_id), None)
        return writes.begin_delete(self._context, interface, now)

    def remove(self, interface: Resource) -> list[Resource]:
        """Take an interface out; return the public addresses that were to be deleted with it."""
        addresses = [
            address
            for configuration in interface.properties["ipConfigurations"]
            if (address := self._cascading_address(configuration)) is not None
        ]
        self._release(interface)
        self._context.store.remove(interface.id)
        return addresses

    def attach(self, interface: Resource, machine: str, *, primary: bool) -> None:
        """Make an interface a machine's; it keeps its MAC address from then on."""
        interface.hold(machine)
        interface.properties.setdefault("macAddress", self._context.identifiers.mac_address())
        interface.properties["primary"] = primary
        touch(self._context, interface)

    def detach(self, interface: Resource, machine: str) -> None:
        """Give an interface back; not attached is fine."""
        interface.release(machine)
        interface.properties.pop("primary", None)
        touch(self._context, interface)

    def public_addresses_of(self, interface: Resource) -> list[Resource]:
        """Return the public addresses of an interface."""
        found = (
            self._context.store.find(reference)
            for configuration in interface.properties["ipConfigurations"]
            if (reference := public_address_id(configuration)) is not None
        )
        return [address for address in found if address is not None]

    def _check(self, draft: Resource, configuration: Body) -> None:
        context, own_id = self._context, configuration["id"]
        properties = configuration["properties"]
        subnet_id = reference_id(properties.get("subnet"))
        if subnet_id is None:
            raise errors.network_error(
                "SubnetIsRequired", f"Subnet reference is required for ipconfiguration {own_id}."
            )
        subnet = same_region_or_missing(context, subnet_id, location=draft.location, referrer=str(draft.id))
        writes.require_settled(subnet, str(draft.id))
        check_address(subnet, properties, own_id)
        public_id = public_address_id(configuration)
        if public_id is None:
            return
        public = same_region_or_missing(context, public_id, location=draft.location, referrer=own_id)
        writes.require_settled(public, str(draft.id))
        if public.is_used_by_others_than(own_id):
            raise errors.network_error(
                "PublicIPAddressInUse",
                f"Resource {own_id} is referencing public IP address {public.id} that is already allocated "
                f"to resource {public.first_user}.",
            )

    def _check_security_group(self, draft: Resource, given: Body) -> None:
        group_id = reference_id(given.get("networkSecurityGroup"))
        if group_id is not None:
            same_region_or_missing(self._context, group_id, location=draft.location, referrer=str(draft.id))

    def _store(
        self, draft: Resource, existing: Resource | None, body: Body, configurations: list[Body]
    ) -> tuple[Resource, bool]:
        given = {key: value for key, value in properties_of(body).items() if key not in _READ_ONLY}
        dns = {"dnsServers": [], "appliedDnsServers": [], **(given.get("dnsSettings") or {})}
        properties = {**_DEFAULTS, **given, "dnsSettings": dns, "ipConfigurations": configurations}
        if existing is None:
            draft.properties = properties
            self._context.store.add(draft)
            self._take(draft, {})
            return draft, True
        kept = {key: existing.properties[key] for key in _READ_ONLY if key in existing.properties}
        former = addresses_by_configuration(existing)
        self._release(existing)
        existing.properties = {**properties, **kept}
        existing.tags = tags_of(body)
        touch(self._context, existing)
        self._take(existing, former)
        return existing, False

    def _take(self, interface: Resource, former: dict[str, tuple[str, str]]) -> None:
        for configuration in interface.properties["ipConfigurations"]:
            properties, own_id = configuration["properties"], configuration["id"]
            subnet = self._referenced(properties["subnet"]["id"])
            requested = properties.get("privateIPAddress") or kept_address(former, own_id, subnet)
            properties["privateIPAddress"] = assign_address(subnet, requested, own_id)
            subnet.hold(own_id)
            public_id = public_address_id(configuration)
            if public_id is not None:
                self._referenced(public_id).hold(own_id)
        group_id = reference_id(interface.properties.get("networkSecurityGroup"))
        if group_id is not None:
            self._referenced(group_id).hold(str(interface.id))

    def _release(self, interface: Resource) -> None:
        store = self._context.store
        for configuration in interface.properties["ipConfigurations"]:
            subnet = store.find(configuration["properties"]["subnet"]["id"])
            if subnet is not None:
                subnet.release(configuration["id"])
                give_back(subnet, configuration)
            public_id = public_address_id(configuration)
            public = None if public_id is None else store.find(public_id)
            if public is not None:
                public.release(configuration["id"])
        group_id = reference_id(interface.properties.get("networkSecurityGroup"))
        group = None if group_id is None else store.find(group_id)
        if group is not None:
            group.release(str(interface.id))

    def _cascading_address(self, configuration: Body) -> Resource | None:
        public_id = public_address_id(configuration)
        if public_id is None:
            return None
        reference = configuration["properties"]["publicIPAddress"]
        option = (reference.get("properties") or {}).get("deleteOption")
        return self._context.store.find(public_id) if option == "Delete" else None

    def _referenced(self, text: str) -> Resource:
        found = self._context.store.find(text)
        if found is None:  # pragma: no cover - checked before anything was changed
            raise LookupError(text)
        return found


def in_use(interface: Resource) -> errors.ArmError:
    """Return the refusal to delete or to reuse an interface that a machine has (recorded, ASO-2022)."""
    machine = interface.first_user
    return errors.network_error(
        "NicInUse",
        f"Network Interface {interface.id} is used by existing resource {machine}. In order to delete the "
        "network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.",
    )
