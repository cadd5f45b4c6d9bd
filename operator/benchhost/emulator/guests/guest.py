"""One guest from its boot to its end: its disk, its processes, its SSH server, and the custom data of its first boot.

Made and ended by `guests`, which knows when. This knows nothing of the emulated cloud.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncssh

from benchhost.emulator.guests.cloud_init import FirstBoot
from benchhost.emulator.guests.processes import Processes
from benchhost.emulator.guests.server import Server, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchhost.emulator.guests.disk import Account, Disk

_log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 1.0
"""How long processes have to end by themselves when a machine goes down, before they are killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a guest is, from one boot to the next.

    Parameters
    ----------
    disk
        Its disk's name.
    boot
        Names the boot: another name is another boot.
    account, hostname
        What is on its disk.
    custom_data
        What the first boot of its disk runs, base64.
    """

    disk: str
    boot: str
    account: Account
    hostname: str
    custom_data: str | None = field(repr=False)


class Guest:
    """A guest that runs.

    Parameters
    ----------
    setting
        What it is.
    disk
        Where it has its files.
    port
        Where its SSH server listens.
    asked
        Called with ``off`` or ``restart`` when the guest itself wants that.
    printed
        Called with lines for its serial console.
    """

    def __init__(
        self,
        setting: Setting,
        disk: Disk,
        *,
        port: int,
        asked: Callable[[str], None],
        printed: Callable[[list[str]], None],
    ) -> None:
        self.setting = setting
        self.disk = disk
        self.failure: str | None = None
        self.processes = Processes(asked)
        self._port = port
        self._printed = printed
        self._server: Server | None = None
        self._first_boot: asyncio.Task[None] | None = None

    @property
    def home(self) -> Path:
        """The home folder of its user."""
        return self.disk.home(self.setting.account.user)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of its commands."""
        return self.disk.environment(self.setting.account.user, self.setting.hostname)

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self._server is not None

    def is_at(self, address: str, speed: float) -> bool:
        """Tell whether it answers on that address and runs at that speed."""
        return self._server is not None and self._server.address == address and self.processes.speed == speed

    async def follow(self, address: str, speed: float) -> None:
        """Answer on that address, and run at that speed; a failure is kept in ``failure``."""
        await self.processes.set_speed(speed)
        if self._server is not None and self._server.address == address:
            return
        await self._close()
        try:
            self._server = await listen(
                address, self._port, account=self.setting.account, login=self, host_key=self.disk.host_key()
            )
        except (OSError, ValueError, asyncssh.Error) as error:
            self._fail(f"It cannot answer SSH on {address}, port {self._port}: {error}.")
            return
        self.failure = None
        if self._first_boot is None:
            boot = FirstBoot(self.disk, self.processes, folder=self.disk.root, environment=self.environment)
            self._first_boot = asyncio.create_task(boot.run(self.setting.custom_data, self._printed))

    async def stop(self, *, grace: float = SHUTDOWN_SECONDS) -> None:
        """Cut its connections and end its processes."""
        await self._close()
        await self.processes.end(grace=grace)
        if self._first_boot is not None:
            self._first_boot.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._first_boot

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    def _fail(self, message: str) -> None:
        if message != self.failure:
            _log.warning("Guest %s: %s", self.setting.hostname, message)
        self.failure = message
