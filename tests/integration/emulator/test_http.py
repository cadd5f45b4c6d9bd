"""What is on the wire: status codes, headers and bodies, without an SDK between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.emulator.driver import (
    COMPUTE_VERSION,
    GROUP_VERSION,
    NETWORK_VERSION,
    ManualClock,
    Raw,
    address_body,
    interface_body,
    machine_body,
    network_body,
    raw_of,
)

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00")


async def _interface(raw: Raw, clock: ManualClock | None = None) -> str:
    status, _, network = await raw.send("PUT", raw.networked("virtualNetworks/vnet"), json=network_body())
    assert status == 201
    if clock is not None:
        clock.advance(10)
    subnet = network["properties"]["subnets"][0]["id"]
    status, _, interface = await raw.send("PUT", raw.networked("networkInterfaces/nic"), json=interface_body(subnet))
    assert status == 201
    return str(interface["id"])


async def _create(raw: Raw) -> None:
    interface = await _interface(raw)
    status, _, _ = await raw.send("PUT", raw.machine(), json=machine_body(interface))
    assert status == 201


async def test_a_create_and_its_polls_look_as_recorded(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with raw_of(frozen.connection) as raw:
        interface = await _interface(raw, clock)
        status, headers, body = await raw.send("PUT", raw.machine(), json=machine_body(interface))
        assert status == 201
        assert body["properties"]["provisioningState"] == "Creating"
        assert "name" not in body["properties"]["storageProfile"]["osDisk"]
        assert "customData" not in body["properties"]["osProfile"]
        assert headers["Azure-AsyncNotification"] == "Enabled"
        assert "Location" not in headers
        url = headers["Azure-AsyncOperation"]
        assert 3000 < len(url) < 4096
        assert not set("{}") & set(url)

        status, headers, poll = await raw.send("GET", url)
        assert status == 200
        assert set(poll) == {"startTime", "status", "name"}
        assert poll["status"] == "InProgress"
        assert TIME.fullmatch(poll["startTime"])
        assert "retry-after-ms" in headers

        clock.advance(100)
        _, headers, poll = await raw.send("GET", url)
        assert (poll["status"], set(poll)) == ("Succeeded", {"startTime", "endTime", "status", "name"})
        assert "Retry-After" not in headers


async def test_actions_and_deletes_are_accepted_and_monitored(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with raw_of(frozen.connection) as raw:
        interface = await _interface(raw, clock)
        await raw.send("PUT", raw.machine(), json=machine_body(interface))
        clock.advance(100)
        status, headers, body = await raw.send("POST", raw.machine("/deallocate"))
        assert (status, body) == (202, None)
        assert headers["Location"] == f"{headers['Azure-AsyncOperation']}&monitor=true"
        assert (await raw.send("GET", headers["Location"]))[0] == 202
        clock.advance(100)
        status, _, body = await raw.send("GET", headers["Location"])
        assert (status, body) == (200, None)

        status, headers, body = await raw.send("DELETE", raw.machine())
        assert (status, body) == (202, None)
        assert {"Azure-AsyncOperation", "Location", "retry-after-ms"} <= set(headers)
        status, _, body = await raw.send("GET", raw.machine("", version="2022-03-01"))
        assert body["properties"]["provisioningState"] == "Deleting"


async def test_the_location_of_a_written_disk_ends_at_the_disk(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with raw_of(frozen.connection) as raw:
        path = f"{raw.group}/providers/Microsoft.Compute/disks/data?api-version=2024-03-02"
        body = {"location": "eastus", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
        status, headers, _ = await raw.send("PUT", path, json=body)
        assert status == 202
        assert (await raw.send("GET", headers["Location"]))[0] == 202
        clock.advance(100)
        status, _, disk = await raw.send("GET", headers["Location"])
        assert (status, disk["name"], disk["properties"]["provisioningState"]) == (200, "data", "Succeeded")
        _, _, read = await raw.send("GET", path)
        assert disk == read


async def test_network_writes_and_polls_look_as_recorded(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with raw_of(frozen.connection) as raw:
        path = raw.networked("publicIPAddresses/pip")
        status, headers, body = await raw.send("PUT", path, json=address_body())
        assert (status, body["properties"]["provisioningState"]) == (201, "Updating")
        assert re.fullmatch(r'W/"[0-9a-f-]{36}"', body["etag"])
        url = headers["Azure-AsyncOperation"]
        assert (await raw.send("GET", url))[2] == {"status": "InProgress"}
        clock.advance(10)
        assert (await raw.send("GET", url))[2] == {"status": "Succeeded"}
        status, headers, _ = await raw.send("DELETE", path)
        assert status == 202
        assert "/operationResults/" in headers["Location"]
        assert (await raw.send("GET", headers["Location"]))[0] == 202
        clock.advance(60)
        assert (await raw.send("GET", headers["Location"]))[0] == 204
        assert (await raw.send("DELETE", path))[0] == 204


async def test_an_interface_is_written_without_polling_headers(raw: Raw) -> None:
    status, _, network = await raw.send("PUT", raw.networked("virtualNetworks/vnet"), json=network_body())
    subnet = network["properties"]["subnets"][0]["id"]
    status, headers, body = await raw.send("PUT", raw.networked("networkInterfaces/nic"), json=interface_body(subnet))
    assert (status, body["properties"]["provisioningState"]) == (201, "Succeeded")
    assert not {"Azure-AsyncOperation", "Location", "Retry-After"} & set(headers)


async def test_polling_urls_are_signed(raw: Raw) -> None:
    interface = await _interface(raw)
    _, headers, _ = await raw.send("PUT", raw.machine(), json=machine_body(interface))
    url = headers["Azure-AsyncOperation"]
    signature = parse_qs(urlsplit(url).query)["s"][0]
    status, _, body = await raw.send("GET", url.replace(signature, "A" * len(signature)))
    assert (status, body["error"]["code"]) == (403, "AuthorizationFailed")
    assert (await raw.send("GET", url))[0] == 200


async def test_a_resource_group_lives_and_dies(frozen: ArmEmulator, clock: ManualClock) -> None:
    async with raw_of(frozen.connection) as raw:
        path = f"{raw.group.replace('/rg', '/Second')}?api-version={GROUP_VERSION}"
        status, _, body = await raw.send("PUT", path, json={"location": "West Europe", "tags": {"a": "b"}})
        assert (status, body["location"], body["name"]) == (201, "westeurope", "Second")
        assert (await raw.send("PUT", path, json={"location": "westeurope"}))[0] == 200
        assert (await raw.send("HEAD", path.replace("Second", "second")))[0] == 204
        status, headers, _ = await raw.send("DELETE", path)
        assert status == 202
        assert "/operationresults/" in headers["Location"]
        assert (await raw.send("GET", path))[2]["properties"]["provisioningState"] == "Deleting"
        assert (await raw.send("GET", headers["Location"]))[0] == 202
        clock.advance(300)
        assert (await raw.send("GET", headers["Location"]))[0] == 200
        status, headers, body = await raw.send("GET", path)
        assert (status, body["error"]["code"]) == (404, "ResourceGroupNotFound")
        assert headers["x-ms-failure-cause"] == "gateway"
        assert (await raw.send("HEAD", path))[0] == 404


async def test_everything_in_a_group_is_listed(raw: Raw) -> None:
    await _create(raw)
    await raw.send("GET", raw.machine())
    for path in (f"{raw.group}/resources", f"{raw.group.rpartition('/resourceGroups')[0]}/resources"):
        _, _, body = await raw.send("GET", f"{path}?api-version={GROUP_VERSION}")
        kinds = sorted(item["type"].rpartition("/")[2] for item in body["value"])
        assert kinds == ["disks", "networkInterfaces", "virtualMachines", "virtualNetworks"]
    filtered = f"{raw.group}/resources?api-version={GROUP_VERSION}&$filter=tagName eq 'owner' and tagValue eq 'tests'"
    _, _, body = await raw.send("GET", filtered)
    assert sorted(item["type"].rpartition("/")[2] for item in body["value"]) == ["disks", "virtualMachines"]


async def test_paths_and_names_match_in_any_case(raw: Raw) -> None:
    await _create(raw)
    shouted = raw.machine().partition("?")[0].upper()
    status, _, body = await raw.send("GET", f"{shouted}?API-Version=2024-11-01")
    assert status == 200
    assert body["name"] == "vm"
    assert body["id"].startswith("/subscriptions/")


@pytest.mark.parametrize(
    ("version", "has_time", "has_option", "has_etag"),
    [
        ("2020-12-01", False, False, False),
        ("2022-03-01", True, True, False),
        ("2024-11-01", True, True, True),
    ],
)
async def test_older_versions_show_less(
    raw: Raw, version: str, has_time: bool, has_option: bool, has_etag: bool
) -> None:
    await _create(raw)
    _, _, body = await raw.send("GET", raw.machine(version=version))
    assert ("timeCreated" in body["properties"]) is has_time
    assert ("deleteOption" in body["properties"]["storageProfile"]["osDisk"]) is has_option
    assert ("etag" in body) is has_etag


async def test_every_answer_has_ids_and_counts_down_what_is_left(raw: Raw) -> None:
    await _create(raw)
    client_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    left: list[int] = []
    for _ in range(2):
        _, headers, _ = await raw.send("GET", raw.machine(), headers={"x-ms-client-request-id": client_id})
        left.append(int(headers["x-ms-ratelimit-remaining-subscription-global-reads"]))
        assert headers["x-ms-client-request-id"] == client_id
        assert headers["x-ms-request-id"] != client_id
        assert headers["x-ms-correlation-request-id"]
        assert headers["x-ms-ratelimit-remaining-resource"].startswith(
            "Microsoft.Compute/LowCostGetSubscriptionMaximum;23"
        )
    assert all(number < 3750 for number in left)
    _, headers, _ = await raw.send("PUT", raw.machine(name="other"), json={"location": "eastus"})
    assert "Microsoft.Compute/PutVMResource;11" in headers["x-ms-ratelimit-remaining-resource"]
    assert int(headers["x-ms-ratelimit-remaining-subscription-writes"]) <= 199


@pytest.mark.parametrize("version", ["2016-02-01", "2024-11-01", "2025-04-01"])
async def test_a_provider_can_be_registered(raw: Raw, version: str) -> None:
    provider = f"{raw.group.partition('/resourceGroups/')[0]}/providers/Microsoft.Compute"
    status, _, answer = await raw.send("POST", f"{provider}/register?api-version={version}")
    assert (status, answer["registrationState"]) == (200, "Registered")


async def test_a_provider_tells_the_versions_of_its_types(raw: Raw) -> None:
    subscription = raw.group.partition("/resourceGroups/")[0]
    _, _, listed = await raw.send("GET", f"{subscription}/providers?api-version={GROUP_VERSION}")
    compute = next(provider for provider in listed["value"] if provider["namespace"] == "Microsoft.Compute")
    machines = next(kind for kind in compute["resourceTypes"] if kind["resourceType"] == "virtualMachines")
    assert machines["apiVersions"][0] == COMPUTE_VERSION
    assert "eastus" in machines["locations"]


NETWORK = f"providers/Microsoft.Network/virtualNetworks/none?api-version={NETWORK_VERSION}"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        pytest.param("GET", f"{{group}}/{NETWORK}", 404, "ResourceNotFound", id="absent-resource"),
        pytest.param("GET", f"{{group}}x/{NETWORK}", 404, "ResourceGroupNotFound", id="absent-group"),
        pytest.param(
            "GET", "/subscriptions/00000000-0000-0000-0000-000000000000?api-version=2022-12-01",
            404, "SubscriptionNotFound", id="another-subscription",
        ),
        pytest.param(
            "GET", "/subscriptions/mine?api-version=2022-12-01", 400, "InvalidSubscriptionId", id="no-guid"
        ),
        pytest.param("GET", "{group}", 400, "MissingApiVersionParameter", id="no-version"),
        pytest.param(
            "PUT", "{group}/providers/Microsoft.Network/virtualNetworks/a/subnets/b?api-version=2024-05-01",
            404, "ParentResourceNotFound", id="subnet-of-nothing",
        ),
        pytest.param(
            "PATCH", "{group}/providers/Microsoft.Compute/virtualMachines/none?api-version=2024-11-01",
            404, "ResourceNotFound", id="patch-of-nothing",
        ),
        pytest.param(
            "POST", "{group}/providers/Microsoft.Compute/virtualMachines/none/start?api-version=2024-11-01",
            404, "ResourceNotFound", id="start-of-nothing",
        ),
        pytest.param(
            "POST", "{group}/providers/Microsoft.Compute/virtualMachines/none?api-version=2024-11-01",
            405, "HttpMethodNotAllowed", id="wrong-method",
        ),
        pytest.param(
            "GET", "{group}/providers/Microsoft.Compute/virtualMachines/none/what?api-version=2024-11-01",
            404, "InvalidResourceType", id="no-such-route",
        ),
        pytest.param(
            "PUT", "{group}/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-11-01",
            400, "LocationRequired", id="empty-object",
        ),
    ],
)  # fmt: skip
async def test_refusals_have_azures_bodies(raw: Raw, method: str, path: str, status: int, code: str) -> None:
    body: dict[str, Any] | None = {} if method in ("PUT", "PATCH") else None
    got, headers, answer = await raw.send(method, path.format(group=raw.group), json=body)
    assert (got, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]
    if status == 404:
        assert headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "InvalidRequestContent"),
        (b"[]", "application/json", 400, "InvalidRequestContent"),
        (b"\xff", "application/json", 400, "InvalidRequestContent"),
        (b"", "application/json", 400, "MissingRequestBody"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "UnsupportedMediaType"),
        (b'{"location": "eastus", "sku": "Standard"}', "application/json", 400, "InvalidRequestContent"),
        (b'{"location": 5}', "application/json", 400, "InvalidRequestContent"),
        (b'{"location": "eastus", "properties": []}', "application/json", 400, "InvalidRequestContent"),
        (
            b'{"location": "eastus", "properties": {"hardwareProfile": 3}}',
            "application/json",
            400,
            "InvalidRequestContent",
        ),
        (
            b'{"location": "eastus", "properties": {"storageProfile": {"osDisk": "x"}}}',
            "application/json",
            400,
            "InvalidRequestContent",
        ),
    ],
)
async def test_bodies_that_make_no_sense(raw: Raw, data: bytes, content_type: str, status: int, code: str) -> None:
    got, answer = await raw.send_bytes("PUT", raw.machine(), data, content_type)
    assert (got, answer["error"]["code"]) == (status, code)


async def test_microsoft_network_always_sends_details(raw: Raw) -> None:
    body = interface_body(f"{raw.group}/providers/Microsoft.Network/virtualNetworks/v/subnets/s")
    status, _, answer = await raw.send("PUT", raw.networked("networkInterfaces/nic"), json=body)
    assert (status, answer["error"]["code"]) == (400, "InvalidResourceReference")
    assert answer["error"]["details"] == []
