"""``benchhost emulator`` as a user runs it: another process, files, signals, exit codes."""

from __future__ import annotations

import json
import os
import signal
import stat
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.connection_files import CONNECTION_FILE, ENVIRONMENT_FILE
from integration.emulator.command import connection_in, run, running_command
from integration.emulator.driver import network_body, sdk_of

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_running_emulator_is_found_used_listed_and_stopped(tmp_path: Path) -> None:
    group = ("--resource-group", "rg@eastus")
    with running_command(tmp_path, *group, "--subscription-id", "33333333-3333-3333-3333-333333333333") as process:
        for name in (CONNECTION_FILE, ENVIRONMENT_FILE):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        connection = connection_in(tmp_path)
        assert connection.subscription_id == "33333333-3333-3333-3333-333333333333"
        environment = dict(line.split("=", 1) for line in (tmp_path / ENVIRONMENT_FILE).read_text().splitlines())
        assert environment["AZURE_RESOURCE_MANAGER_ENDPOINT"] == connection.endpoint
        assert environment["AZURE_CA_BUNDLE"] == str(tmp_path / "ca.pem")
        assert environment["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "ca.pem")

        nothing = run("resources", "--directory", str(tmp_path))
        assert nothing.returncode == 0
        assert "No resources exist" in nothing.stdout

        async with sdk_of(connection) as sdk:
            body = network_body()
            await (await sdk.network.virtual_networks.begin_create_or_update("rg", "vnet", body)).result()
        table = run("resources", "--directory", str(tmp_path))
        assert "Microsoft.Network/virtualNetworks" in table.stdout
        listed = json.loads(run("resources", "--directory", str(tmp_path), "-o", "json").stdout)
        assert [item["name"] for item in listed["resources"]] == ["vnet"]
        assert [item["name"] for item in listed["resourceGroups"]] == ["rg"]

        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
        assert output.count("\n") == 1
        assert connection.endpoint in output
        assert connection.client_secret not in output
    assert not (tmp_path / CONNECTION_FILE).exists()
    assert not (tmp_path / ENVIRONMENT_FILE).exists()
    assert not (tmp_path / "server.key").exists()


def test_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    with running_command(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")


def test_two_run_side_by_side_but_not_on_one_port_or_folder(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with running_command(one), running_command(two):
        port = connection_in(one).endpoint.rpartition(":")[2]
        assert port != connection_in(two).endpoint.rpartition(":")[2]
        taken = run("run", "--port", port, "--directory", str(tmp_path / "three"))
        assert taken.returncode == 1
        assert f"Port {port} on 127.0.0.1 is in use" in taken.stderr
        assert taken.stderr.count("\n") == 1
        same = run("run", "--directory", str(one))
        assert same.returncode == 1
        assert "Another emulator runs with the folder" in same.stderr
        assert (one / CONNECTION_FILE).exists()


def test_a_killed_emulator_leaves_no_file_that_looks_alive_to_the_next(tmp_path: Path) -> None:
    with running_command(tmp_path) as process:
        before = (tmp_path / CONNECTION_FILE).read_text()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        dead = run("resources", "--directory", str(tmp_path))
        assert dead.returncode == 1
        assert "does not answer" in dead.stderr
        assert "Traceback" not in dead.stderr
    port = "1"
    refused = run("run", "--directory", str(tmp_path), "--host", "203.0.113.1", "--port", port)
    assert refused.returncode == 1
    assert "cannot run on 203.0.113.1" in refused.stderr
    assert not (tmp_path / CONNECTION_FILE).exists()
    with running_command(tmp_path):
        assert (tmp_path / CONNECTION_FILE).read_text() != before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["run", "--time-scale", "0"], 2, "not greater than 0", id="no-time-at-all"),
        pytest.param(["run", "--time-scale", "nan"], 2, "not greater than 0", id="no-number"),
        pytest.param(["run", "--resource-group", "rg"], 2, "NAME@LOCATION", id="group-without-location"),
        pytest.param(["run", "--resource-group", "rg@moon"], 2, "not offered", id="group-on-the-moon"),
        pytest.param(["run", "--subscription-id", "mine"], 2, "no GUID", id="subscription-that-is-no-guid"),
        pytest.param(["resources", "--directory", "/nonexistent"], 1, "No emulator runs", id="no-emulator"),
        pytest.param(["run", "--directory", "/proc/none"], 1, "cannot be made", id="folder-that-cannot-be"),
    ],
)
def test_bad_options_give_one_sentence(arguments: list[str], code: int, words: str) -> None:
    result = run(*arguments)
    said = " ".join(result.stderr.replace("│", " ").split())
    assert result.returncode == code
    assert words in said
    assert "Traceback" not in said
