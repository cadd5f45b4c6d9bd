"""Guests come and go with their machines, and their disks stay as long as Azure's do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator import LatencyMode
from integration.emulator.driver import GROUP, GROUP_VERSION, raw_of
from integration.emulator.guests.bench import BACKGROUND, asyncssh, bench_of, free_port, until
from support.process_states import is_alive

if TYPE_CHECKING:
    from pathlib import Path

    from integration.emulator.guests.bench import Bench

IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
EPHEMERAL = {
    "hardwareProfile": {"vmSize": "Standard_D4ds_v5"},
    "storageProfile": {
        "imageReference": IMAGE,
        "osDisk": {"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": {"option": "Local"}},
    },
}


@pytest.mark.parametrize("action", ["power_off", "deallocate"])
async def test_a_stopped_machine_is_silent_and_comes_back_with_its_disk(bench: Bench, action: str) -> None:
    await bench.create()
    address = await bench.address()
    async with bench.ssh(address) as connection:
        background = int((await connection.run(f"echo kept > file; {BACKGROUND}")).stdout)
        assert is_alive(background)
        await bench.act(action)
        await connection.wait_closed()
    assert await bench.refuses(address)
    await until(lambda: not is_alive(background))
    await bench.act("start")
    assert (await bench.run("cat file")).stdout == "kept\n"


@pytest.mark.parametrize("action", ["restart", "redeploy"])
async def test_a_restart_is_a_new_boot_of_the_same_disk(bench: Bench, action: str) -> None:
    await bench.create()
    async with bench.ssh(await bench.address()) as connection:
        background = int((await connection.run(f"echo kept > file; {BACKGROUND}")).stdout)
        host_key = connection.get_server_host_key()
        await bench.act(action)
        await connection.wait_closed()
    assert not is_alive(background)
    async with bench.ssh(await bench.address()) as connection:
        assert (await connection.run("cat file")).stdout == "kept\n"
        assert connection.get_server_host_key() == host_key


async def test_a_redeployed_ephemeral_disk_is_another_one(bench: Bench) -> None:
    await bench.create(**EPHEMERAL)
    await bench.run("touch file")
    await bench.act("restart")
    assert (await bench.run("test -e file")).exit_status == 0
    await bench.act("redeploy")
    assert (await bench.run("test -e file")).exit_status == 1
    await until(lambda: len(bench.disks()) == 1)


async def test_a_deleted_machine_loses_its_guest_and_its_disk(bench: Bench) -> None:
    await bench.create()
    address = await bench.address()
    background = int((await bench.run(BACKGROUND)).stdout)
    await bench.delete()
    assert await bench.refuses(address)
    await until(lambda: not is_alive(background) and not bench.disks())


async def test_a_disk_that_outlives_its_machine_keeps_its_files(bench: Bench) -> None:
    await bench.create(storageProfile={"imageReference": IMAGE, "osDisk": {"createOption": "FromImage", "name": "os"}})
    await bench.run("touch file")
    await bench.delete()
    (kept,) = bench.disks()
    assert list(kept.rglob("file"))
    await (await bench.sdk.compute.disks.begin_delete(GROUP, "os")).result()
    await until(lambda: not bench.disks())


async def test_a_deleted_group_takes_guests_and_disks_along(bench: Bench) -> None:
    await bench.create()
    address = await bench.address()
    async with raw_of(bench.emulator.connection) as raw:
        status, _, _ = await raw.send("DELETE", f"{raw.group}?api-version={GROUP_VERSION}")
    assert status == 202
    await until(lambda: not bench.disks())
    assert await bench.refuses(address)


async def test_an_evicted_machine_goes_without_anybody_asking(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    async with bench_of(tmp_path, key, free_port(), latency=LatencyMode.RECORDED, time_scale=0.001) as bench:
        await bench.create(priority="Spot")
        async with bench.ssh(await bench.address()) as connection:
            await bench.sdk.compute.virtual_machines.simulate_eviction(GROUP, "vm")
            await asyncio.wait_for(connection.wait_closed(), 60)


async def test_a_machine_starts_when_its_operation_ends_with_nobody_asking(
    tmp_path: Path, key: asyncssh.SSHKey
) -> None:
    async with bench_of(tmp_path, key, free_port(), latency=LatencyMode.RECORDED, time_scale=0.005) as bench:
        await bench.create()
        await bench.act("power_off")
        address = await bench.address()
        assert await bench.refuses(address)
        await bench.sdk.compute.virtual_machines.begin_start(GROUP, "vm")
        async with asyncio.timeout(60):
            while await bench.refuses(address):  # noqa: ASYNC110 - nobody else asks the emulator anything
                await asyncio.sleep(0.05)


async def test_machines_have_addresses_of_their_own_with_and_without_a_public_one(bench: Bench) -> None:
    await bench.create("one")
    await bench.create("two")
    await bench.create("three", with_address=False)
    guests = await bench.guests()
    assert guests["one"]["address"] == await bench.address("one")
    assert len({guest["address"] for guest in guests.values()}) == 3
    for name, guest in guests.items():
        assert (guest["state"], guest["user"], guest["port"]) == ("up", "tester", bench.port)
        async with bench.ssh(guest["address"]) as connection:
            assert (await connection.run("echo $BENCHHOST_GUEST")).stdout.strip() == guest["root"], name


async def test_two_emulators_at_a_time_give_different_addresses(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    port = free_port()
    async with (
        bench_of(tmp_path / "one", key, port, seed=7) as one,
        bench_of(tmp_path / "two", key, port, seed=7) as two,
    ):
        await one.create()
        await two.create()
        assert await one.address() != await two.address()


async def test_guests_come_up_again_with_their_state(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    options, port = {"state": tmp_path / "state.db"}, free_port()
    async with bench_of(tmp_path / "cloud", key, port, **options) as bench:
        await bench.create(data="#!/bin/sh\necho boot >> $HOME/boots\n")
        await bench.create("private", with_address=False)
        before = await bench.guests()
        background = int((await bench.run(f"cloud-init status --wait >/dev/null; {BACKGROUND}")).stdout)
    assert not is_alive(background)
    async with bench_of(tmp_path / "cloud", key, port, **options) as bench:
        assert await bench.guests() == before
        assert (await bench.run("cat boots")).stdout == "boot\n"


async def test_addresses_lead_nowhere_again_without_guests(tmp_path: Path, key: asyncssh.SSHKey) -> None:
    state = tmp_path / "state.db"
    async with bench_of(tmp_path / "cloud", key, free_port(), state=state) as bench:
        await bench.create()
        before = await bench.address()
    async with bench_of(tmp_path / "cloud", key, free_port(), guests=False, state=state) as bench:
        assert await bench.address() == "203.0.113.1"
        await bench.delete()
    async with bench_of(tmp_path / "cloud", key, free_port(), state=state) as bench:
        await bench.create("other")
        assert (await bench.address("other")).rpartition(".")[0] == before.rpartition(".")[0]


async def test_a_machine_that_lost_its_address_answers_on_another(bench: Bench) -> None:
    await bench.create()
    address = await bench.address()
    interface = await bench.sdk.network.network_interfaces.get(GROUP, "vm-nic")
    interface.ip_configurations[0].public_ip_address = None
    await (await bench.sdk.network.network_interfaces.begin_create_or_update(GROUP, "vm-nic", interface)).result()
    guest = (await bench.guests())["vm"]
    assert guest["address"] != address
    assert await bench.refuses(address)
    async with bench.ssh(guest["address"]) as connection:
        assert (await connection.run("echo here")).stdout == "here\n"


@pytest.mark.parametrize(("command", "power"), [("sudo -n shutdown -h now", "stopped"), ("sudo reboot", "running")])
async def test_a_guest_turns_itself_off_and_on(bench: Bench, command: str, power: str) -> None:
    await bench.create()
    async with bench.ssh(await bench.address()) as connection:
        result = await connection.run(command)
        assert result.exit_status == 0
        await asyncio.wait_for(connection.wait_closed(), 60)
    assert bench.machine().power == power
    if power == "stopped":
        assert await bench.refuses(await bench.address())
        await bench.act("start")
    assert (await bench.run("echo again")).stdout == "again\n"
