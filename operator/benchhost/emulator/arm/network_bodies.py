"""Bodies of Microsoft.Network."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.network.virtual_networks import VirtualNetworks
    from benchhost.emulator.cloud.resources import Resource


def network_etag(resource: Resource) -> str:
    """Return the etag as Microsoft.Network writes it."""
    return f'W/"{resource.etag}"'


def resource_body(resource: Resource, *, more: Body | None = None) -> Body:
    """Return the body of a top-level resource; ``more`` are properties that are computed."""
    return {
        "name": resource.id.name,
        "id": str(resource.id),
        "etag": network_etag(resource),
        "type": resource.id.kind,
        "location": resource.location,
        **({"tags": resource.tags} if resource.tags else {}),
        **resource.extras,
        "properties": {
            "provisioningState": str(resource.provisioning_state),
            "resourceGuid": resource.guid,
            **resource.properties,
            **(more or {}),
        },
    }


def virtual_network_body(network: Resource, networks: VirtualNetworks) -> Body:
    """Return a virtual network with its subnets."""
    subnets = [subnet_body(subnet) for subnet in networks.subnets_of(network)]
    return resource_body(network, more={"subnets": subnets})


def subnet_body(subnet: Resource) -> Body:
    """Return a subnet, and which IP configurations are in it."""
    properties = {"provisioningState": str(subnet.provisioning_state), **subnet.properties}
    if subnet.used_by:
        properties["ipConfigurations"] = [{"id": user} for user in subnet.used_by.values()]
    return {
        "name": subnet.id.name,
        "id": str(subnet.id),
        "etag": network_etag(subnet),
        "properties": properties,
        "type": subnet.id.kind,
    }


def public_address_body(address: Resource) -> Body:
    """Return a public address, and which IP configuration has it."""
    user = address.first_user
    return resource_body(address, more=None if user is None else {"ipConfiguration": {"id": user}})


def interface_body(interface: Resource) -> Body:
    """Return a network interface, and which machine has it."""
    machine = interface.first_user
    etag, state = network_etag(interface), str(interface.provisioning_state)
    configurations = [
        {**item, "etag": etag, "properties": {"provisioningState": state, **item["properties"]}}
        for item in interface.properties["ipConfigurations"]
    ]
    more: Body = {"ipConfigurations": configurations}
    if machine is not None:
        more["virtualMachine"] = {"id": machine}
    body = resource_body(interface, more=more)
    body["kind"] = "Regular"
    return body


def security_group_body(group: Resource) -> Body:
    """Return a security group, and what it protects."""
    users = list(group.used_by.values())
    more: Body = {}
    interfaces = [{"id": user} for user in users if "/networkinterfaces/" in user.lower()]
    subnets = [{"id": user} for user in users if "/subnets/" in user.lower()]
    if interfaces:
        more["networkInterfaces"] = interfaces
    if subnets:
        more["subnets"] = subnets
    for field in ("securityRules", "defaultSecurityRules"):
        more[field] = [security_rule_body(group, rule) for rule in group.properties[field]]
    return resource_body(group, more=more)


def security_rule_body(group: Resource, rule: Body) -> Body:
    """Return a rule, which is in the state of its group."""
    state = {"provisioningState": str(group.provisioning_state)}
    return {**rule, "etag": network_etag(group), "properties": {**state, **rule["properties"]}}
