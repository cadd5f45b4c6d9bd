"""An emulator whose machines have guests, its clients, and a key to log in with."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import benchhost.emulator.guests  # noqa: F401 - imports asyncssh without its warnings
from benchhost.emulator import ArmEmulator, EmulatorConfig, GuestConfig, LatencyMode
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from integration.emulator.admin_driver import arrange
from integration.emulator.driver import GROUP, Sdk, machine_body, sdk_of

import asyncssh  # isort: skip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

USER = "tester"
BACKGROUND = "setsid nohup sleep 1000 >/dev/null 2>&1 </dev/null & echo $!"
"""A command that leaves a process behind and tells which."""


def free_port() -> int:
    """A port that nobody has on any loopback address now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something has happened, for as long as a slow machine may need."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.01)


def custom_data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@dataclass
class Bench:
    """An emulator with guests, its clients, and a key."""

    emulator: ArmEmulator
    sdk: Sdk
    key: asyncssh.SSHKey
    port: int
    directory: Path

    async def create(
        self, name: str = "vm", *, with_address: bool = True, data: str | None = None, **properties: Any
    ) -> Any:
        """Create a machine; ``data`` is the text of its custom data."""
        interface = await self.sdk.interface(f"{name}-nic", with_address=with_address)
        body = machine_body(interface)
        profile = body["properties"]["osProfile"]
        profile["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] = self.key.export_public_key().decode()
        profile["customData"] = None if data is None else custom_data(data)
        body["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
        body["properties"] |= properties
        return await (await self.sdk.compute.virtual_machines.begin_create_or_update(GROUP, name, body)).result()

    async def delete(self, name: str = "vm") -> None:
        await (await self.sdk.compute.virtual_machines.begin_delete(GROUP, name)).result()

    async def act(self, action: str, name: str = "vm") -> None:
        await (await getattr(self.sdk.compute.virtual_machines, f"begin_{action}")(GROUP, name)).result()

    async def address(self, name: str = "vm") -> str:
        found = await self.sdk.network.public_ip_addresses.get(GROUP, f"{name}-nic-ip")
        return str(found.ip_address)

    async def guests(self) -> dict[str, Any]:
        """What the admin API tells of all guests, by the names of their machines."""
        answer = await arrange(self.emulator, "GET", "guests")
        return {guest["machine"]: guest for guest in answer["guests"]}

    def machine(self, name: str = "vm") -> VirtualMachine:
        """What the emulated cloud knows of a machine."""
        found = self.emulator.subscription.store.find(
            f"/subscriptions/{self.emulator.subscription.id}/resourceGroups/{GROUP}"
            f"/providers/Microsoft.Compute/virtualMachines/{name}"
        )
        assert isinstance(found, VirtualMachine)
        return found

    def ssh(self, address: str, **options: Any) -> Any:
        return asyncssh.connect(
            address,
            self.port,
            **{"username": USER, "client_keys": [self.key], "known_hosts": None, "config": None, **options},
        )

    async def run(self, command: str, name: str = "vm", **options: Any) -> Any:
        async with self.ssh(await self.address(name)) as connection:
            return await connection.run(command, **options)

    async def refuses(self, address: str) -> bool:
        """Whether nobody answers there."""
        try:
            async with self.ssh(address):
                return False
        except OSError:
            return True

    def machine_root(self) -> Path:
        """The root folder of the only guest."""
        (disk,) = self.disks()
        return disk / "root"

    def disks(self) -> list[Path]:
        """The folders of all disks."""
        return list((self.directory / "guests").iterdir())


@contextlib.asynccontextmanager
async def bench_of(
    directory: Path, key: asyncssh.SSHKey, port: int, *, guests: bool = True, **options: Any
) -> AsyncIterator[Bench]:
    config = EmulatorConfig(
        directory=directory,
        guests=GuestConfig(port=port) if guests else None,
        resource_groups=((GROUP, "eastus"),),
        **{"latency": LatencyMode.NONE, **options},
    )
    async with ArmEmulator(config) as emulator, sdk_of(emulator.connection) as sdk:
        yield Bench(emulator, sdk, key, port, directory)
