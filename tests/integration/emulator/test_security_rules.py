"""Security rules through the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.network import models

from integration.emulator.driver import GROUP

if TYPE_CHECKING:
    from integration.emulator.driver import Sdk

SSH = models.SecurityRule(
    protocol="Tcp",
    source_port_range="*",
    destination_port_range="22",
    source_address_prefix="10.0.0.0/8",
    destination_address_prefix="*",
    access="Allow",
    priority=100,
    direction="Inbound",
)


async def test_the_life_of_a_rule(sdk: Sdk) -> None:
    groups, rules = sdk.network.network_security_groups, sdk.network.security_rules
    await (await groups.begin_create_or_update(GROUP, "nsg", {"location": "eastus"})).result()
    made = await (await rules.begin_create_or_update(GROUP, "nsg", "ssh", SSH)).result()
    assert (made.name, made.destination_port_range, made.provisioning_state) == ("ssh", "22", "Succeeded")
    assert [rule.name async for rule in rules.list(GROUP, "nsg")] == ["ssh"]
    with pytest.raises(HttpResponseError) as refused:
        await rules.begin_create_or_update(GROUP, "nsg", "other", SSH)
    assert refused.value.error.code == "SecurityRuleConflict"
    defaults = [rule.name async for rule in sdk.network.default_security_rules.list(GROUP, "nsg")]
    assert defaults[0] == "AllowVnetInBound"
    assert (await sdk.network.default_security_rules.get(GROUP, "nsg", defaults[0])).priority == 65000
    await (await rules.begin_delete(GROUP, "nsg", "ssh")).result()
    with pytest.raises(ResourceNotFoundError):
        await rules.get(GROUP, "nsg", "ssh")
    assert (await groups.get(GROUP, "nsg")).security_rules == []


async def test_a_group_is_tagged_listed_and_deleted(sdk: Sdk) -> None:
    groups = sdk.network.network_security_groups
    await (await groups.begin_create_or_update(GROUP, "nsg", {"location": "eastus"})).result()
    tagged = await groups.update_tags(GROUP, "nsg", models.TagsObject(tags={"a": "b"}))
    assert tagged.tags == {"a": "b"}
    assert [group.name async for group in groups.list(GROUP)] == ["nsg"]
    assert [group.name async for group in groups.list_all()] == ["nsg"]
    await (await groups.begin_delete(GROUP, "nsg")).result()
    assert [group.name async for group in groups.list(GROUP)] == []
