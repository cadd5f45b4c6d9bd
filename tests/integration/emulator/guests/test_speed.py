"""The hidden host of a machine is felt by what runs on it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.compute.hosts import SpeedFactors
from benchhost.emulator.guests.machines import FASTEST
from support.process_states import odd_moments, state_of

if TYPE_CHECKING:
    from integration.emulator.guests.bench import Bench

SAMPLES = 300
LONGER_THAN_A_PAUSE = 40
"""Looks in a row that find a process running, 5 ms apart."""


def set_speed(bench: Bench, speed: float, name: str = "vm") -> None:
    """Make the hidden host of a machine so fast, compared with the fastest."""
    placement = bench.machine(name).placement
    assert placement is not None
    host = bench.emulator.subscription.allocator.hosts.hosts[placement.host_id]
    host.factors = SpeedFactors(cpu=speed * FASTEST, memory=speed * FASTEST, disk=1.0, network=1.0)


def is_stopped(process: int) -> bool:
    state = state_of(process)
    assert state is not None, "the process is gone"
    return state == "T"


def wait_until_felt(process: int, *, full_speed: bool = False) -> None:
    """Wait until another speed has reached the process: on a busy machine its first turn comes late."""
    end, going = time.monotonic() + 60, 0
    while going < LONGER_THAN_A_PAUSE if full_speed else not is_stopped(process):
        assert time.monotonic() < end, "the speed of the hidden host is not felt"
        going = 0 if is_stopped(process) else going + 1
        time.sleep(0.005)  # between two looks; a deadline ends them


def stopped_share(process: int, *, full_speed: bool = False) -> float:
    """How much of the time a process stands still, seen at moments that have nothing to do with its turns."""
    wait_until_felt(process, full_speed=full_speed)
    return sum(is_stopped(process) for _ in odd_moments(SAMPLES)) / SAMPLES


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
        assert await asyncio.to_thread(stopped_share, busy, full_speed=True) < 0.02
        set_speed(bench, 0.25)
        await bench.guests()
        assert await asyncio.to_thread(stopped_share, busy) == pytest.approx(0.75, abs=0.12)


async def test_one_machine_is_not_slowed_down_by_the_host_of_another(bench: Bench) -> None:
    await bench.create("slow")
    await bench.create("fast")
    set_speed(bench, 0.3, "slow")
    set_speed(bench, 1.0, "fast")
    assert {name: guest["speed"] for name, guest in (await bench.guests()).items()} == {"slow": 0.3, "fast": 1.0}
