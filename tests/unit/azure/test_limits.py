"""Which limits a request counts against, and what an answer says of them."""

import pytest

from benchhost.azure.limits import claims, remaining

GROUP = "https://management.azure.com/subscriptions/S/resourceGroups/rg/providers"
MACHINE = f"{GROUP}/Microsoft.Compute/virtualMachines/db-1"
COMPUTE = "https://management.azure.com/subscriptions/S/providers/Microsoft.Compute"


@pytest.mark.parametrize(
    ("method", "url", "names"),
    [
        pytest.param("PUT", MACHINE, ["writes", "PutVM+"], id="creating-a-machine"),
        pytest.param("PATCH", MACHINE, ["writes", "UpdateVM+"], id="changing-a-machine"),
        pytest.param("POST", f"{MACHINE}/start", ["writes", "UpdateVM+"], id="starting"),
        pytest.param("POST", f"{MACHINE}/powerOff", ["writes", "UpdateVM+"], id="stopping"),
        pytest.param("POST", f"{MACHINE}/deallocate?hibernate=true", ["writes", "DeleteVM+"], id="deallocating"),
        pytest.param("DELETE", MACHINE, ["deletes", "DeleteVM+"], id="deleting-a-machine"),
        pytest.param("GET", f"{MACHINE}?$expand=instanceView", ["reads", "LowCostGet+"], id="reading-a-machine"),
        pytest.param("GET", f"{MACHINE}/instanceView", ["reads", "LowCostGet+"], id="reading-its-view"),
        pytest.param("GET", f"{COMPUTE}/virtualMachines?statusOnly=true", ["reads", "HighCostGet"], id="all-statuses"),
        pytest.param("GET", f"{GROUP}/Microsoft.Compute/virtualMachines", ["reads", "HighCostGet"], id="a-list"),
        pytest.param("GET", f"{COMPUTE}/locations/EastUS/operations/1?t=1", ["reads", "GetOperation+"], id="a-poll"),
        pytest.param("GET", f"{GROUP}/Microsoft.Compute/disks/d", ["reads"], id="reading-a-disk"),
        pytest.param("PUT", f"{GROUP}/Microsoft.Network/networkInterfaces/n", ["writes", "N/changes"], id="a-nic"),
        pytest.param("DELETE", f"{GROUP}/Microsoft.Network/networkInterfaces/n", ["deletes", "N/changes"], id="no-nic"),
        pytest.param("GET", f"{GROUP}/Microsoft.Network/networkInterfaces", ["reads", "N/reads"], id="nics"),
    ],
)
def test_a_request_counts_against_the_limits_that_are_documented_for_it(
    method: str, url: str, names: list[str]
) -> None:
    front, *provider = names
    expected = [f"subscription-{front}", f"subscription-global-{front}"]
    for name in provider:
        if name.startswith("N/"):
            expected.append(f"Microsoft.Network/{name[2:]}")
            continue
        expected.append(f"Microsoft.Compute/{name.rstrip('+')}SubscriptionMaximum")
        expected += [f"Microsoft.Compute/{name[:-1]}Resource"] if name.endswith("+") else []
    assert [claim.name for claim, _ in claims(method, url, "eastus")] == expected


def test_a_limit_of_a_region_is_found_again_however_the_region_is_written() -> None:
    written = [dict(claims("PUT", MACHINE, place)).keys() for place in ("eastus", "East US")]
    assert written[0] == written[1]
    poll = claims("GET", f"{COMPUTE}/locations/EastUS/operations/1", "westus")
    assert [claim.scope for claim, _ in poll][2] == "s/eastus"


def test_every_machine_and_every_operation_has_a_limit_of_its_own() -> None:
    machine = claims("POST", f"{MACHINE}/start", "eastus")[-1][0]
    assert (machine.scope.rpartition("/")[2], machine.is_shared) == ("db-1", False)
    operation = claims("GET", f"{COMPUTE}/locations/eastus/operations/op-1?s=x", "eastus")[-1][0]
    assert operation.scope.rpartition("/")[2] == "op-1"


def test_what_remains_is_read_from_the_headers_that_were_recorded() -> None:
    headers = {
        "x-ms-ratelimit-remaining-subscription-writes": "199",
        "x-ms-ratelimit-remaining-resource": (
            "Microsoft.Compute/PutVMSubscriptionMaximum;1499,Microsoft.Compute/PutVMResource;11"
        ),
    }
    names = [claim.name for claim, _ in claims("PUT", MACHINE, "eastus")]
    assert remaining(headers, names) == {
        "subscription-writes": 199,
        "Microsoft.Compute/PutVMSubscriptionMaximum": 1499,
        "Microsoft.Compute/PutVMResource": 11,
    }


@pytest.mark.parametrize(
    "text", ["", "x", "Microsoft.Compute/PutVM3Min;239", "a;b,c", "Microsoft.Compute/PutVMResource;-1"]
)
def test_a_header_that_says_nothing_known_is_not_read(text: str) -> None:
    headers = {"x-ms-ratelimit-remaining-resource": text}
    assert remaining(headers, ["subscription-writes", "Microsoft.Compute/PutVMResource"]) == {}
