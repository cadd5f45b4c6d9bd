"""Security rules: what each must say, and that no two of a group get in each other's way.

Called by `security_groups`. Codes and sentences of the conflict, the priority and the ports are those that
Microsoft.Network is known for; what is missing is refused with an assumed sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import Body, properties_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchhost.emulator.cloud.identifiers import ResourceId

KIND = "Microsoft.Network/networkSecurityGroups/securityRules"
MIN_PRIORITY, MAX_PRIORITY = 100, 4096
MAX_PORT = 65535

_CHOICES = {
    "protocol": ("*", "Tcp", "Udp", "Icmp", "Esp", "Ah"),
    "access": ("Allow", "Deny"),
    "direction": ("Inbound", "Outbound"),
}
_EITHER = (
    ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups"),
    ("destinationAddressPrefix", "destinationAddressPrefixes", "destinationApplicationSecurityGroups"),
    ("sourcePortRange", "sourcePortRanges"),
    ("destinationPortRange", "destinationPortRanges"),
)
_LISTS = (
    *("sourceAddressPrefixes", "destinationAddressPrefixes", "sourcePortRanges", "destinationPortRanges"),
    *("sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups"),
)


def parse_rules(group_id: ResourceId, given: Sequence[Body]) -> list[Body]:
    """Return the rules of a group's body with ids and defaults.

    Raises
    ------
    ArmError
        When one is wrong, or two have the same priority and direction.
    """
    rules: list[Body] = []
    for item in given:
        if not item.get("name"):
            raise errors.network_error("InvalidRequestFormat", f"A security rule of {group_id} has no name.")
        rules = with_rule(group_id, rules, str(item["name"]), properties_of(item))
    return rules


def with_rule(group_id: ResourceId, rules: Sequence[Body], name: str, given: Body) -> list[Body]:
    """Return rules with one more, or with one replaced.

    Raises
    ------
    ArmError
        When the rule is wrong, or another has its priority and direction.
    """
    rule = _parse(group_id, name, given)
    others = [other for other in rules if other["name"].lower() != name.lower()]
    for other in others:
        if all(other["properties"][key] == rule["properties"][key] for key in ("priority", "direction")):
            raise errors.network_error(
                "SecurityRuleConflict",
                f"Security rule {name} conflicts with rule {other['name']}. Rules cannot have the same Priority and "
                "Direction. To learn more, see aka.ms/nsgrules.",
            )
    position = next((index for index, other in enumerate(rules) if other["name"].lower() == name.lower()), len(rules))
    return [*others[:position], rule, *others[position:]]


def find_rule(rules: Sequence[Body], name: str) -> Body | None:
    """Return the rule of that name, in any case, or None."""
    return next((rule for rule in rules if rule["name"].lower() == name.lower()), None)


def _parse(group_id: ResourceId, name: str, given: Body) -> Body:
    properties = {key: value for key, value in given.items() if value is not None and key != "provisioningState"}
    rule_id = f"{group_id}/securityRules/{name}"
    for key, choices in _CHOICES.items():
        properties[key] = _chosen(rule_id, key, properties.get(key), choices)
    for names in _EITHER:
        if not any(properties.get(key) for key in names):
            raise _invalid(rule_id, f"must specify {' or '.join(names)}")
    _check_priority(properties.get("priority"))
    for key in ("sourcePortRange", "destinationPortRange"):
        for text in (properties.get(key), *(properties.get(f"{key}s") or [])):
            _check_ports(text)
    empty: Body = {key: [] for key in _LISTS}
    return {"name": name, "id": rule_id, "type": KIND, "properties": {**empty, **properties}}


def _chosen(rule_id: str, key: str, value: object, choices: tuple[str, ...]) -> str:
    found = next((choice for choice in choices if choice.lower() == str(value).lower()), None)
    if found is None:
        raise _invalid(rule_id, f"must specify {key} as one of {', '.join(choices)}, not {value}")
    return found


def _check_priority(priority: object) -> None:
    if isinstance(priority, int) and MIN_PRIORITY <= priority <= MAX_PRIORITY:
        return
    raise errors.network_error(
        "SecurityRuleInvalidPriority",
        f"Security rule has invalid Priority. Value provided: {priority} Allowed range {MIN_PRIORITY}-{MAX_PRIORITY}. "
        "To learn more, see aka.ms/nsgrules.",
    )


def _check_ports(text: object) -> None:
    if text in (None, "", "*"):
        return
    numbers = str(text).split("-")
    if all(number.isdecimal() and int(number) <= MAX_PORT for number in numbers) and len(numbers) in (1, 2):
        return
    raise errors.network_error(
        "SecurityRuleInvalidPortRange",
        f"Security rule has invalid Port range. Value provided: {text}. Value should be an integer OR integer range "
        f"with '-' delimiter. Valid range 0-{MAX_PORT}. To learn more, see aka.ms/nsgrules.",
    )


def _invalid(rule_id: str, what: str) -> errors.ArmError:
    return errors.network_error(
        "SecurityRuleParameterContainsUnsupportedValue", f"Security rule with Id {rule_id} {what}."
    )
