"""Template deployments over HTTPS, as Azure carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integration.emulator.admin_driver import arrange
from integration.emulator.command import connection_in, running_command
from integration.emulator.driver import GROUP_VERSION, KEY, Raw, raw_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from benchhost.emulator import ArmEmulator
    from integration.emulator.driver import ManualClock

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
NETWORK, ADDRESS, INTERFACE = (
    f"Microsoft.Network/{kind}" for kind in ("virtualNetworks", "publicIPAddresses", "networkInterfaces")
)
MACHINE = "Microsoft.Compute/virtualMachines"


def resource(kind: str, name: str, *depends_on: str, version: str = "2024-05-01", **more: Any) -> dict[str, Any]:
    return {
        "type": kind, "apiVersion": version, "name": name, "location": "[parameters('location')]",
        "dependsOn": list(depends_on), **more,
    }  # fmt: skip


def template(size: str = "Standard_B2s", **sections: Any) -> dict[str, Any]:
    """A machine with all that it needs, the last things first."""
    key = {"path": "/home/tester/.ssh/authorized_keys", "keyData": "[parameters('key')]"}
    nic = f"[resourceId('{INTERFACE}', 'nic')]"
    network = f"[resourceId('{NETWORK}', 'net')]"
    address = f"[resourceId('{ADDRESS}', 'ip')]"
    subnet = f"[resourceId('{NETWORK}/subnets', 'net', 'default')]"
    machine = {
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {
            "imageReference": {"publisher": "Canonical", "offer": "x", "sku": "y", "version": "latest"},
            "osDisk": {"createOption": "FromImage"},
        },
        "osProfile": {
            "computerName": "vm",
            "adminUsername": "tester",
            "adminPassword": "[parameters('key')]",
            "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
        },
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
    }
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
            "key": {"type": "securestring"},
        },
        "resources": [
            resource(MACHINE, "vm", nic, version="2024-07-01", properties=machine),
            resource(INTERFACE, "nic", network, address, properties={"ipConfigurations": [{
                "name": "c", "properties": {"subnet": {"id": subnet}, "publicIPAddress": {"id": address}},
            }]}),
            resource(ADDRESS, "ip", sku={"name": "Basic"}, properties={
                "publicIPAllocationMethod": "Dynamic", "dnsSettings": {"domainNameLabel": "bench-one"},
            }),
            resource(NETWORK, "net", properties={
                "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
                "subnets": [{"name": "default", "properties": {"addressPrefix": "10.1.0.0/24"}}],
            }),
        ],
        "outputs": {"host": {"type": "string", "value": "[reference('ip').dnsSettings.fqdn]"}},
        **sections,
    }  # fmt: skip


def body(content: dict[str, Any] | None = None, *, mode: str = "Incremental", **parameters: Any) -> dict[str, Any]:
    given = {"key": KEY, **parameters}
    return {
        "properties": {
            "mode": mode,
            "template": template() if content is None else content,
            "parameters": {name: {"value": value} for name, value in given.items()},
        }
    }


def path_of(raw: Raw, rest: str = "/one") -> str:
    return f"{raw.group}/providers/Microsoft.Resources/deployments{rest}?api-version={GROUP_VERSION}"


async def state_of(raw: Raw, rest: str = "/one") -> dict[str, Any]:
    _, _, found = await raw.send("GET", path_of(raw, rest))
    properties: dict[str, Any] = found["properties"]
    return properties


@pytest.fixture
async def slow(frozen: ArmEmulator) -> AsyncIterator[Raw]:
    """A client of a cloud in which nothing ends before the clock is moved."""
    async with raw_of(frozen.connection) as client:
        yield client


async def test_a_deployment_makes_its_resources_and_tells_its_outputs(raw: Raw) -> None:
    status, headers, accepted = await raw.send("PUT", path_of(raw), json=body())

    assert (status, accepted["properties"]["provisioningState"]) == (201, "Accepted")
    _, _, polled = await raw.send("GET", headers["Azure-AsyncOperation"])
    assert polled == {"status": "Succeeded"}
    properties = await state_of(raw)
    assert properties["outputs"]["host"]["value"] == "bench-one.eastus.cloudapp.azure.com"
    assert [one["id"].rpartition("/")[2] for one in properties["outputResources"]] == ["ip", "net", "nic", "vm"]
    _, _, machine = await raw.send("GET", raw.machine())
    assert machine["properties"]["provisioningState"] == "Succeeded"


async def test_a_secret_parameter_is_in_no_answer(raw: Raw) -> None:
    answers = [(await raw.send("PUT", path_of(raw), json=body()))[2]]
    answers += [(await raw.send("GET", path_of(raw, rest)))[2] for rest in ("/one", "", "/one/operations")]

    assert KEY not in str(answers)
    assert answers[0]["properties"]["parameters"]["key"] == {"type": "SecureString"}


async def test_resources_are_made_in_the_order_of_their_dependencies(slow: Raw, clock: ManualClock) -> None:
    await slow.send("PUT", path_of(slow), json=body())
    seen: list[str] = []
    for _ in range(4000):
        clock.advance(0.005)
        properties = await state_of(slow)
        _, _, listed = await slow.send("GET", f"{slow.group}/resources?api-version={GROUP_VERSION}")
        seen += [one["name"] for one in listed["value"] if one["name"] not in seen]
        if properties["provisioningState"] not in ("Accepted", "Running"):
            break
        clock.advance(0.02)

    assert properties["provisioningState"] == "Succeeded"
    assert (set(seen[:2]), seen[2:4]) == ({"ip", "net"}, ["nic", "vm"])


async def test_a_deployment_that_goes_on_cannot_be_put_again_or_deleted(slow: Raw, clock: ManualClock) -> None:
    _, headers, _ = await slow.send("PUT", path_of(slow), json=body())
    _, _, polled = await slow.send("GET", headers["Azure-AsyncOperation"])
    status, _, refused = await slow.send("PUT", path_of(slow), json=body())
    deleted, _, kept = await slow.send("DELETE", path_of(slow))
    clock.advance(10)
    again, _, _ = await slow.send("PUT", path_of(slow), json=body())

    assert polled == {"status": "Accepted"}
    assert (status, refused["error"]["code"]) == (409, "DeploymentActive")
    assert (deleted, kept["error"]["code"]) == (409, "DeploymentCannotBeDeleted")
    assert again == 200


async def test_a_second_deployment_updates_what_the_first_has_made(raw: Raw) -> None:
    await raw.send("PUT", path_of(raw), json=body())
    _, _, before = await raw.send("GET", raw.machine())
    status, _, _ = await raw.send("PUT", path_of(raw), json=body(template("Standard_B4ms")))

    _, _, after = await raw.send("GET", raw.machine())
    assert status == 200
    assert (await state_of(raw))["provisioningState"] == "Succeeded"
    assert after["properties"]["vmId"] == before["properties"]["vmId"]
    assert after["properties"]["hardwareProfile"]["vmSize"] == "Standard_B4ms"


async def test_a_refused_resource_fails_the_deployment_with_the_providers_reason(raw: Raw) -> None:
    await raw.send("PUT", path_of(raw), json=body(template("Standard_X9")))

    properties = await state_of(raw)
    assert properties["provisioningState"] == "Failed"
    assert properties["error"]["code"] == "DeploymentFailed"
    (cause,) = properties["error"]["details"]
    assert (cause["code"], cause["target"]) == ("InvalidParameter", "vmSize")
    assert "outputs" not in properties
    _, _, operations = await raw.send("GET", path_of(raw, "/one/operations"))
    states = {
        one["properties"]["targetResource"]["resourceName"]: one["properties"]["provisioningState"]
        for one in operations["value"]
    }
    assert states == {"ip": "Succeeded", "net": "Succeeded", "nic": "Succeeded", "vm": "Failed"}


async def test_what_waits_for_a_failed_resource_is_never_made(raw: Raw) -> None:
    content = template()
    content["resources"][3]["properties"]["addressSpace"] = {"addressPrefixes": ["nonsense"]}
    await raw.send("PUT", path_of(raw), json=body(content))

    properties = await state_of(raw)
    assert [one["code"] for one in properties["error"]["details"]] == ["InvalidCIDRNotation"]
    assert [one["id"].rpartition("/")[2] for one in properties["outputResources"]] == ["ip"]


async def test_a_failed_operation_fails_the_deployment(raw: Raw, emulator: ArmEmulator) -> None:
    effect = {"kind": "failOperation", "code": "AllocationFailed", "message": "Full."}
    fault = {"match": {"operation": "createMachine"}, "effect": effect, "times": 1}
    await arrange(emulator, "POST", "faults", fault)
    await raw.send("PUT", path_of(raw), json=body())

    (cause,) = (await state_of(raw))["error"]["details"]
    assert cause["code"] == "ResourceDeploymentFailure"
    assert [inner["code"] for inner in cause["details"]] == ["AllocationFailed"]


@pytest.mark.parametrize(
    ("changes", "mode", "sentence"),
    [
        pytest.param({}, "Complete", "the mode 'Complete'", id="complete-mode"),
        pytest.param(
            {"resources": [resource("Microsoft.Storage/storageAccounts", "s")]},
            "Incremental",
            "resources of type 'Microsoft.Storage/storageAccounts' in templates, and resource 's'",
            id="unknown-type",
        ),
        pytest.param(
            {"resources": [resource(ADDRESS, "ip", properties={"a": "[frob()]"})]},
            "Incremental",
            "the template function 'frob'",
            id="unknown-function",
        ),
    ],
)
async def test_templates_that_cannot_be_carried_out_are_refused_and_leave_nothing(
    raw: Raw, changes: dict[str, Any], mode: str, sentence: str
) -> None:
    given = body(template(**changes), mode=mode)
    for method, rest in (("PUT", "/one"), ("POST", "/one/validate")):
        status, _, refused = await raw.send(method, path_of(raw, rest), json=given)
        assert (status, refused["error"]["code"]) == (400, "InvalidTemplate")
        assert sentence in refused["error"]["message"]

    assert (await raw.send("HEAD", path_of(raw)))[0] == 404
    assert (await raw.send("GET", path_of(raw, "")))[2] == {"value": []}


async def test_an_api_version_that_a_type_has_not_is_refused(raw: Raw) -> None:
    content = template(resources=[resource(ADDRESS, "ip", version="1999-01-01")])
    status, _, refused = await raw.send("PUT", path_of(raw), json=body(content))

    assert (status, refused["error"]["code"]) == (400, "NoRegisteredProviderFound")


async def test_validation_makes_nothing(raw: Raw) -> None:
    status, _, valid = await raw.send("POST", path_of(raw, "/one/validate"), json=body())

    assert (status, len(valid["properties"]["validatedResources"])) == (200, 4)
    assert (await raw.send("GET", path_of(raw, "")))[2] == {"value": []}


async def test_a_record_is_deleted_and_its_resources_stay(raw: Raw) -> None:
    await raw.send("PUT", path_of(raw), json=body())
    assert (await raw.send("HEAD", path_of(raw)))[0] == 204
    assert (await raw.send("DELETE", path_of(raw)))[0] == 204

    status, _, absent = await raw.send("GET", path_of(raw))
    assert (status, absent["error"]["code"]) == (404, "DeploymentNotFound")
    assert (await raw.send("GET", raw.machine()))[0] == 200


async def test_a_canceled_deployment_begins_nothing_more(slow: Raw, clock: ManualClock) -> None:
    await slow.send("PUT", path_of(slow), json=body())
    status, _, _ = await slow.send("POST", path_of(slow, "/one/cancel"))
    clock.advance(100)

    assert status == 204
    assert (await state_of(slow))["provisioningState"] == "Canceled"
    assert (await slow.send("GET", slow.networked("publicIPAddresses/ip")))[0] == 404
    status, _, refused = await slow.send("POST", path_of(slow, "/one/cancel"))
    assert (status, refused["error"]["code"]) == (409, "DeploymentCannotBeCancelled")


async def test_a_groups_deployments_go_with_it(raw: Raw) -> None:
    await raw.send("PUT", path_of(raw), json=body())
    await raw.send("DELETE", f"{raw.group}?api-version={GROUP_VERSION}")
    await raw.send("GET", f"{raw.group}?api-version={GROUP_VERSION}")
    await raw.send("PUT", f"{raw.group}?api-version={GROUP_VERSION}", json={"location": "eastus"})

    assert (await raw.send("GET", path_of(raw, "")))[2] == {"value": []}


async def test_deployments_to_a_subscription_are_refused_in_a_sentence(raw: Raw) -> None:
    subscription = raw.group.partition("/resourceGroups/")[0]
    deployments = f"{subscription}/providers/Microsoft.Resources/deployments"
    for method, path in (("PUT", "one"), ("POST", "one/validate"), ("POST", "one/whatIf")):
        status, _, refused = await raw.send(method, f"{deployments}/{path}?api-version={GROUP_VERSION}", json=body())
        assert (status, refused["error"]["code"]) == (409, "NotSupported")
        assert "does not support template deployments to a subscription" in refused["error"]["message"]


async def test_a_deployment_takes_tokens_of_its_resources_providers_and_one_of_arms(
    slow: Raw, frozen: ArmEmulator, clock: ManualClock
) -> None:
    await slow.send("PUT", path_of(slow), json=body())
    levels: list[dict[str, int]] = []
    for _ in range(40):
        clock.advance(0.005)
        shown = await arrange(frozen, "GET", "limits")
        levels.append({one["name"]: one["capacity"] - one["level"] for one in shown["buckets"]})

    assert max(level.get("Microsoft.Network/WriteOrDeleteCallsPer5Min", 0) for level in levels) == 3
    assert max(level.get("Microsoft.Compute/PutVMResource", 0) for level in levels) == 1
    assert max(level.get("subscription-writes", 0) for level in levels) == 1


async def test_a_deployment_waits_for_a_provider_that_has_been_asked_too_often(
    slow: Raw, frozen: ArmEmulator, clock: ManualClock
) -> None:
    await slow.send("PUT", slow.networked("publicIPAddresses/first"), json={"location": "eastus"})
    limit = {"name": "Microsoft.Network/WriteOrDeleteCallsPer5Min", "scope": "eastus", "level": 0}
    await arrange(frozen, "PATCH", "limits", limit)
    await slow.send("PUT", path_of(slow), json=body())

    clock.advance(2)
    before = await state_of(slow)
    clock.advance(60)
    after = await state_of(slow)
    assert (before["provisioningState"], after["provisioningState"]) == ("Running", "Succeeded")


async def test_two_addresses_cannot_have_one_name(raw: Raw) -> None:
    given = {"location": "eastus", "properties": {"dnsSettings": {"domainNameLabel": "bench-one"}}}
    statuses = [
        (await raw.send("PUT", raw.networked(f"publicIPAddresses/{name}"), json=given)) for name in ("a", "a", "b")
    ]

    assert [status for status, _, _ in statuses] == [201, 200, 400]
    assert statuses[2][2]["error"]["code"] == "DnsRecordInUse"


async def test_a_deployment_goes_on_after_a_restart(tmp_path: Path) -> None:
    options = ("--resource-group", "rg@eastus", "--state", str(tmp_path / "state.db"),
               "--latency", "recorded", "--time-scale", "0.02", "--limits", "off")  # fmt: skip
    folder = tmp_path / "emulator"
    with running_command(folder, *options) as process:
        async with raw_of(connection_in(folder)) as raw:
            await raw.send("PUT", path_of(raw), json=body())
        process.kill()
        process.wait()
    (folder / "connection.json").unlink()
    with running_command(folder, *options):
        async with raw_of(connection_in(folder)) as raw:
            for _ in range(1000):
                properties = await state_of(raw)
                if properties["provisioningState"] not in ("Accepted", "Running"):
                    break

    assert properties["provisioningState"] == "Succeeded"
    assert properties["outputs"]["host"]["value"].startswith("bench-one.")
