"""Faults as clients meet them: the real SDK and raw HTTP against faults that were set over the admin API."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)

from benchhost.emulator import ArmEmulator, EmulatorConfig, LatencyMode
from integration.emulator.admin_driver import administer, arrange
from integration.emulator.driver import GROUP, Raw, Sdk, machine_body, sdk_of

if TYPE_CHECKING:
    from pathlib import Path

MACHINES = "Microsoft.Compute/virtualMachines"
TWICE = 2
"""aiohttp sends a PUT again by itself when the connection it used is an old one that turns out to be cut."""


async def _set(emulator: ArmEmulator, effect: dict[str, Any], *, times: int | None = 1, **match: str) -> str:
    fault = await arrange(emulator, "POST", "faults", {"match": match, "effect": effect, "times": times})
    return str(fault["id"])


async def _create(sdk: Sdk, *, retry_total: int = 0) -> None:
    body = machine_body(await sdk.interface())
    poller = await sdk.compute.virtual_machines.begin_create_or_update(GROUP, "vm", body, retry_total=retry_total)
    await poller.result()


async def test_a_refusal_has_everything_that_was_set(emulator: ArmEmulator, raw: Raw) -> None:
    details = [{"code": "Inner", "message": "why", "target": "vmSize"}]
    effect = {
        "kind": "refuse", "status": 409, "code": "SkuNotAvailable", "message": "None left.", "target": "vmSize",
        "details": details, "headers": {"Retry-After": "7"},
    }  # fmt: skip
    await _set(emulator, effect, method="GET", name="vm*")
    status, headers, body = await raw.send("GET", raw.machine())
    assert (status, headers["Retry-After"]) == (409, "7")
    assert body["error"] == {
        "code": "SkuNotAvailable", "message": "None left.", "target": "vmSize", "details": details,
    }  # fmt: skip
    assert headers["x-ms-request-id"]
    assert (await raw.send("GET", raw.machine()))[0] == 404


async def test_the_sdk_gets_over_two_503_by_itself(emulator: ArmEmulator, sdk: Sdk) -> None:
    fault_id = await _set(
        emulator, {"kind": "refuse", "status": 503, "headers": {"retry-after-ms": "1"}},
        times=2, method="PUT", resourceType=MACHINES,
    )  # fmt: skip
    await _create(sdk, retry_total=3)
    faults = (await arrange(emulator, "GET", "faults"))["faults"]
    assert [(fault["id"], fault["hits"]) for fault in faults] == [(fault_id, 2)]


async def test_an_operation_is_accepted_and_then_fails(emulator: ArmEmulator, sdk: Sdk) -> None:
    effect = {"kind": "failOperation", "code": "AllocationFailed", "message": "Allocation failed."}
    await _set(emulator, effect, operation="createMachine", name="vm")
    with pytest.raises(HttpResponseError) as failed:
        await _create(sdk)
    error = failed.value
    assert (error.status_code, error.error.code, error.error.message) == (200, "AllocationFailed", "Allocation failed.")
    machine = await sdk.compute.virtual_machines.get(GROUP, "vm")
    assert machine.provisioning_state == "Failed"


async def test_a_lost_answer_leaves_what_was_asked_for(emulator: ArmEmulator, sdk: Sdk) -> None:
    await _set(emulator, {"kind": "loseAnswer"}, times=TWICE, method="PUT", resourceType=MACHINES)
    with pytest.raises(ServiceRequestError):
        await _create(sdk)
    assert (await sdk.compute.virtual_machines.get(GROUP, "vm")).name == "vm"


async def test_a_cut_connection_leaves_nothing(emulator: ArmEmulator, sdk: Sdk) -> None:
    await _set(emulator, {"kind": "cutConnection"}, times=TWICE, method="PUT", resourceType=MACHINES)
    with pytest.raises(ServiceRequestError):
        await _create(sdk)
    with pytest.raises(ResourceNotFoundError):
        await sdk.compute.virtual_machines.get(GROUP, "vm")
    await _create(sdk)


async def test_a_cut_connection_is_in_the_access_log(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    async with (
        ArmEmulator(EmulatorConfig(latency=LatencyMode.NONE, access_log=log)) as emulator,
        sdk_of(emulator.connection) as sdk,
    ):
        await _set(emulator, {"kind": "cutConnection"}, action="start")
        with pytest.raises(ServiceRequestError):
            await sdk.compute.virtual_machines.begin_start(GROUP, "vm", retry_total=0)
    statuses = [json.loads(line)["status"] for line in log.read_text().splitlines()]
    assert statuses[-1] == 0


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        pytest.param({"kind": "proxyAnswer"}, HttpResponseError, id="gateway-page"),
        pytest.param(
            {"kind": "proxyAnswer", "status": 200, "content": "<html>log in</html>"}, json.JSONDecodeError,
            id="login-page",
        ),
        pytest.param(
            {"kind": "proxyAnswer", "status": 200, "content": '{"id": ', "contentType": "application/json"},
            DecodeError, id="half-of-a-json",
        ),
    ],
)  # fmt: skip
async def test_a_proxys_page_instead_of_json(
    emulator: ArmEmulator, sdk: Sdk, effect: dict[str, Any], error: type[Exception]
) -> None:
    await _set(emulator, effect, method="GET")
    with pytest.raises(error):
        await sdk.compute.virtual_machines.get(GROUP, "vm", retry_total=0)


async def test_a_late_answer_is_late_and_right(emulator: ArmEmulator, raw: Raw) -> None:
    await _set(emulator, {"kind": "delay", "seconds": 0.3}, method="GET")
    began = time.monotonic()
    status, _, _ = await raw.send("GET", raw.machine())
    assert status == 404
    assert time.monotonic() - began >= 0.3


async def test_a_client_gives_up_on_an_answer_that_is_too_late(emulator: ArmEmulator, sdk: Sdk) -> None:
    await _set(emulator, {"kind": "delay", "seconds": 30}, action="start")
    with pytest.raises(ServiceResponseTimeoutError):
        await sdk.compute.virtual_machines.begin_start(GROUP, "vm", read_timeout=0.1, retry_total=0)


async def test_a_fault_takes_no_token_and_spares_the_admin_api(emulator: ArmEmulator, raw: Raw) -> None:
    await _set(emulator, {"kind": "refuse", "status": 500}, times=None)
    status, headers, body = await raw.send("GET", raw.machine())
    assert (status, body["error"]["code"]) == (500, "InternalServerError")
    assert "x-ms-ratelimit-remaining-subscription-reads" not in headers
    assert await arrange(emulator, "DELETE", "faults") == {"removed": 1}
    assert (await raw.send("GET", raw.machine()))[0] == 404


async def test_faults_are_shown_as_they_were_set_and_removed(emulator: ArmEmulator) -> None:
    body = {
        "match": {"method": "PUT", "group": "rg", "name": "vm-*"},
        "effect": {"kind": "refuse", "status": 429, "headers": {"Retry-After": "3"}},
        "rate": 0.25,
    }
    added = await arrange(emulator, "POST", "faults", body)
    assert added == {
        **body, "id": "f1", "times": None, "hits": 0, "lastHit": None,
        "effect": {
            "kind": "refuse", "status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "3"},
            "message": "A fault was set for this in the emulator.",
        },
    }  # fmt: skip
    assert await arrange(emulator, "GET", "faults") == {"faults": [added]}
    assert await arrange(emulator, "DELETE", "faults/f1") == {"removed": 1}
    status, answer = await administer(emulator, "DELETE", "faults/f1")
    assert (status, answer) == (404, {"error": "There is no fault 'f1'."})


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        pytest.param({}, 400, "'effect.kind' is missing; there are refuse", id="no-effect"),
        pytest.param({"effect": {"kind": "explode"}}, 400, "must be one of refuse", id="unknown-effect"),
        pytest.param({"effect": {"kind": "refuse"}}, 400, "'effect.status' is missing", id="refusal-without-status"),
        pytest.param({"effect": {"kind": "refuse", "status": 200}}, 400, "from 400 to 599", id="refusal-that-is-none"),
        pytest.param({"effect": {"kind": "loseAnswer", "code": "X"}}, 400, "'code' is no field", id="too-much"),
        pytest.param(
            {"match": {"verb": "GET"}, "effect": {"kind": "loseAnswer"}}, 400, "'verb' is no field in 'match'",
            id="misspelt-match",
        ),
        pytest.param(
            {"match": {"action": "start"}, "effect": {"kind": "failOperation", "code": "X"}}, 400,
            "match it by 'operation'", id="operation-by-action",
        ),
        pytest.param(
            {"match": {"operation": "start*"}, "effect": {"kind": "loseAnswer"}}, 400, "Only failOperation",
            id="request-by-operation",
        ),
        pytest.param(
            {"match": {"operation": "explode"}, "effect": {"kind": "failOperation", "code": "X"}}, 404,
            "there are createMachine", id="no-such-operation",
        ),
        pytest.param({"effect": {"kind": "loseAnswer"}, "times": 0}, 400, "at least 1", id="never"),
    ],
)  # fmt: skip
async def test_faults_that_make_no_sense(emulator: ArmEmulator, body: dict[str, Any], status: int, words: str) -> None:
    got, answer = await administer(emulator, "POST", "faults", body)
    assert got == status
    assert words in answer["error"], answer
