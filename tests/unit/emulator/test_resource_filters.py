"""``$filter`` of resources and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.arm.resource_filters import filter_groups, filter_resources
from benchhost.emulator.cloud.errors import ArmError

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(None, ["vnet", "one", "two"], id="no-filter"),
        pytest.param("resourceType eq 'Microsoft.Network/publicIPAddresses'", ["one", "two"], id="by-type"),
        pytest.param("resourceType ne 'microsoft.network/publicipaddresses'", ["vnet"], id="not-of-a-type"),
        pytest.param("name eq 'ONE'", ["one"], id="name-in-any-case"),
        pytest.param("name eq 'one' or name eq 'vnet'", ["vnet", "one"], id="either"),
        pytest.param("location eq 'East US' and name eq 'two'", ["two"], id="both"),
        pytest.param("resourceGroup eq 'other'", [], id="another-group"),
        pytest.param("substringof('ne', name)", ["vnet", "one"], id="part-of-a-name"),
        pytest.param("tagName eq 'Owner' and tagValue eq 'me'", ["one"], id="tag-with-value"),
        pytest.param("tagName eq 'owner'", ["one", "two"], id="tag-with-any-value"),
        pytest.param("startswith(tagName, 'own')", ["one", "two"], id="beginning-of-a-tag"),
        pytest.param("tagName eq 'owner' and tagValue eq 'this and that'", ["two"], id="and-within-a-value"),
    ],
)
def test_what_a_filter_leaves(cloud: Cloud, text: str | None, names: list[str]) -> None:
    cloud.network()
    cloud.address("one").tags = {"owner": "me"}
    cloud.address("two").tags = {"owner": "this and that"}
    resources = [resource for resource in cloud.subscription.store if resource.id.parent is None]
    assert [resource.id.name for resource in filter_resources(resources, text)] == names


@pytest.mark.parametrize(
    "text",
    [
        "tagName eq 'a' and resourceType eq 'b'",
        "tagName ne 'a'",
        "tagValue eq 'a'",
        "tagName eq 'a' or tagValue eq 'b'",
        "name eq 'a' and name eq 'b' or name eq 'c'",
        "name gt 'a'",
        "colour eq 'a'",
        "substringof('a', location)",
        "anything",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ArmError, match="Invalid \\$filter"):
        filter_resources([], text)


def test_groups_are_filtered_by_tag_only(cloud: Cloud) -> None:
    cloud.subscription.groups.put("tagged", "eastus", {"owner": "me"})
    groups = list(cloud.subscription.groups)
    assert [group.name for group in filter_groups(groups, "tagName eq 'owner'")] == ["tagged"]
    assert filter_groups(groups, None) == groups
    with pytest.raises(ArmError, match="Invalid \\$filter"):
        filter_groups(groups, "name eq 'tagged'")
