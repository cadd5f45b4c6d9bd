"""``kill -9`` of the controller at every request that it sends in a host's life.

Real API server, real SDK, emulated Azure, and a controller process that ends as by a power cut. Where it is killed is
found by counting: a few lives without a kill tell how many requests there are, then there is one life for each of
them, in which a second controller finds what the first has left behind. Requests that change something are cut at
three moments: before they are sent, while the server works on them, and when the answer has come. A read leaves
nothing behind, so a kill after it is the kill before the next request.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.crashing.controllers import Keeper, Zygote
from support.crashing.life import check
from support.crashing.points import count_names, is_write
from support.crashing.talks import Kill, Moment
from support.crashing.world import World, world
from support.stack import Kubectl
from support.tally import note

AT_ONCE = 4
"""Lives side by side: more than there are cores, because much of a life is waiting."""

DRY_LIVES = 3

WRITES = {
    "PUT Microsoft.Network/virtualNetworks/*": 1,
    "PUT Microsoft.Network/publicIPAddresses/*": 1,
    "PUT Microsoft.Network/networkInterfaces/*": 1,
    "PUT Microsoft.Compute/virtualMachines/*": 1,
    "POST Microsoft.Compute/virtualMachines/*/restart": 1,
    "POST Microsoft.Compute/virtualMachines/*/deallocate": 1,
    "POST Microsoft.Compute/virtualMachines/*/start": 1,
    "PATCH Microsoft.Compute/virtualMachines/*": 2,
    "DELETE Microsoft.Compute/virtualMachines/*": 1,
    "DELETE Microsoft.Network/virtualNetworks/*": 1,
    "PATCH …/benchhosts/*": 2,
}
"""What a life changes in the cloud, and the finalizer's coming and going. Writes of status may come to be more or
fewer; these may not."""


@pytest.fixture
async def lives(installed: Kubectl, zygote: Zygote, tmp_path: Path) -> AsyncIterator[World]:
    """A world with a place for each life that is lived at once."""
    async with world(installed, zygote, tmp_path, places=AT_ONCE) as running:
        yield running


async def live(world: World, kill: Kill | None = None) -> Keeper:
    """One life with this kill in it, and everything that must hold after any."""
    async with world.life() as (life, keeper):
        keeper.is_hasty = kill is not None
        async with keeper.running(kill):
            lived = await life.live()
    check(lived)
    assert "Traceback" not in keeper.log.read_text()
    return keeper


async def live_killed(world: World, kill: Kill) -> None:
    """One life whose first controller is killed and whose second is not.

    A kill at the last request may come when nobody waits any more; reads that were sent side by side are told too.
    """
    keeper = await live(world, kill)
    first, *others = keeper.started
    assert first.was_killed, f"its controller never came to request {kill.at}, but ended after {len(first.talks)}"
    assert len(first.talks) >= kill.at
    assert len(others) <= 1


def kills_in(talks: list[str]) -> list[Kill]:
    """Every moment that differs from the others by what is left behind."""
    kills = []
    for at, talk in enumerate(talks, 1):
        moments = list(Moment) if is_write(talk) else [Moment.BEFORE]
        kills += [Kill(at, moment) for moment in moments]
    return kills


async def sweep(world: World, kills: list[Kill]) -> dict[Kill, str]:
    """A life for each kill, some at a time; which went wrong, and how."""
    wrong: dict[Kill, str] = {}

    async def work(waiting: list[Kill]) -> None:
        while waiting:
            kill = waiting.pop()
            try:
                await live_killed(world, kill)
            except* AssertionError as errors:
                wrong[kill] = "; ".join(str(error) for error in errors.exceptions)

    waiting = list(kills)
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work(waiting))
    return wrong


async def test_a_life_says_what_it_always_says(lives: World) -> None:
    keeper = await live(lives)
    assert keeper.started[0].exit_code == 0
    names = count_names(talk for talk in keeper.started[0].talks if is_write(talk))
    statuses = names.pop("PATCH …/benchhosts/*/status")
    assert names == WRITES
    assert 10 <= statuses <= 25
    assert 100 <= len(keeper.started[0].talks) <= 200


@pytest.mark.timeout(1200)
async def test_killed_at_any_request_it_goes_on_as_if_nothing_had_been(
    lives: World, request: pytest.FixtureRequest
) -> None:
    # An event that overtakes the answer to a write costs a pass more: the shortest life is in all of them.
    talks = min([(await live(lives)).started[0].talks for _ in range(DRY_LIVES)], key=len)
    kills = kills_in(talks)
    wrong = await sweep(lives, kills)
    told = [f"{kill} ({talks[kill.at - 1]}): {why}" for kill, why in wrong.items()]
    assert not told, "\n".join(told)
    assert lives.emulator.resources() == []
    note(request.config, f"crash points: {len(kills)} kills of the controller in {len(talks)} requests, all converged")
