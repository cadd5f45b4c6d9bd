"""Custom data and host keys: what a guest does once in the life of its disk, and tells on its serial console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from integration.emulator.driver import GROUP
from integration.emulator.guests.bench import asyncssh

if TYPE_CHECKING:
    from integration.emulator.guests.bench import Bench

CONFIG = """#cloud-config
packages: [postgresql]
write_files:
- path: /etc/bench/settings
  permissions: '0600'
  content: speed
- path: /opt/run
  permissions: 0755
  encoding: b64
  content: IyEvYmluL3NoCmVjaG8gcmFuICIkMSIK
runcmd:
- [opt/run, "with a space"]
- exit 9
"""


async def console(bench: Bench) -> str:
    found = await bench.sdk.compute.virtual_machines.retrieve_boot_diagnostics_data(GROUP, "vm")
    async with (
        aiohttp.ClientSession() as session,
        session.get(found.serial_console_log_blob_uri, ssl=False) as answer,
    ):
        return await answer.text()


async def finished(bench: Bench) -> str:
    """The output of the custom data, once it is complete."""
    result = await bench.run("cloud-init status --wait && cat $BENCHHOST_GUEST/var/log/cloud-init-output.log")
    status, _, output = str(result.stdout).partition("\n")
    assert status == "status: done"
    return output


async def test_a_script_runs_once_in_the_life_of_a_disk(bench: Bench) -> None:
    await bench.create(
        data="#!/bin/bash\necho in $PWD as $USER; echo to stderr >&2; touch $HOME/made; echo once >> $HOME/times"
    )
    output = await finished(bench)
    assert f"in {bench.machine_root()} as tester\nto stderr\n" in output
    await bench.act("restart")
    assert (await bench.run("ls; cat times")).stdout == "made\ntimes\nonce\n"


async def test_cloud_config_writes_files_and_runs_commands_and_says_what_it_ignores(bench: Bench) -> None:
    await bench.create(data=CONFIG)
    output = await finished(bench)
    assert "ran with a space\n" in output
    assert "A guest of the emulator ignores 'packages'." in output
    assert "Failed running var/lib/cloud/instance/scripts/part-001 [9]" in output
    assert (bench.machine_root() / "etc/bench/settings").read_text() == "speed"
    assert (bench.machine_root() / "opt/run").stat().st_mode & 0o777 == 0o755
    assert "Failed running var/lib/cloud/instance/scripts/part-001 [9]" in await console(bench)


async def test_custom_data_that_nobody_understands_is_told_and_stops_nothing(bench: Bench) -> None:
    await bench.create(data="hello")
    assert "begins neither with #! nor with #cloud-config" in await finished(bench)


async def test_ssh_is_up_before_a_long_script_ends(bench: Bench) -> None:
    await bench.create(data="#!/bin/sh\nsleep 1000\n")
    assert (await bench.run("cloud-init status")).stdout == "status: running\n"


async def test_the_serial_console_tells_the_host_key(bench: Bench) -> None:
    await bench.create()
    lines = (await console(bench)).splitlines()
    start = lines.index("-----BEGIN SSH HOST KEY KEYS-----")
    key, end = lines[start + 1 : start + 3]
    assert end == "-----END SSH HOST KEY KEYS-----"
    assert key.startswith("ssh-ed25519 ")
    assert key.endswith(" root@vm")
    known = asyncssh.import_known_hosts(f"[{await bench.address()}]:{bench.port} {key}\n")
    async with bench.ssh(await bench.address(), known_hosts=known) as connection:
        assert (await connection.run("true")).exit_status == 0
    await bench.act("restart")
    assert (await console(bench)).count("BEGIN SSH HOST KEY KEYS") == 1
