"""``kill -9`` of the controller at every request that it sends in a host's life.

Real API server, real SDK, emulated Azure, and a controller process that ends as by a power cut. Where it is killed is
found by counting: a few lives without a kill tell how many requests there are, then there is one life for each of
them, in which a second controller finds what the first has left behind. Requests that change something are cut at
three moments: before they are sent, while the server works on them, and when the answer has come. A read leaves
nothing behind, so a kill after it is the kill before the next request.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.crashing.controllers import Keeper, Zygote
from support.crashing.life import check
from support.crashing.points import count_names, is_write, name_of
from support.crashing.talks import Kill, Moment
from support.crashing.world import World, world
from support.stack import Kubectl
from support.tally import note

AT_ONCE = 4
"""Lives side by side: more than there are cores, because much of a life is waiting."""

DRY_LIVES = 3
FINALIZER = "PATCH …/benchhosts/*"
MOST_MISSED = 10
"""At most one kill in this many may come too late for a life that was a pass shorter."""

WRITES = {
    "PUT Microsoft.Network/virtualNetworks/*": 1,
    "PUT Microsoft.Compute/virtualMachines/*": 1,
    "POST Microsoft.Compute/virtualMachines/*/restart": 1,
    "POST Microsoft.Compute/virtualMachines/*/deallocate": 1,
    "POST Microsoft.Compute/virtualMachines/*/start": 1,
    "PATCH Microsoft.Compute/virtualMachines/*": 2,
    "DELETE Microsoft.Compute/virtualMachines/*": 1,
    "DELETE Microsoft.Network/virtualNetworks/*": 1,
    FINALIZER: 2,
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


async def live_killed(world: World, kill: Kill) -> bool:
    """One life whose first controller is killed and whose second is not.

    False when it never sent that request, or when that was the one that ended the life, and nobody waited for the
    answer.
    """
    first, *others = (await live(world, kill)).started
    assert len(others) <= 1
    if not first.was_killed:
        assert count_names(first.talks)[kill.name] < kill.nth or name_of(first.talks[-1]) == kill.name
    return first.was_killed


def kills_in(talks: list[str]) -> list[Kill]:
    """Every moment of every write, and one read of each kind: a kill before a read leaves what the last write left."""
    kills = []
    for talk in sorted(talks, key=is_write):
        name = name_of(talk)
        nth = 1 + sum(1 for kill in kills if kill.name == name and kill.moment is Moment.BEFORE)
        if is_write(talk):
            kills += [Kill(name, nth, moment) for moment in Moment]
        elif nth == 1:
            kills.append(Kill(name, nth, Moment.BEFORE))
    return kills


@dataclass
class Swept:
    """What has come out of all the lives."""

    killed: list[Kill] = field(default_factory=list)
    missed: list[Kill] = field(default_factory=list)
    wrong: dict[Kill, str] = field(default_factory=dict)


async def sweep(world: World, kills: list[Kill]) -> Swept:
    """A life for each kill, some at a time."""
    swept, waiting = Swept(), list(kills)

    async def work() -> None:
        while waiting:
            kill = waiting.pop()
            try:
                was_killed = await live_killed(world, kill)
                (swept.killed if was_killed else swept.missed).append(kill)
            except* AssertionError as errors:
                swept.wrong[kill] = "; ".join(str(error) for error in errors.exceptions)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return swept


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
    # An event that overtakes the answer to a write costs a pass more.
    talks = min([(await live(lives)).started[0].talks for _ in range(DRY_LIVES)], key=len)
    kills = kills_in(talks)
    swept = await sweep(lives, kills)
    assert not swept.wrong, "\n".join(f"{kill}: {why}" for kill, why in swept.wrong.items())
    wanted = {
        Kill(name, nth, moment) for name, many in WRITES.items() for nth in range(1, many + 1) for moment in Moment
    }
    assert wanted - {Kill(FINALIZER, 2, Moment.AFTER)} <= set(swept.killed)
    assert len(swept.missed) <= len(kills) // MOST_MISSED, swept.missed
    assert lives.emulator.resources() == []
    note(
        request.config,
        f"crash points: {len(swept.killed)} kills of the controller in {len(talks)} requests, all converged",
    )
