"""``benchhost emulator run --state``: killed at any moment, and found again by clients that noticed nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from benchhost.emulator.connection_files import ADMIN_FILE
from integration.emulator.command import connection_in, run, running_command
from integration.emulator.driver import interface_body, machine_body, network_body, raw_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from integration.emulator.driver import Raw

GROUP = ("--resource-group", "rg@eastus")
SLOW = ("--latency", "recorded", "--time-scale", "0.05", "--limits", "off")
"""Answers in some 0.1 s and a create in some 3 s: long enough to be killed within, and short enough to wait for with
polls that no client would send so quickly."""


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run an emulator in a folder of its own, with the one state file."""
    with running_command(folder, *GROUP, "--state", str(folder.parent / "state.db"), *options) as process:
        yield process


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


async def create_machine(raw: Raw, **properties: Any) -> tuple[int, str]:
    """Create network, interface and machine; give status and polling URL of the machine's creation."""
    await raw.send("PUT", raw.networked("virtualNetworks/vnet"), json=network_body())
    for _ in range(100):
        _, _, network = await raw.send("GET", raw.networked("virtualNetworks/vnet"))
        if network["properties"]["provisioningState"] == "Succeeded":
            break
    subnet = network["properties"]["subnets"][0]["id"]
    _, _, interface = await raw.send("PUT", raw.networked("networkInterfaces/nic"), json=interface_body(subnet))
    body = machine_body(interface["id"])
    body["properties"] |= properties
    status, headers, _ = await raw.send("PUT", raw.machine(), json=body)
    return status, headers["Azure-AsyncOperation"]


async def poll(raw: Raw, url: str) -> str:
    """Look at an operation until it has ended."""
    for _ in range(1000):
        status, _, body = await raw.send("GET", url)
        assert status == 200
        if body["status"] != "InProgress":
            return str(body["status"])
    raise AssertionError("the operation did not end")


async def test_a_client_goes_on_with_its_token_its_ca_file_and_its_polling_url(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with running(first, *SLOW) as process:
        connection = connection_in(first)
        trusted = (first / "ca.pem").read_bytes()
        async with raw_of(connection) as raw:
            status, url = await create_machine(raw)
            assert status == 201
            token = dict(raw.headers)
        kill(process)
    with running(second, *SLOW):
        assert (second / "ca.pem").read_bytes() == trusted
        assert connection_in(second).endpoint == connection.endpoint
        assert connection_in(second).client_secret == connection.client_secret
        async with raw_of(connection) as raw:  # trusting the first one's file
            raw.headers = token
            assert await poll(raw, url) == "Succeeded"
            _, _, view = await raw.send("GET", raw.machine("/instanceView"))
            assert view["statuses"][-1]["code"] == "PowerState/running"


async def test_what_was_administered_and_an_address_of_a_blob_are_good_after_a_kill(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with running(first) as process:
        connection = connection_in(first)
        token = json.loads((first / ADMIN_FILE).read_text())["token"]
        run("faults", "add", "--operation", "start*", "--fail-operation", "AllocationFailed", "--directory", str(first))
        async with raw_of(connection) as raw:
            await create_machine(raw, diagnosticsProfile={"bootDiagnostics": {"enabled": True}})
            _, _, console = await raw.send("POST", raw.machine("/retrieveBootDiagnosticsData"))
        kill(process)
    with running(second):
        assert json.loads((second / ADMIN_FILE).read_text())["token"] == token
        assert "AllocationFailed" in run("faults", "list", "--directory", str(second)).stdout
        trusted = ssl.create_default_context(cafile=str(second / "ca.pem"))
        async with (
            aiohttp.ClientSession() as session,
            session.get(console["serialConsoleLogBlobUri"], ssl=trusted) as answer,
        ):
            assert answer.status == 200
            assert "vm login:" in await answer.text()


async def test_whatever_was_answered_is_known_after_a_kill(tmp_path: Path) -> None:
    known: set[str] = set()
    for number in range(4):
        folder = tmp_path / str(number)
        with running(folder) as process:
            async with raw_of(connection_in(folder)) as raw:
                listed = await raw.send("GET", f"{raw.group}/resources?api-version=2024-11-01")
                assert known <= {item["name"] for item in listed[2]["value"]}
                known |= await put_until_killed(raw, process, prefix=f"vnet-{number}")


async def put_until_killed(raw: Raw, process: subprocess.Popen[str], *, prefix: str) -> set[str]:
    """Create networks side by side, kill the emulator when the fifth is there, give what was answered with yes."""
    answered: set[str] = set()

    async def put(name: str) -> None:
        with contextlib.suppress(aiohttp.ClientError):
            status, _, _ = await raw.send("PUT", raw.networked(f"virtualNetworks/{name}"), json=network_body())
            assert status == 201
            answered.add(name)
            if len(answered) == 5:
                os.kill(process.pid, signal.SIGKILL)

    await asyncio.gather(*(put(f"{prefix}-{number}") for number in range(20)))
    assert len(answered) >= 5
    return answered


def test_two_do_not_share_a_file_and_another_subscription_is_refused(tmp_path: Path) -> None:
    folder, other = tmp_path / "one", tmp_path / "two"
    state = str(tmp_path / "state.db")
    with running(folder):
        refused = run("run", "--directory", str(other), "--state", state)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "Another emulator runs with the state file" in refused.stderr
    wanted = "33333333-3333-3333-3333-333333333333"
    refused = run("run", "--directory", str(other), "--state", state, "--subscription-id", wanted)
    assert refused.returncode == 1
    assert f"not {wanted}" in refused.stderr


@pytest.mark.parametrize("kind", ["text", "another-version"])
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "state.db"
    if kind == "text":
        path.write_text("no database at all, but long enough to be looked at as one" * 100)
    else:
        with running(tmp_path / "one"):
            pass
        file: Any = sqlite3.connect(path)
        file.execute("pragma user_version = 999")
        file.close()
    refused = run("run", "--directory", str(tmp_path / "two"), "--state", str(path))
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert str(path) in refused.stderr
