"""Many hosts at once under limits that the emulator enforces: nothing is refused, and nothing is left lying.

Operations are twenty times as fast as in Azure, and the limits are not. Of writes there are fewer than documented at
first and more afterwards, which only the headers say: the adapter knows the documents.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TypeVar

import pytest

from benchhost.api.spec import BenchHostSpec
from benchhost.azure import clients, limits
from benchhost.azure.buckets import Limit
from benchhost.cloud import (
    CloudProvider,
    DeferredError,
    HostRequest,
    MachinePower,
    Observation,
    Owner,
    Part,
    PartState,
    Step,
    ThrottledError,
    Verb,
)
from benchhost.emulator import ArmEmulator, EmulatorConfig
from contract.clouds import azure_provider
from integration.emulator.admin_driver import arrange
from support.builders import azure_spec

T = TypeVar("T")
HOSTS = 60
GROUP = "bench-rg"
WRITES = 40, 20
"""Writes that are there at first, and that come back each second."""
READS = 250, 25
"""As documented: all that is looked at has to do with these."""
TIME_SCALE = 0.05
PARTS = (Part.MACHINE,)
"""It brings the rest along."""


@dataclass
class Azure:
    """The emulator with its access log, and the adapter."""

    emulator: ArmEmulator
    provider: CloudProvider
    log: Path
    deferred: int = 0

    def request(self, number: int, namespace: str = "bench") -> HostRequest:
        owner = Owner("cluster-1", namespace, f"pg-{number}", f"5f0c2a4e-0000-4000-8000-{number:012}")
        azure = azure_spec(subscriptionId=self.emulator.connection.subscription_id, resourceGroup=GROUP)
        return HostRequest(owner, BenchHostSpec.model_validate({"azure": azure}), "Standard_D2s_v5")

    async def in_turn(self, call: Callable[[], Awaitable[T]]) -> T:
        """Come back whenever the turn has come, as the controller does."""
        while True:
            try:
                return await call()
            except DeferredError as deferred:
                self.deferred += 1
                await asyncio.sleep(deferred.retry_after.total_seconds())

    async def observe(self, request: HostRequest) -> Observation:
        return await self.in_turn(lambda: self.provider.observe(request))

    async def build(self, request: HostRequest, parts: tuple[Part, ...]) -> None:
        """Make these parts of a host, one after the other."""
        for part in parts:
            await self._make(request, part)

    async def _make(self, request: HostRequest, part: Part) -> None:
        seen = await self.observe(request)
        started = await self.in_turn(lambda: self.provider.start(request, Step(Verb.ENSURE, part), seen))
        url = started.poll_url
        if part is Part.MACHINE and url is not None:
            await self._finish(request, url)
        while True:
            if (await self.observe(request)).parts[part].state is PartState.READY:
                return
            await asyncio.sleep(0.25)

    async def _finish(self, request: HostRequest, url: str) -> None:
        while True:
            state = await self.in_turn(lambda: self.provider.poll(request, url))
            if state is None or state.finished:
                assert state is None or state.error is None
                return
            await asyncio.sleep((state.retry_after or timedelta(seconds=0.25)).total_seconds())

    def answers(self) -> Counter[int]:
        """HTTP statuses of everything that ARM answered."""
        return Counter(json.loads(line)["status"] for line in self.log.read_text().splitlines())


@pytest.fixture
async def azure(tmp_path: Path) -> AsyncIterator[Azure]:
    log = tmp_path / "access.log"
    config = EmulatorConfig(
        time_scale=TIME_SCALE, seed=1, resource_groups=((GROUP, "eastus"),), locations=("eastus",), access_log=log
    )
    async with ArmEmulator(config) as emulator:
        for kind, (capacity, refill) in {"writes": WRITES, "reads": READS}.items():
            size = {"capacity": capacity, "refill": refill, "periodSeconds": 1 / TIME_SCALE}
            await arrange(emulator, "PATCH", "limits", {"name": f"subscription-{kind}", **size})
        provider = azure_provider(emulator.connection)
        try:
            yield Azure(emulator, provider, log)
        finally:
            await provider.close()


async def test_who_waits_for_a_connection_has_no_token_yet(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PUT takes long, so that most wait for one of a few connections while tokens are few too.

    The pace is one that the controller knows: it trusts what is documented until that is disproved, which takes
    longer than these tokens last.
    """
    await azure.build(azure.request(0), (Part.NETWORK,))
    size = {"capacity": 8, "refill": 1, "periodSeconds": 1 / TIME_SCALE}
    await arrange(azure.emulator, "PATCH", "limits", {"name": "subscription-writes", **size})
    slow = {"match": {"method": "PUT"}, "effect": {"kind": "delay", "seconds": 1.2}, "rate": 1.0}
    await arrange(azure.emulator, "POST", "faults", slow)
    monkeypatch.setattr(clients, "_CONNECTIONS", 4)
    monkeypatch.setitem(limits._FRONT_DOOR, "writes", Limit(200, 1, 1.0))
    azure.provider = azure_provider(azure.emulator.connection)
    try:
        await asyncio.gather(*(azure.build(azure.request(number), PARTS) for number in range(24)))
    finally:
        await azure.provider.close()
    assert azure.answers()[429] == 0


async def test_a_refusal_that_nobody_could_foresee_is_told_as_what_it_is(azure: Azure) -> None:
    request = azure.request(0)
    refusal = {
        "kind": "refuse",
        "status": 429,
        "code": "SubscriptionRequestsThrottled",
        "headers": {"Retry-After": "7"},
    }
    await arrange(azure.emulator, "POST", "faults", {"match": {"method": "PUT"}, "effect": refusal, "times": 1})
    seen = await azure.observe(request)
    with pytest.raises(ThrottledError) as raised:
        await azure.provider.start(request, Step(Verb.ENSURE, Part.NETWORK), seen)
    assert raised.value.retry_after == timedelta(seconds=7)


async def test_many_hosts_at_once_are_never_refused_and_never_kept_waiting_without_need(azure: Azure) -> None:
    await azure.build(azure.request(0), (Part.NETWORK,))
    requests = [azure.request(number) for number in range(HOSTS)]
    began = monotonic()
    await asyncio.gather(*(azure.build(request, PARTS) for request in requests))
    took = monotonic() - began
    seen = await asyncio.gather(*map(azure.observe, requests))
    assert {one.machine.power for one in seen if one.machine is not None} == {MachinePower.RUNNING}
    assert {one.parts[Part.MACHINE].state for one in seen} == {PartState.READY}
    answers = azure.answers()
    assert answers[429] == 0
    writes = len(PARTS) * HOSTS
    assert took < (writes - WRITES[0]) / WRITES[1] + 30  # what the limits bear, and what this machine needs
    # One by one it would be four GETs for each of more than 240 looks, and the polls.
    assert sum(answers.values()) < 5 * HOSTS + writes
