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
from support.crashing.course import AT_ONCE, PART_BY_PART, Course
from support.crashing.points import count_names, is_write, name_of
from support.crashing.talks import Kill, Moment
from support.crashing.world import World, world
from support.stack import Kubectl
from support.tally import note

SIDE_BY_SIDE = 4
"""More lives than there are cores, because much of a life is waiting."""

DRY_LIVES = 3
FINALIZER = "PATCH …/benchhosts/*"
STATUS = "PATCH …/benchhosts/*/status"
MOST_MISSED = 10
"""At most one kill in this many may come too late for a life that was a pass shorter."""

MACHINE, NETWORK = "Microsoft.Compute/virtualMachines/*", "Microsoft.Network/virtualNetworks/*"
EVERY_LIFE = {
    f"PUT {NETWORK}": 1,
    f"PUT {MACHINE}": 1,
    f"POST {MACHINE}/deallocate": 1,
    f"POST {MACHINE}/start": 1,
    f"PATCH {MACHINE}": 2,
    f"DELETE {MACHINE}": 1,
    f"DELETE {NETWORK}": 1,
    FINALIZER: 2,
}
"""What a life changes in the cloud, and the finalizer's coming and going. Writes of status may come to be more or
fewer; these may not."""
WRITES = EVERY_LIFE | {f"POST {MACHINE}/restart": 1}
WRITES_PART_BY_PART = EVERY_LIFE | {
    "PUT Microsoft.Network/publicIPAddresses/*": 1,
    "PUT Microsoft.Network/networkInterfaces/*": 1,
    "PATCH Microsoft.Compute/disks/*": 1,
    "DELETE Microsoft.Compute/disks/*": 1,
}


@pytest.fixture
async def lives(installed: Kubectl, zygote: Zygote, tmp_path: Path) -> AsyncIterator[World]:
    """A world with a place for each life that is lived at once."""
    async with world(installed, zygote, tmp_path, places=SIDE_BY_SIDE) as running:
        yield running


async def live(world: World, course: Course, kill: Kill | None = None) -> Keeper:
    """One life with this kill in it, and everything that must hold after any."""
    async with world.life(course=course) as (life, keeper):
        keeper.is_hasty = kill is not None
        async with keeper.running(kill):
            await life.live()
    assert "Traceback" not in keeper.log.read_text()
    return keeper


async def live_killed(world: World, course: Course, kill: Kill) -> bool:
    """One life whose first controller is killed and whose second is not.

    False when it never sent that request.
    """
    first, *others = (await live(world, course, kill)).started
    assert len(others) <= 1
    assert first.was_killed == first.is_dying(kill)
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

    def describe(self) -> str:
        """What went wrong, a line each."""
        return "\n".join(f"{kill}: {why}" for kill, why in self.wrong.items())


async def sweep(world: World, course: Course, kills: list[Kill]) -> Swept:
    """A life for each kill, some at a time."""
    swept, waiting = Swept(), list(kills)

    async def work() -> None:
        while waiting:
            kill = waiting.pop()
            try:
                was_killed = await live_killed(world, course, kill)
                (swept.killed if was_killed else swept.missed).append(kill)
            except* AssertionError as errors:
                swept.wrong[kill] = "; ".join(str(error) for error in errors.exceptions)

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(work())
    return swept


@pytest.mark.parametrize(
    ("course", "writes"),
    [pytest.param(AT_ONCE, WRITES, id="at-once"), pytest.param(PART_BY_PART, WRITES_PART_BY_PART, id="part-by-part")],
)
async def test_a_life_says_what_it_always_says(lives: World, course: Course, writes: dict[str, int]) -> None:
    keeper = await live(lives, course)
    assert keeper.started[0].exit_code == 0
    names = count_names(talk for talk in keeper.started[0].talks if is_write(talk))
    statuses = names.pop(STATUS)
    assert names == writes
    assert 10 <= statuses <= 25
    assert 100 <= len(keeper.started[0].talks) <= 200


@pytest.mark.timeout(1200)
async def test_killed_at_any_request_it_goes_on_as_if_nothing_had_been(
    lives: World, request: pytest.FixtureRequest
) -> None:
    # An event that overtakes the answer to a write costs a pass more.
    talks = min([(await live(lives, AT_ONCE)).started[0].talks for _ in range(DRY_LIVES)], key=len)
    kills = kills_in(talks)
    swept = await sweep(lives, AT_ONCE, kills)
    assert not swept.wrong, swept.describe()
    wanted = {
        Kill(name, nth, moment) for name, many in WRITES.items() for nth in range(1, many + 1) for moment in Moment
    }
    assert wanted <= set(swept.killed)
    assert len(swept.missed) <= len(kills) // MOST_MISSED, swept.missed
    assert lives.emulator.resources() == []
    note(
        request.config,
        f"crash points: {len(swept.killed)} kills of the controller in {len(talks)} requests, all converged",
    )


@pytest.mark.timeout(1200)
async def test_killed_at_any_change_of_a_part_it_goes_on_as_if_nothing_had_been(
    lives: World, request: pytest.FixtureRequest
) -> None:
    """What the other life does not do: a write for each part, disks that come and go, two operations for one wish."""
    kills = [
        Kill(name, nth, moment)
        for name, many in WRITES_PART_BY_PART.items()
        for nth in range(1, many + 1)
        for moment in Moment
    ]
    swept = await sweep(lives, PART_BY_PART, kills)
    assert not swept.wrong, swept.describe()
    assert not swept.missed
    assert lives.emulator.resources() == []
    note(request.config, f"crash points: {len(swept.killed)} kills between the parts of a host, all converged")
