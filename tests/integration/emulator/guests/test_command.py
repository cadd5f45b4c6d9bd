"""``benchhost emulator run --guests`` and ``benchhost emulator guests``."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from integration.emulator.command import connection_in, inside, run, running_command
from integration.emulator.driver import GROUP, sdk_of
from integration.emulator.guests.bench import BACKGROUND, Bench, asyncssh, free_port, until
from support.process_states import is_alive

if TYPE_CHECKING:
    from pathlib import Path


def options(port: int, *more: str) -> tuple[str, ...]:
    return ("--guests", "--guest-port", str(port), "--resource-group", f"{GROUP}@eastus", *more)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_left_over_when_the_emulator_ends(
    tmp_path: Path, key: asyncssh.SSHKey, number: signal.Signals
) -> None:
    port = free_port()
    with running_command(tmp_path, *options(port)) as process:
        async with sdk_of(connection_in(tmp_path)) as sdk:
            bench = Bench(None, sdk, key, port, tmp_path)  # type: ignore[arg-type]
            await bench.create()
            background = int((await bench.run(BACKGROUND)).stdout)
            async with bench.ssh(await bench.address()) as connection:
                busy = await connection.create_process("echo $$; while :; do sleep 0.05; done")
                foreground = int(await busy.stdout.readline())
                os.kill(process.pid, number)
                _, errors = await asyncio.to_thread(process.communicate, timeout=60)
        assert errors == ""
        await until(lambda: not is_alive(background) and not is_alive(foreground))


async def test_the_command_lists_every_guest(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    port = free_port()
    with running_command(tmp_path, *options(port)):
        assert run(*inside(tmp_path, "guests")).stdout == "There are no machines.\n"
        async with sdk_of(connection_in(tmp_path)) as sdk:
            bench = Bench(None, sdk, key, port, tmp_path)  # type: ignore[arg-type]
            await bench.create("up")
            await bench.create("off")
            await bench.act("power_off", "off")
            address = await bench.address("up")
        answer = json.loads(run(*inside(tmp_path, "guests", "-o", "json")).stdout)
        found = {guest["machine"]: guest for guest in answer["guests"]}
        assert {name: guest["state"] for name, guest in found.items()} == {"up": "up", "off": "down"}
        assert (found["up"]["address"], found["up"]["user"]) == (address, "tester")
        assert found["up"]["root"].startswith(f"{tmp_path}/guests/")
        table = run(*inside(tmp_path, "guests")).stdout
        assert "up" in table
        assert "down" in table


def test_an_emulator_without_guests_says_so(tmp_path: Path) -> None:
    with running_command(tmp_path):
        result = run(*inside(tmp_path, "guests"))
    assert result.returncode != 0
    assert "run it with --guests" in result.stderr


def test_a_port_that_is_taken_everywhere_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        result = run("run", "--directory", str(tmp_path), *options(taken.getsockname()[1]))
    assert result.returncode == 1
    assert "is in use on every loopback address" in result.stderr
    assert "--guest-port" in result.stderr


def test_guests_with_a_state_file_need_a_folder(tmp_path: Path) -> None:
    result = run("run", "--guests", "--state", str(tmp_path / "state.db"))
    assert result.returncode == 2
    assert "--directory" in result.stderr
