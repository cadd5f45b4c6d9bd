"""What two lists together say of one machine. Bodies are cut from recordings and from what the documents say."""

from typing import Any

import pytest

from benchhost.azure.listed import merge_status


def listed(state: str) -> dict[str, Any]:
    return {"id": "/x", "tags": {"team": "db"}, "properties": {"vmId": "guid", "provisioningState": state}}


def stated(*codes: str) -> dict[str, Any]:
    return {"id": "/X", "properties": {"instanceView": {"statuses": [{"code": code} for code in codes]}}}


def test_a_machine_in_two_lists_has_the_body_of_one_and_the_states_of_the_other() -> None:
    whole = merge_status(listed("Succeeded"), stated("ProvisioningState/succeeded", "PowerState/running"))
    assert whole is not None
    assert (whole["id"], whole["tags"], whole["properties"]["vmId"]) == ("/x", {"team": "db"}, "guid")
    assert [entry["code"] for entry in whole["properties"]["instanceView"]["statuses"]] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]


@pytest.mark.parametrize(
    ("state", "codes", "is_whole"),
    [
        pytest.param("Creating", ("ProvisioningState/creating",), True, id="a-creation-has-no-power-state-yet"),
        pytest.param(
            "Creating",
            ("ProvisioningState/creating", "ProvisioningState/creating/osProvisioningComplete", "PowerState/starting"),
            True,
            id="a-creation-nearly-done",
        ),
        pytest.param("Updating", ("ProvisioningState/updating", "PowerState/stopping"), True, id="being-stopped"),
        pytest.param("Succeeded", ("ProvisioningState/updating", "PowerState/stopping"), False, id="stopped-between"),
        pytest.param("Updating", ("ProvisioningState/succeeded", "PowerState/running"), False, id="ended-between"),
        pytest.param("Succeeded", ("ProvisioningState/succeeded",), False, id="power-state-left-out"),
        pytest.param("Failed", ("ProvisioningState/failed/AllocationFailed",), False, id="failed-creation"),
        pytest.param("Succeeded", (), False, id="no-states-at-all"),
    ],
)
def test_lists_that_do_not_tell_of_the_same_moment_are_not_put_together(
    state: str, codes: tuple[str, ...], *, is_whole: bool
) -> None:
    assert (merge_status(listed(state), stated(*codes)) is not None) is is_whole
