"""A host's life while the cloud or the API server misbehaves: it takes longer, and is the same life.

Real API server, real SDK, emulated Azure, and the controller as a process. Lives in bad weather are mostly spent
waiting, so those that do not need an API server of their own are lived side by side.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchhost.local import ControlPlane
from integration.client.tcp_proxy import TcpProxy
from support.control_plane import compact
from support.crashing.controllers import Keeper, Zygote
from support.crashing.course import AT_ONCE
from support.crashing.weather import Fault, count_hits, set_faults
from support.crashing.world import World, world
from support.stack import Kubectl
from support.tally import note

PATIENCE = 240.0
"""Seconds for a step: failures in a row double the wait, and a silent connection is given up after 70 s."""

MACHINES = "Microsoft.Compute/virtualMachines"
NETWORKS = "Microsoft.Network"
TIMED = ("--latency", "recorded", "--time-scale", "0.02", "--seed", "7")
"""A creation takes a second: long enough to be in the middle of it."""

WEATHER: Mapping[str, list[Fault]] = {
    "one answer in thirty is a 503": [Fault({"kind": "refuse", "status": 503}, rate=0.03)],
    "one answer in thirty is a 500": [Fault({"kind": "refuse", "status": 500}, rate=0.03)],
    "one answer in twenty is a 429": [
        Fault({"kind": "refuse", "status": 429, "headers": {"Retry-After": "1"}}, rate=0.05)
    ],
    "one connection in thirty is cut before the request is read": [Fault({"kind": "cutConnection"}, rate=0.03)],
    "one answer in thirty is a gateway's page": [Fault({"kind": "proxyAnswer"}, rate=0.03)],
    "one answer in four takes a second": [Fault({"kind": "delay", "seconds": 1}, rate=0.25)],
}
LIES: Mapping[str, list[Fault]] = {
    "one answer in thirty is a page that says 200": [
        Fault({"kind": "proxyAnswer", "status": 200, "content": "<html>log in</html>"}, rate=0.03)
    ],
    "one answer in thirty is cut off": [
        Fault(
            {"kind": "proxyAnswer", "status": 200, "content": '{"id": ', "contentType": "application/json"}, rate=0.03
        )
    ],
}
"""Changes that were not carried out are in the log as accepted, so their number says nothing."""
LOST: Mapping[str, list[Fault]] = {
    "the answer to the machine's creation is lost": [
        Fault({"kind": "loseAnswer"}, times=2, match={"method": "PUT", "resourceType": MACHINES})
    ],
    "the answers to every other creation are lost": [
        Fault({"kind": "loseAnswer"}, times=2, match={"method": "PUT", "resourceType": f"{NETWORKS}/{kind}"})
        for kind in ("virtualNetworks", "publicIPAddresses", "networkInterfaces")
    ],
    "the answers to all actions are lost": [
        Fault({"kind": "loseAnswer"}, times=1, match={"method": "POST", "action": action})
        for action in ("restart", "deallocate", "start")
    ],
    "the answers to both changes are lost": [
        Fault({"kind": "loseAnswer"}, times=2, match={"method": "PATCH", "resourceType": MACHINES})
    ],
    "the answers to deletions are lost": [
        Fault({"kind": "loseAnswer"}, times=1, match={"method": "DELETE", "resourceType": kind})
        for kind in (MACHINES, f"{NETWORKS}/virtualNetworks")
    ],
}
"""aiohttp sends a PUT again by itself when the connection was an old one, so twice is once for the controller."""

KINDS = ((WEATHER, None), (LIES, {}), (LOST, AT_ONCE.accepted))
"""With what must have been accepted how often, where that is not all that a life asks for."""
MANY = sum(len(kind) for kind, _ in KINDS)

Meanwhile = Callable[[str], Awaitable[None]]


@pytest.fixture
async def side_by_side(installed: Kubectl, zygote: Zygote, tmp_path: Path) -> AsyncIterator[World]:
    """A world in which all the cloud's weather happens at once, each in a resource group of its own."""
    async with world(installed, zygote, tmp_path, places=MANY) as running:
        yield running


@pytest.fixture
async def timed(installed: Kubectl, zygote: Zygote, tmp_path: Path) -> AsyncIterator[World]:
    """A world with room for a few lives, in which steps take their time."""
    async with world(installed, zygote, tmp_path, places=4, options=TIMED) as running:
        yield running


async def live_through(
    world: World,
    faults: list[Fault],
    *,
    counts: Mapping[str, int] | None = None,
    kubeconfig: Path | None = None,
    meanwhile: Meanwhile | None = None,
) -> Keeper:
    """One life in this weather, with one controller from its beginning to its end."""
    async with world.life(kubeconfig) as (life, keeper):
        life.seconds = PATIENCE
        await set_faults(world.emulator.directory, life.place.group, faults)
        async with keeper.running():
            await keeper.watching()
            await life.live(meanwhile, counts=counts)
    assert len(keeper.started) == 1
    assert "Traceback" not in keeper.log.read_text()
    return keeper


