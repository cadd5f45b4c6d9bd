"""Rate limits as clients meet them: raw HTTP for the shape, the real SDK for what it makes of it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError

from benchhost.emulator import ArmEmulator, EmulatorConfig, LimitMode
from integration.emulator.admin_driver import administer, arrange
from integration.emulator.driver import (
    GROUP,
    GROUP_VERSION,
    ManualClock,
    Sdk,
    machine_body,
    network_body,
    raw_of,
    sdk_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MACHINE_GETS = "Microsoft.Compute/LowCostGetResource"


@contextlib.asynccontextmanager
async def _azure(clock: ManualClock, **options: Any) -> AsyncIterator[ArmEmulator]:
    """An emulator that answers fast, with Azure's limits on a clock that the test moves."""
    defaults: dict[str, Any] = {"time_scale": 0.001, "seed": 7, "resource_groups": ((GROUP, "eastus"),)}
    config = EmulatorConfig(**{**defaults, "clock": clock, "token_lifetime_seconds": 1e9, **options})
    async with ArmEmulator(config) as running:
        yield running


async def _machine(sdk: Sdk, clock: ManualClock) -> None:
    """Create ``vm``, whose operations end at once on the test's clock."""
    creating = await sdk.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
    clock.advance(1)
    network = await creating.result()
    configuration = {"name": "ip", "properties": {"subnet": {"id": network.subnets[0].id}}}
    nic: Any = {"location": "eastus", "properties": {"ipConfigurations": [configuration]}}
    interface = await (await sdk.network.network_interfaces.begin_create_or_update(GROUP, "nic", nic)).result()
    body = machine_body(str(interface.id))
    creating_machine = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body)
    clock.advance(1)
    await creating_machine.result()
    clock.advance(10)


async def test_the_sdk_meets_a_machines_own_limit_and_comes_through_when_it_may(clock: ManualClock) -> None:
    async with _azure(clock) as emulator, sdk_of(emulator.connection) as sdk:
        await _machine(sdk, clock)
        get = sdk.compute.virtual_machines.get
        for _ in range(36):
            await get(GROUP, "vm", retry_total=0)
        with pytest.raises(HttpResponseError) as refused:
            await get(GROUP, "vm", retry_total=0)
        error = refused.value
        assert (error.status_code, error.error.code) == (429, "OperationNotAllowed")
        detail = error.error.details[0]
        assert (detail.code, detail.target) == ("TooManyRequests", "LowCostGetResource")
        assert json.loads(detail.message)["allowedRequestCount"] == 36
        clock.advance(float(error.response.headers["retry-after-ms"]) / 1000)
        for _ in range(12):
            await get(GROUP, "vm", retry_total=0)
        with pytest.raises(HttpResponseError):
            await get(GROUP, "vm", retry_total=0)


