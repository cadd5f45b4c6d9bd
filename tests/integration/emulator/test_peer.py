"""mlos_bench's own service for Azure, unmodified, on the emulator: a host's life as HostEnv leads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from integration.emulator.command import connection_in, running_command
from integration.emulator.driver import GROUP, GROUP_VERSION, raw_of
from support import peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOON = 0.01
"""Seconds between two looks: the cloud takes no time."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An emulator in a process of its own, which mlos_bench's services ask."""
    folder = tmp_path / "cloud"
    with running_command(folder, "--resource-group", f"{GROUP}@eastus"):
        found: dict[str, str] = json.loads((folder / "connection.json").read_text())
        with peer.pointed_at(found):
            peer.make_network(found, GROUP, poll_interval=SOON)
            yield found


async def machine_of(folder: Path) -> dict[str, Any]:
    async with raw_of(connection_in(folder)) as raw:
        _, _, found = await raw.send("GET", f"{raw.machine(name='host')}&$expand=instanceView")
        _, _, listed = await raw.send("GET", f"{raw.group}/resources?api-version={GROUP_VERSION}")
    return {**found, "resources": sorted(one["name"] for one in listed["value"])}


def power_of(machine: dict[str, Any]) -> str:
    statuses = machine["properties"]["instanceView"]["statuses"]
    return str(next(one["code"] for one in statuses if one["code"].startswith("PowerState")))


async def test_a_host_is_provisioned_and_left_deallocated(connection: dict[str, str], tmp_path: Path) -> None:
    service = peer.machine_service(connection, GROUP, poll_interval=SOON)
    with peer.host_environment(service, "host") as environment:
        assert peer.run_setup(environment)
        running = await machine_of(tmp_path / "cloud")
        environment.teardown()
    left = await machine_of(tmp_path / "cloud")

    assert power_of(running) == "PowerState/running"
    assert "adminPassword" not in str(running)
    assert power_of(left) == "PowerState/deallocated"
    disk = running["properties"]["storageProfile"]["osDisk"]["name"]
    own = {"host", "host-NSG", "host-NetInt", "host-PublicIP", disk}
    assert own <= set(left["resources"])


def test_the_power_of_a_host_is_switched(connection: dict[str, str]) -> None:
    service = peer.machine_service(connection, GROUP, poll_interval=SOON)
    with peer.host_environment(service, "host") as environment:
        assert peer.run_setup(environment)
    for switch in (service.deallocate_host, service.start_host, service.restart_host, service.stop_host):
        status, params = switch({"vmName": "host"})
        assert status.is_pending(), switch
        status, _ = service.wait_host_operation(params)
        assert status.is_succeeded(), switch


def test_a_command_in_the_guest_is_refused(connection: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    service = peer.machine_service(connection, GROUP, poll_interval=SOON)
    with peer.host_environment(service, "host") as environment:
        assert peer.run_setup(environment)
    status, _ = service.remote_exec(["true"], {"vmName": "host", "commandName": "c", "location": "eastus"}, {})

    assert status.is_failed()
    assert "does not support 'runCommands'" in caplog.text
