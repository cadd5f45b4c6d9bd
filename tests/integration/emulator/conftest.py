"""Fixtures of the emulator's integration tests: the real SDKs against a real HTTPS server in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator import ArmEmulator, EmulatorConfig, LatencyMode
from integration.emulator.command import running_command
from integration.emulator.driver import GROUP, ManualClock, Raw, Sdk, raw_of, sdk_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an emulator command that runs for all tests of a file."""
    directory = tmp_path_factory.mktemp("emulator")
    with running_command(directory):
        yield directory


@pytest.fixture
async def emulator() -> AsyncIterator[ArmEmulator]:
    """An emulator whose cloud takes no time."""
    config = EmulatorConfig(latency=LatencyMode.NONE, resource_groups=((GROUP, "eastus"),))
    async with ArmEmulator(config) as running:
        yield running


@pytest.fixture
async def sdk(emulator: ArmEmulator) -> AsyncIterator[Sdk]:
    async with sdk_of(emulator.connection) as clients:
        yield clients


@pytest.fixture
async def raw(emulator: ArmEmulator) -> AsyncIterator[Raw]:
    async with raw_of(emulator.connection) as client:
        yield client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def frozen(clock: ManualClock) -> AsyncIterator[ArmEmulator]:
    """An emulator with recorded durations in which nothing ends before the test moves the clock."""
    config = EmulatorConfig(
        time_scale=0.01, seed=7, clock=clock, resource_groups=((GROUP, "eastus"),), token_lifetime_seconds=1e6
    )
    async with ArmEmulator(config) as running:
        yield running