async def test_the_sdks_own_retries_wait_as_long_as_they_are_told(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    config = EmulatorConfig(time_scale=0.002, seed=7, resource_groups=((GROUP, "eastus"),), access_log=log)
    async with ArmEmulator(config) as emulator, sdk_of(emulator.connection) as sdk:
        size = {"name": "subscription-reads", "capacity": 1, "refill": 1, "periodSeconds": 60}
        await arrange(emulator, "PATCH", "limits", size)
        for _ in range(4):
            assert [machine async for machine in sdk.compute.virtual_machines.list(GROUP)] == []
    answers = [json.loads(line) for line in log.read_text().splitlines()]
    lists = [answer["status"] for answer in answers if answer["path"].endswith("/virtualMachines")]
    # 0.12 s between two reads: each of the four lists is refused at most once, and the last three at least sometimes.
    assert lists.count(200) == 4
    assert 1 <= lists.count(429) <= 3


async def test_the_front_doors_refusal_in_real_time(clock: ManualClock) -> None:
    async with _azure(clock, time_scale=1) as emulator, raw_of(emulator.connection) as raw:
        group = f"{raw.group}?api-version={GROUP_VERSION}"
        assert (await raw.send("GET", group))[0] == 200
        await arrange(emulator, "PATCH", "limits", {"name": "subscription-reads", "level": 0})
        clock.advance(0.4)
        status, headers, body = await raw.send("GET", group)
        assert (status, headers["Retry-After"]) == (429, "1")
        assert headers["x-ms-failure-cause"] == "gateway"
        assert headers["x-ms-ratelimit-remaining-subscription-reads"] == "0"
        assert headers["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"
        assert body["error"]["code"] == "SubscriptionRequestsThrottled"
        subscription, client = emulator.connection.subscription_id, emulator.connection.client_id
        assert body["error"]["message"] == (
            f"Number of 'read' requests for subscription '{subscription}' actor '{client}' exceeded. Please try again "
            "after '1' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for "
            "additional information."
        )
        clock.advance(0.6)
        status, headers, _ = await raw.send("GET", group)
        assert (status, headers["x-ms-ratelimit-remaining-subscription-reads"]) == (200, "24")


async def test_computes_refusal_says_which_policy_and_costs_a_token_at_the_front_door_only(clock: ManualClock) -> None:
    async with _azure(clock, time_scale=1) as emulator, raw_of(emulator.connection) as raw:
        regional = "Microsoft.Compute/PutVMSubscriptionMaximum"
        await arrange(emulator, "PATCH", "limits", {"name": regional, "scope": "eastus", "level": 0})
        clock.advance(20.5)
        status, headers, body = await raw.send("PUT", raw.machine(), json={"location": "East US"})
        assert (status, headers["Retry-After"]) == (429, "40")
        assert headers["x-ms-ratelimit-remaining-resource"] == f"{regional};0,Microsoft.Compute/PutVMResource;12"
        assert headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
        violation = json.loads(body["error"]["details"][0].pop("message"))
        assert body["error"] == {
            "code": "OperationNotAllowed",
            "message": "The server rejected the request because too many requests have been received for this "
            "subscription.",
            "details": [{"code": "TooManyRequests", "target": "PutVMSubscriptionMaximum"}],
        }
        assert violation["operationGroup"] == "PutVMSubscriptionMaximum"
        assert (violation["allowedRequestCount"], violation["measuredRequestCount"]) == (1500, 1501)
        elsewhere, _, _ = await raw.send("PUT", raw.machine(), json={"location": "westus2"})
        assert elsewhere == 400


async def test_networks_refusal(clock: ManualClock) -> None:
    async with _azure(clock) as emulator, raw_of(emulator.connection) as raw:
        limit = "Microsoft.Network/WriteOrDeleteCallsPer5Min"
        await arrange(emulator, "PATCH", "limits", {"name": limit, "scope": "eastus", "level": 1})
        address: Any = {"location": "eastus", "sku": {"name": "Standard"}}
        address["properties"] = {"publicIPAllocationMethod": "Static"}
        assert (await raw.send("PUT", raw.networked("publicIPAddresses/a"), json=address))[0] == 201
        status, headers, body = await raw.send("PUT", raw.networked("publicIPAddresses/b"), json=address)
        assert (status, body["error"]["code"]) == (429, "RetryableError")
        assert body["error"]["details"][0]["code"] == "RetryableErrorDueToTooManyCalls"
        assert headers["retry-after-ms"] == "300"
        assert (await raw.send("GET", raw.networked("publicIPAddresses/a")))[0] == 200


async def test_what_arm_answers_itself_costs_nothing_of_computes(clock: ManualClock) -> None:
    async with _azure(clock) as emulator, raw_of(emulator.connection) as raw:
        status, headers, _ = await raw.send("GET", raw.machine())
        assert status == 404
        assert "x-ms-ratelimit-remaining-resource" not in headers


@pytest.mark.parametrize(("mode", "shows"), [(LimitMode.COUNTED, True), (LimitMode.OFF, False)])
async def test_without_enforcement_nothing_is_refused(clock: ManualClock, mode: LimitMode, *, shows: bool) -> None:
    async with _azure(clock, limits=mode) as emulator, raw_of(emulator.connection) as raw:
        await arrange(emulator, "PATCH", "limits", {"name": "subscription-reads", "capacity": 1})
        for _ in range(3):
            status, headers, _ = await raw.send("GET", f"{raw.group}?api-version={GROUP_VERSION}")
            assert status == 200
            assert ("x-ms-ratelimit-remaining-subscription-reads" in headers) is shows


async def test_limits_are_shown_and_switched(clock: ManualClock) -> None:
    async with _azure(clock) as emulator:
        shown = await arrange(emulator, "GET", "limits")
        assert (shown["mode"], shown["buckets"]) == ("enforced", [])
        assert {"name": MACHINE_GETS, "capacity": 36, "refill": 12, "periodSeconds": 60.0} in shown["limits"]
        changed = await arrange(
            emulator, "PATCH", "limits",
            {"mode": "off", "name": MACHINE_GETS, "refill": 5, "level": 3, "scope": "subscriptions/S"},
        )  # fmt: skip
        assert changed["mode"] == "off"
        assert {"name": MACHINE_GETS, "capacity": 36, "refill": 5, "periodSeconds": 60.0} in changed["limits"]
        assert changed["buckets"] == [{"name": MACHINE_GETS, "scope": "subscriptions/s", "level": 3, "capacity": 36}]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        pytest.param({}, 400, "Nothing is to be changed", id="nothing"),
        pytest.param({"level": 3}, 400, "'name' is missing", id="no-name"),
        pytest.param({"name": "cats", "level": 3}, 404, "There is no limit 'cats'; there are subsc", id="unknown"),
        pytest.param({"name": "subscription-reads", "level": 0}, 409, "No request has used", id="unused"),
        pytest.param({"name": "subscription-reads", "refill": 0}, 400, "from 1 to", id="never-refilled"),
        pytest.param({"mode": "maybe"}, 400, "one of enforced, counted, off", id="no-such-mode"),
    ],
)
async def test_changes_that_make_no_sense(emulator: ArmEmulator, body: dict[str, Any], status: int, words: str) -> None:
    before = await arrange(emulator, "GET", "limits")
    got, answer = await administer(emulator, "PATCH", "limits", {"capacity": 7, **body} if body else body)
    assert await arrange(emulator, "GET", "limits") == before
    assert got == status
    assert words in answer["error"]
