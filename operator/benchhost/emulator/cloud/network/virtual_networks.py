"""Virtual networks and their subnets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors
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
from benchhost.emulator.cloud.network.addresses import IPv4Network, parse_prefix
from benchhost.emulator.cloud.network.subnets import (
    Subnet,
    require_no_overlap,
    require_prefix_kept,
    require_unused,
    subnet_prefix,
)
from benchhost.emulator.cloud.resources import ProvisioningState, Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation

SUBNETS = "subnets"


class VirtualNetworks:
    """Virtual networks and subnets of a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def put(self, network_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create or replace a virtual network; subnets that the body does not speak of stay."""
        context = self._context
        context.groups.get_for_write(network_id.group)
        draft = new_resource(context, network_id, body, now=now)
        prefixes = _address_space(properties_of(body), str(network_id))
        wanted = _subnets_of(properties_of(body), str(network_id))
        require_no_overlap(network_id, wanted or {})
        for name, subnet in (wanted or {}).items():
            self._check_subnet(network_id.child(SUBNETS, name), subnet, prefixes, draft.location)
        self._check_replacement(network_id, wanted)
        network, is_new = self._store(draft, body)
        if wanted is not None:
            self._replace_subnets(network, wanted, now)
        operation = writes.begin_write(context, network, now)
        for subnet_resource in self.subnets_of(network):
            subnet_resource.provisioning_state = ProvisioningState.UPDATING
        return network, operation, is_new

    def put_subnet(self, subnet_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create or replace one subnet."""
        context = self._context
        network = self.network_of(subnet_id)
        writes.require_idle(context, network)
        properties = properties_of(body)
        prefixes = _address_space(network.properties, str(network.id))
        self._check_subnet(subnet_id, properties, prefixes, network.location)
        others = {
            other.id.name.lower(): other.properties
            for other in self.subnets_of(network)
            if other.id.key != subnet_id.key
        }
        require_no_overlap(network.id, {**others, subnet_id.name.lower(): properties})
        subnet, is_new = self._store_subnet(network, subnet_id.name, properties, now)
        touch(context, network)
        return subnet, writes.begin_write(context, subnet, now), is_new

    def delete(self, network_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a virtual network; None when there is none."""
        network = self._context.store.find(network_id)
        if network is None:
            return None
        for subnet in self.subnets_of(network):
            require_unused(subnet)
        return writes.begin_delete(self._context, network, now)

    def delete_subnet(self, subnet_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a subnet; None when there is none."""
        subnet = self._context.store.find(subnet_id)
        if subnet is None:
            return None
        require_unused(subnet)
        return writes.begin_delete(self._context, subnet, now)

    def remove(self, resource: Resource) -> None:
        """Take a network with its subnets, or one subnet, out of the subscription."""
        for subnet in self.subnets_of(resource):
            self._remove_subnet(subnet)
        self._remove_subnet(resource)

    def settle(self, resource: Resource) -> None:
        """End the Updating of a network and of its subnets."""
        for changed in (resource, *self.subnets_of(resource)):
            changed.provisioning_state = ProvisioningState.SUCCEEDED

    def subnets_of(self, network: Resource) -> list[Resource]:
        """Return the subnets of a network."""
        return self._context.store.children(network.id, SUBNETS)

    def network_of(self, subnet_id: ResourceId) -> Resource:
        """Return the network that a subnet is in, or is to be in.

        Raises
        ------
        ArmError
            ``ResourceGroupNotFound`` or ``ParentResourceNotFound``.
        """
        parent = subnet_id.parent
        if parent is None:  # pragma: no cover - the router only sends nested ids here
            raise ValueError(subnet_id)
        self._context.groups.get_for_write(subnet_id.group)
        network = self._context.store.find(parent)
        if network is None:
            raise errors.parent_not_found(subnet_id.kind, "/".join(parent.names))
        return network

    def _check_subnet(self, subnet_id: ResourceId, properties: Body, space: list[IPv4Network], location: str) -> None:
        prefix = subnet_prefix(properties, str(subnet_id))
        if not any(prefix.subnet_of(whole) for whole in space):
            network = subnet_id.names[0]
            raise errors.network_error(
                "NetcfgInvalidSubnet",
                f"Subnet '{subnet_id.name}' is not valid in virtual network '{network}'.",
            )
        group_id = reference_id(properties.get("networkSecurityGroup"))
        if group_id is not None:
            same_region_or_missing(self._context, group_id, location=location, referrer=str(subnet_id))

    def _store(self, draft: Resource, body: Body) -> tuple[Resource, bool]:
        context = self._context
        existing = context.store.find(draft.id)
        properties = {key: value for key, value in properties_of(body).items() if key != SUBNETS}
        properties.setdefault("enableDdosProtection", False)
        properties.setdefault("virtualNetworkPeerings", [])
        if existing is None:
            draft.properties = properties
            context.store.add(draft)
            return draft, True
        existing.properties = properties
        existing.tags = tags_of(body)
        touch(context, existing)
        return existing, False

    def _check_replacement(self, network_id: ResourceId, wanted: dict[str, Body] | None) -> None:
        existing = self._context.store.find(network_id)
        if existing is None:
            return
        writes.require_idle(self._context, existing)
        names = {name.lower(): body for name, body in (wanted or {}).items()}
        for subnet in self.subnets_of(existing):
            writes.require_idle(self._context, subnet)
            body = names.get(subnet.id.name.lower())
            if body is not None:
                require_prefix_kept(subnet, body)
            elif wanted is not None:
                require_unused(subnet)

    def _replace_subnets(self, network: Resource, wanted: dict[str, Body], now: float) -> None:
        names = {name.lower() for name in wanted}
        for subnet in self.subnets_of(network):
            if subnet.id.name.lower() not in names:
                self._remove_subnet(subnet)
        for name, properties in wanted.items():
            self._store_subnet(network, name, properties, now)

    def _store_subnet(self, network: Resource, name: str, properties: Body, now: float) -> tuple[Resource, bool]:
        context = self._context
        subnet_id = network.id.child(SUBNETS, name)
        kept = {key: value for key, value in properties.items() if key != "ipConfigurations"}
        kept.setdefault("delegations", [])
        kept.setdefault("privateEndpointNetworkPolicies", "Disabled")
        kept.setdefault("privateLinkServiceNetworkPolicies", "Enabled")
        existing = context.store.find(subnet_id)
        if existing is None:
            created = Subnet(
                id=subnet_id,
                location=network.location,
                properties=kept,
                guid=context.identifiers.guid(),
                created_at=now,
                etag=context.identifiers.guid(),
            )
            context.store.add(created)
            self._use_security_group(created)
            return created, True
        writes.require_idle(context, existing)
        require_prefix_kept(existing, properties)
        self._release_security_group(existing)
        existing.properties = kept
        touch(context, existing)
        self._use_security_group(existing)
        return existing, False

    def _remove_subnet(self, subnet: Resource) -> None:
        self._release_security_group(subnet)
        self._context.store.remove(subnet.id)

    def _use_security_group(self, subnet: Resource) -> None:
        group = self._security_group(subnet)
        if group is not None:
            group.hold(str(subnet.id))

    def _release_security_group(self, subnet: Resource) -> None:
        group = self._security_group(subnet)
        if group is not None:
            group.release(str(subnet.id))

    def _security_group(self, subnet: Resource) -> Resource | None:
        group_id = reference_id(subnet.properties.get("networkSecurityGroup"))
        return None if group_id is None else self._context.store.find(group_id)


def _address_space(properties: Body, resource: str) -> list[IPv4Network]:
    space = properties.get("addressSpace")
    prefixes: list[Any] = (space.get("addressPrefixes") or []) if isinstance(space, dict) else []
    if not prefixes:
        raise errors.network_error(
            "InvalidRequestFormat", f"Required property addressSpace.addressPrefixes of {resource} is missing."
        )
    return [parse_prefix(prefix, resource) for prefix in prefixes]


def _subnets_of(properties: Body, resource: str) -> dict[str, Body] | None:
    subnets = properties.get(SUBNETS)
    if subnets is None:
        return None
    found: dict[str, Body] = {}
    for subnet in subnets:
        name = subnet.get("name") if isinstance(subnet, dict) else None
        if not name:
            raise errors.network_error("InvalidRequestFormat", f"A subnet of {resource} has no name.")
        found[name] = properties_of(subnet)
    return found
