"""An emulator whose machines have guests, its clients, and a key to log in with."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import benchhost.emulator.guests  # noqa: F401 - imports asyncssh without its warnings
from benchhost.emulator import ArmEmulator, EmulatorConfig, GuestConfig, LatencyMode
from integration.emulator.driver import GROUP, Sdk, machine_body, sdk_of

import asyncssh  # isort: skip

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

USER = "tester"


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


def is_alive(process: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class Bench:
    """An emulator with guests, its clients, and a key."""

    emulator: ArmEmulator
    sdk: Sdk
    key: asyncssh.SSHKey
    port: int
    directory: Path

    async def create(self, name: str = "vm", *, with_address: bool = True, **properties: Any) -> Any:
        interface = await self.sdk.interface(f"{name}-nic", with_address=with_address)
        body = machine_body(interface)
        profile = body["properties"]["osProfile"]
        profile["linuxConfiguration"]["ssh"]["publicKeys"][0]["keyData"] = self.key.export_public_key().decode()
        profile.pop("customData")
        profile["customData"] = properties.pop("customData", None)
        body["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
        body["properties"] |= properties
        return await (await self.sdk.compute.virtual_machines.begin_create_or_update(GROUP, name, body)).result()

    async def address(self, name: str = "vm") -> str:
        found = await self.sdk.network.public_ip_addresses.get(GROUP, f"{name}-nic-ip")
        return str(found.ip_address)

    async def act(self, action: str, name: str = "vm") -> None:
        await (await getattr(self.sdk.compute.virtual_machines, f"begin_{action}")(GROUP, name)).result()

    def ssh(self, address: str, **options: Any) -> Any:
        return asyncssh.connect(
            address,
            self.port,
            **{"username": USER, "client_keys": [self.key], "known_hosts": None, "config": None, **options},
        )

    async def run(self, command: str, name: str = "vm", **options: Any) -> Any:
        async with self.ssh(await self.address(name)) as connection:
            return await connection.run(command, **options)


@contextlib.asynccontextmanager
async def bench_of(directory: Path, key: asyncssh.SSHKey, port: int, **options: Any) -> AsyncIterator[Bench]:
    config = EmulatorConfig(
        directory=directory,
        guests=GuestConfig(port=port),
        resource_groups=((GROUP, "eastus"),),
        **{"latency": LatencyMode.NONE, **options},
    )
    async with ArmEmulator(config) as emulator, sdk_of(emulator.connection) as sdk:
        yield Bench(emulator, sdk, key, port, directory)
