"""Fixtures of the emulator's unit tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unit.emulator.driver import Cloud
from unit.emulator.placement_bodies import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.operations import Operation


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def another_cloud() -> Cloud:
    """A second subscription with the same seed."""
    return Cloud()


@pytest.fixture
def start(cloud: Cloud) -> Callable[..., tuple[VirtualMachine, Operation]]:
    """Create a machine and wait for its end."""
    cloud.network()

    def create(name: str = "vm", zones: list[str] | None = None, **properties: Any) -> tuple[VirtualMachine, Operation]:
        cloud.interface(f"nic-{name}")
        body = cloud.machine_body(f"nic-{name}", **{"hardwareProfile": {"vmSize": SIZE}, **properties})
        found = cloud.put_machine({**body, "zones": zones}, name=name)
        cloud.pass_time()
        return found

    return create
