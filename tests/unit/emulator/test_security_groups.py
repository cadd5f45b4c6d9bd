"""Network security groups and their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.arm.network_bodies import security_group_body
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.resources import ProvisioningState

if TYPE_CHECKING:
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud

SSH = {
    "protocol": "tcp",
    "sourcePortRange": "*",
    "destinationPortRange": "22",
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "*",
    "access": "Allow",
    "priority": 100,
    "direction": "Inbound",
}


def _group(cloud: Cloud, **rules: dict[str, Any]) -> Resource:
    body = {
        "location": "eastus",
        "properties": {"securityRules": [{"name": name, "properties": rule} for name, rule in rules.items()]},
    }
    group_id = cloud.network_id("networkSecurityGroups", "nsg")
    group, _, _ = cloud.subscription.security_groups.put(group_id, body, now=cloud.now)
    cloud.pass_time()
    return group


def _put(cloud: Cloud, group: Resource, name: str, rule: dict[str, Any]) -> bool:
    _, _, is_new = cloud.subscription.security_groups.put_rule(group, name, rule, now=cloud.now)
    return is_new


def _rules(group: Resource) -> list[tuple[str, int]]:
    return [(rule["name"], rule["properties"]["priority"]) for rule in group.properties["securityRules"]]


def test_rules_are_added_replaced_in_place_and_removed(cloud: Cloud) -> None:
    group = _group(cloud, ssh=SSH, web={**SSH, "priority": 110, "destinationPortRange": "80-443"})
    assert _put(cloud, group, "dns", {**SSH, "priority": 120})
    assert group.provisioning_state is ProvisioningState.UPDATING
    cloud.pass_time()
    assert not _put(cloud, group, "SSH", {**SSH, "priority": 130})
    cloud.pass_time()
    assert _rules(group) == [("SSH", 130), ("web", 110), ("dns", 120)]
    assert cloud.subscription.security_groups.delete_rule(group, "Web", now=cloud.now) is not None
    cloud.pass_time()
    assert cloud.subscription.security_groups.delete_rule(group, "web", now=cloud.now) is None
    assert _rules(group) == [("SSH", 130), ("dns", 120)]


def test_a_rule_is_shown_with_spelling_id_state_and_empty_lists(cloud: Cloud) -> None:
    group = _group(cloud, ssh=SSH)
    body = security_group_body(group)
    (rule,) = body["properties"]["securityRules"]
    assert rule["id"] == f"{group.id}/securityRules/ssh"
    assert rule["etag"] == body["etag"]
    assert rule["properties"]["protocol"] == "Tcp"
    assert rule["properties"]["provisioningState"] == "Succeeded"
    assert rule["properties"]["sourceAddressPrefixes"] == []
    assert len(body["properties"]["defaultSecurityRules"]) == 6


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        pytest.param({"priority": 110}, "SecurityRuleConflict", "conflicts with rule other", id="same-priority"),
        pytest.param({"priority": 99}, "SecurityRuleInvalidPriority", "99", id="priority-too-low"),
        pytest.param({"priority": None}, "SecurityRuleInvalidPriority", "None", id="no-priority"),
        pytest.param({"destinationPortRange": "65536"}, "SecurityRuleInvalidPortRange", "65536", id="no-such-port"),
        pytest.param({"destinationPortRange": "1-2-3"}, "SecurityRuleInvalidPortRange", "1-2-3", id="odd-range"),
        pytest.param(
            {"destinationPortRange": None, "destinationPortRanges": ["22", "x"]},
            "SecurityRuleInvalidPortRange",
            "x",
            id="odd-one-of-several",
        ),
        pytest.param(
            {"protocol": "Quic"}, "SecurityRuleParameterContainsUnsupportedValue", "protocol", id="no-such-protocol"
        ),
        pytest.param(
            {"sourceAddressPrefix": None},
            "SecurityRuleParameterContainsUnsupportedValue",
            "sourceAddressPrefix",
            id="from-nowhere",
        ),
    ],
)
def test_a_rule_is_refused(cloud: Cloud, change: dict[str, Any], code: str, words: str) -> None:
    group = _group(cloud, other={**SSH, "priority": 110})
    before = _rules(group)
    with pytest.raises(ArmError, match=words) as refused:
        _put(cloud, group, "ssh", {**SSH, **change})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert _rules(group) == before
    with pytest.raises(ArmError, match=words):
        _group(cloud, other={**SSH, "priority": 110}, ssh={**SSH, **change})


def test_the_same_priority_in_the_other_direction_is_fine(cloud: Cloud) -> None:
    group = _group(cloud, inbound=SSH, outbound={**SSH, "direction": "Outbound"})
    assert len(_rules(group)) == 2


def test_a_busy_group_takes_no_other_rule(cloud: Cloud) -> None:
    group = _group(cloud)
    _put(cloud, group, "ssh", SSH)
    with pytest.raises(ArmError) as refused:
        _put(cloud, group, "web", {**SSH, "priority": 110})
    assert refused.value.code == "AnotherOperationInProgress"
