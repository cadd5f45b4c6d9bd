"""Network security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import Body, Context, new_resource, properties_of, tags_of, touch
from benchhost.emulator.cloud.network import writes
from benchhost.emulator.cloud.network.security_rules import find_rule, parse_rules, with_rule
from benchhost.emulator.cloud.resources import Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation

RULES = "securityRules"

_DEFAULT_RULES = (
    ("AllowVnetInBound", 65000, "Inbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Inbound", "Allow", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Inbound", "Deny", "*", "*"),
    ("AllowVnetOutBound", 65000, "Outbound", "Allow", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Outbound", "Allow", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Outbound", "Deny", "*", "*"),
)
"""Name, priority, direction, access, source and destination of the rules every group has (doc)."""


class SecurityGroups:
    """Network security groups of a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def put(self, group_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create or replace a security group."""
        context = self._context
        context.groups.get_for_write(group_id.group)
        draft = new_resource(context, group_id, body, now=now)
        draft.properties = _properties(group_id, properties_of(body))
        existing = context.store.find(group_id)
        if existing is None:
            context.store.add(draft)
            return draft, writes.begin_write(context, draft, now), True
        writes.require_idle(context, existing)
        existing.properties = draft.properties
        existing.tags = tags_of(body)
        touch(context, existing)
        return existing, writes.begin_write(context, existing, now), False

    def delete(self, group_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a security group; None when there is none."""
        group = self._context.store.find(group_id)
        if group is None:
            return None
        if group.used_by:
            raise errors.network_error(
                "InUseNetworkSecurityGroupCannotBeDeleted",
                f"Network security group {group_id} cannot be deleted because it is in use by the following "
                f"resources: {', '.join(group.used_by.values())}. In order to delete the Network security group, "
                "remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
            )
        return writes.begin_delete(self._context, group, now)

    def put_rule(self, group: Resource, name: str, given: Body, *, now: float) -> tuple[Body, Operation, bool]:
        """Create or replace one rule; the last value tells which."""
        writes.require_idle(self._context, group)
        is_new = find_rule(group.properties[RULES], name) is None
        group.properties[RULES] = with_rule(group.id, group.properties[RULES], name, given)
        touch(self._context, group)
        operation = writes.begin_write(self._context, group, now)
        return find_rule(group.properties[RULES], name) or {}, operation, is_new

    def delete_rule(self, group: Resource, name: str, *, now: float) -> Operation | None:
        """Remove one rule; None when there is none."""
        rule = find_rule(group.properties[RULES], name)
        if rule is None:
            return None
        writes.require_idle(self._context, group)
        group.properties[RULES] = [other for other in group.properties[RULES] if other is not rule]
        touch(self._context, group)
        return writes.begin_write(self._context, group, now)


def _properties(group_id: ResourceId, given: Body) -> Body:
    rules = parse_rules(group_id, given.get(RULES) or [])
    return {**given, RULES: rules, "defaultSecurityRules": _default_rules(group_id)}


def _default_rules(group_id: ResourceId) -> list[Body]:
    return [
        {
            "name": name,
            "id": f"{group_id}/defaultSecurityRules/{name}",
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
            },
        }
        for name, priority, direction, access, source, destination in _DEFAULT_RULES
    ]
