"""The hidden host of a machine is felt by what runs on it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.compute.hosts import SpeedFactors
from benchhost.emulator.guests.machines import FASTEST

if TYPE_CHECKING:
    from integration.emulator.guests.bench import Bench

SAMPLES = 300


def set_speed(bench: Bench, speed: float, name: str = "vm") -> None:
    """Make the hidden host of a machine so fast, compared with the fastest."""
    placement = bench.machine(name).placement
    assert placement is not None
    host = bench.emulator.subscription.allocator.hosts.hosts[placement.host_id]
    host.factors = SpeedFactors(cpu=speed * FASTEST, memory=speed * FASTEST, disk=1.0, network=1.0)


def stopped_share(process: int) -> float:
    """How much of the time a process stands still, seen at moments that have nothing to do with its turns."""
    stopped = 0
    for number in range(SAMPLES):
        stopped += Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        time.sleep(0.003 + number % 7 * 0.0007)
    return stopped / SAMPLES


async def test_a_slow_host_slows_its_machine_down_and_a_move_is_felt_at_once(bench: Bench) -> None:
    await bench.create()
    set_speed(bench, 0.5)
    assert (await bench.guests())["vm"]["speed"] == 0.5
    async with bench.ssh(await bench.address()) as connection:
        process = await connection.create_process("echo $$; while :; do :; done")
        busy = int(await process.stdout.readline())
        assert await asyncio.to_thread(stopped_share, busy) == pytest.approx(0.5, abs=0.12)
        set_speed(bench, 1.0)
        await bench.guests()
        assert await asyncio.to_thread(stopped_share, busy) < 0.02
        set_speed(bench, 0.25)
        await bench.guests()
        assert await asyncio.to_thread(stopped_share, busy) == pytest.approx(0.75, abs=0.12)


async def test_one_machine_is_not_slowed_down_by_the_host_of_another(bench: Bench) -> None:
    await bench.create("slow")
    await bench.create("fast")
    set_speed(bench, 0.3, "slow")
    set_speed(bench, 1.0, "fast")
    assert {name: guest["speed"] for name, guest in (await bench.guests()).items()} == {"slow": 0.3, "fast": 1.0}