@pytest.mark.timeout(1200)
async def test_a_life_in_any_weather_of_the_cloud(side_by_side: World, request: pytest.FixtureRequest) -> None:
    wrong: list[str] = []

    async def live(name: str, faults: list[Fault], counts: Mapping[str, int] | None) -> None:
        try:
            await live_through(side_by_side, faults, counts=counts)
        except* AssertionError as errors:
            wrong.extend(f"{name}: {error}" for error in errors.exceptions)

    async with asyncio.TaskGroup() as group:
        for kind, counts in KINDS:
            for name, faults in kind.items():
                group.create_task(live(name, faults, counts))
    assert not wrong, "\n".join(wrong)
    hits = await count_hits(side_by_side.emulator.directory)
    assert hits > 2 * MANY
    note(request.config, f"outages of the cloud: {MANY} lives through {hits} faults, all converged")


@pytest.mark.timeout(1200)
async def test_a_life_in_any_weather_of_the_network(
    timed: World, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Between the controller and the API server: cut at each step, silent once, away for a moment at each step."""
    troubles = {"cut": cut_at_each_step, "silent": silent_once, "away": away_at_each_step}

    async def live(name: str, trouble: Callable[[TcpProxy], Meanwhile]) -> None:
        with TcpProxy(timed.kubeconfig, tmp_path / f"kubeconfig-{name}") as proxy:
            await live_through(timed, [], kubeconfig=proxy.kubeconfig, meanwhile=trouble(proxy))
            assert proxy.connections > len(troubles)

    async with asyncio.TaskGroup() as group:
        for name, trouble in troubles.items():
            group.create_task(live(name, trouble))
    note(request.config, f"outages of the network: {len(troubles)} lives, all converged")


def cut_at_each_step(proxy: TcpProxy) -> Meanwhile:
    async def cut(_: str) -> None:
        proxy.cut()

    return cut


def away_at_each_step(proxy: TcpProxy) -> Meanwhile:
    async def leave(_: str) -> None:
        proxy.take_down()
        asyncio.get_running_loop().call_later(1.5, proxy.bring_up)

    return leave


def silent_once(proxy: TcpProxy) -> Meanwhile:
    """The connections that are open when the host is to be deallocated stay open, and carry nothing any more."""

    async def freeze(step: str) -> None:
        if step == "deallocated":
            proxy.freeze()
            asyncio.get_running_loop().call_later(1.5, proxy.thaw)

    return freeze


@pytest.mark.timeout(1200)
async def test_the_api_server_restarts_at_every_step(
    timed: World, control_plane: ControlPlane, request: pytest.FixtureRequest
) -> None:
    steps: list[str] = []

    async def restart(step: str) -> None:
        await asyncio.to_thread(control_plane.restart_api_server)
        steps.append(step)

    await live_through(timed, [], meanwhile=restart)
    note(request.config, f"outages of the API server: {len(steps)} restarts in one life, converged")


@pytest.mark.timeout(1200)
async def test_what_the_watch_has_missed_is_forgotten_by_the_api_server(
    timed: World, control_plane: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """While the watch is down the history is compacted and the cache is new, so that its version is too old: 410."""
    steps: list[str] = []
    with TcpProxy(timed.kubeconfig, tmp_path / "kubeconfig-expired") as proxy:

        async def forget(step: str) -> None:
            if step not in ("restarted", "deleted"):
                return
            proxy.take_down()
            await asyncio.to_thread(compact, control_plane)
            await asyncio.to_thread(control_plane.restart_api_server)
            proxy.bring_up()
            steps.append(step)

        await live_through(timed, [], kubeconfig=proxy.kubeconfig, meanwhile=forget)
    note(request.config, f"outages of the history: {len(steps)} watches expired in one life, converged")


@pytest.mark.timeout(1200)
async def test_the_cloud_restarts_at_every_step(
    installed: Kubectl, zygote: Zygote, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The emulator is killed in the middle of everything it was asked for, then at the moment it is asked."""
    steps: list[str] = []
    options = (*TIMED, "--state", str(tmp_path / "state.db"))
    async with world(installed, zygote, tmp_path, places=1, options=options) as running:
        began, place = running.witness.position(), await running.places.get()
        running.places.put_nowait(place)

        async def restart(step: str) -> None:
            await asyncio.to_thread(running.emulator.restart)
            steps.append(step)

        async def restart_when_accepted(step: str) -> None:
            await running.witness.until_accepted(place.group, began, len(steps) + 1)
            await restart(step)

        await live_through(running, [], counts=AT_ONCE.accepted | {"create": 1}, meanwhile=restart_when_accepted)
        # What is accepted and not answered is not in the log.
        await live_through(running, [], counts={}, meanwhile=restart)
    note(request.config, f"outages of the emulator: {len(steps)} kills in two lives, converged")
