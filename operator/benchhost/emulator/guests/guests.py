"""All guests of an emulator: brings what runs into line with what the emulated cloud says has to run.

Called by `benchhost.emulator.dispatcher` after each request, and by itself when the next operation is due. It keeps no
plan: it compares, ends what should not be there, and starts what is missing. The cloud is changed in three places, all
of which a guest does by itself in Azure too: what it writes to its console, its turning off, and its restarting.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import re
import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.compute.guest import last_boot, note_lines, note_restart
from benchhost.emulator.guests.disk import Disk
from benchhost.emulator.guests.guest import Guest
from benchhost.emulator.guests.machines import WantedGuest, disks_of, machines_of, wanted_guest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from benchhost.emulator.clock import Clock
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.subscription import Subscription
    from benchhost.emulator.guests.loopback import LoopbackBlock
    from benchhost.emulator.guests.private_addresses import PrivateAddresses

_log = logging.getLogger(__name__)

START_SECONDS = 5.0
"""How long an answer is held back for a guest that is starting: whoever is told Running can log in at once."""

ASKED_SECONDS = 0.5
"""How long a guest runs on after it has asked to be turned off, so that who typed it sees the command return."""

SHORTEST_WAIT_SECONDS = 0.01
RETRY_SECONDS = 1.0
"""How soon another attempt is made to listen where that was not possible."""

KEYS_AT = 0.9
"""At which part of a first boot cloud-init has printed the host keys: in its last stage."""

_DISK_NAME = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}(-\d+)?")
_GONE = ".gone-"


@dataclass(slots=True)
class _Stay:
    """A guest that was started for a machine, and what is being done with it.

    Parameters
    ----------
    guest
        The guest.
    work
        The task that starts, changes or ends it, done or not.
    is_ending
        Whether it ends.
    """

    guest: Guest
    work: asyncio.Task[None]
    is_ending: bool = False


class Guests:
    """The guests of a subscription.

    Parameters
    ----------
    subscription
        Whose machines they are the guests of.
    directory
        Where their disks are.
    block
        Which addresses they have.
    port
        Where they listen.
    private
        Which of them have an address of their own.
    clock
        What time it is.
    save
        Saves what has changed in the cloud.
    """

    def __init__(
        self,
        subscription: Subscription,
        directory: Path,
        *,
        block: LoopbackBlock,
        port: int,
        private: PrivateAddresses,
        clock: Clock,
        save: Callable[[], None],
    ) -> None:
        self._subscription = subscription
        self._directory = directory
        self._block = block
        self._port = port
        self._private = private
        self._clock = clock
        self._save = save
        self._stays: dict[str, _Stay] = {}
        self._wanted: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Bring up what has to run, and forget the disks that are nobody's."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.follow()

    async def follow(self) -> None:
        """Bring everything into line; return when what has to run does, or after `START_SECONDS`."""
        self._reconcile()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while works := self._works():
                    await asyncio.wait(works)

    async def close(self) -> None:
        """End all guests, as when the power fails."""
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.gather(*(stay.guest.stop(grace=0.0) for stay in self._stays.values()))
        self._stays.clear()

    def describe(self, machine: VirtualMachine) -> dict[str, Any]:
        """Return how the guest of a machine is reached, and how it is."""
        stay = self._stays.get(machine.guid)
        wanted = wanted_guest(self._subscription, machine)
        return {
            "machine": machine.id.name,
            "group": machine.id.group,
            "address": None if wanted is None else self._address_of(machine, wanted),
            "port": self._port,
            "user": None if wanted is None else wanted.setting.account.user,
            "root": None if wanted is None else str(self._disk(wanted.setting.disk).root),
            "hostKey": None if stay is None or wanted is None else stay.guest.disk.public_host_key(),
            "speed": None if wanted is None else round(wanted.speed, 4),
            "state": _state_of(stay, wanted),
            "reason": None if stay is None else stay.guest.failure,
        }

    def _reconcile(self) -> None:
        if self._is_closing:
            return
        try:
            self._compare()
        except Exception:  # noqa: BLE001 - a mistake of ours, or a folder that somebody took away, must not stop the cloud
            _log.exception("Guests were left as they are")
        self._wake_up()

    def _compare(self) -> None:
        machines = {machine.guid: machine for machine in machines_of(self._subscription)}
        wanted = {key: wanted_guest(self._subscription, machine) for key, machine in machines.items()}
        self._wanted = {key for key, guest in wanted.items() if guest is not None}
        self._private.keep(set(machines))
        for key, stay in self._stays.items():
            if not stay.is_ending and not _is_same(stay.guest, wanted.get(key)):
                stay.is_ending = True
                stay.work = self._do(self._end(key, stay, stay.work))
        for key, guest in wanted.items():
            if guest is not None:
                self._follow(machines[key], guest)
        self._forget_disks()

    def _follow(self, machine: VirtualMachine, wanted: WantedGuest) -> None:
        stay = self._stays.get(machine.guid)
        if stay is not None and (stay.is_ending or not stay.work.done()):
            return  # its end is followed by another look
        address = self._address_of(machine, wanted)
        if stay is not None:
            if not stay.guest.is_at(address, wanted.speed):
                stay.work = self._do(stay.guest.follow(address, wanted.speed))
            return
        guest = self._make(machine, wanted)
        if guest is not None:
            self._stays[machine.guid] = _Stay(guest, self._do(guest.follow(address, wanted.speed)))

    def _make(self, machine: VirtualMachine, wanted: WantedGuest) -> Guest | None:
        disk, setting = self._disk(wanted.setting.disk), wanted.setting
        try:
            disk.make(setting.account, setting.hostname)
        except OSError as error:
            _log.error("The disk of %s cannot be made: %s.", machine.id.name, error)
            return None
        self._print_keys(machine, disk)
        return Guest(
            setting,
            disk,
            port=self._port,
            asked=partial(self._asked, machine),
            printed=partial(self._printed, machine),
        )

    def _print_keys(self, machine: VirtualMachine, disk: Disk) -> None:
        """Let the serial console tell the host keys, once for each disk, as cloud-init's keys_to_console does."""
        key, boot = disk.public_host_key(), last_boot(machine)
        if boot is None or any(line.text == key for line in machine.console_lines):
            return
        lines = ("-----BEGIN SSH HOST KEY KEYS-----", key, "-----END SSH HOST KEY KEYS-----")
        note_lines(machine, lines, boot.began + KEYS_AT * (boot.ended - boot.began))

    def _printed(self, machine: VirtualMachine, lines: list[str]) -> None:
        note_lines(machine, lines, self._clock.now())
        self._save()

    async def _end(self, key: str, stay: _Stay, before: asyncio.Task[None]) -> None:
        await asyncio.gather(before, return_exceptions=True)
        await stay.guest.stop()
        del self._stays[key]
        self._reconcile()

    def _asked(self, machine: VirtualMachine, what: str) -> None:
        asyncio.get_running_loop().call_later(ASKED_SECONDS, self._grant, machine, what)

    def _grant(self, machine: VirtualMachine, what: str) -> None:
        """Turn a machine off, or restart it, unless something else has happened to it meanwhile."""
        is_there = self._subscription.store.find(machine.id) is machine
        if self._is_closing or not is_there or wanted_guest(self._subscription, machine) is None:
            return
        if what == "off":
            self._subscription.power.turned_off(machine, self._clock.now())
        else:
            note_restart(machine, self._clock.now())
        self._reconcile()
        self._save()

    def _forget_disks(self) -> None:
        kept = disks_of(self._subscription) | {stay.guest.setting.disk for stay in self._stays.values()}
        for path in self._directory.iterdir():
            if _DISK_NAME.fullmatch(path.name) and path.name not in kept:
                gone = path.rename(path.with_name(f"{_GONE}{path.name}"))
                self._do(asyncio.to_thread(shutil.rmtree, gone, ignore_errors=True))

    def _wake_up(self) -> None:
        """Look again when the next operation is due."""
        if self._timer is not None:
            self._timer.cancel()
        due = self._subscription.operations.next_due()
        waits = [] if due is None else [max(SHORTEST_WAIT_SECONDS, due - self._clock.now())]
        if any(stay.guest.failure is not None for stay in self._stays.values()):
            waits.append(RETRY_SECONDS)
        if waits:
            self._timer = asyncio.get_running_loop().call_later(min(waits), self._look)

    def _look(self) -> None:
        self._subscription.advance(self._clock.now())
        self._save()
        self._reconcile()

    def _do(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("A guest was left as it is: %s", error, exc_info=error)

    def _works(self) -> list[asyncio.Task[None]]:
        """Return what is being done about guests that have to run, the ends of their last boots included."""
        works = [stay.work for key, stay in self._stays.items() if key in self._wanted]
        return [work for work in works if not work.done()]

    def _address_of(self, machine: VirtualMachine, wanted: WantedGuest) -> str:
        if wanted.public_address is not None:
            return wanted.public_address
        first = int(self._block.private.network_address)
        return str(ipaddress.IPv4Address(first + self._private.offset_of(machine.guid)))

    def _disk(self, name: str) -> Disk:
        return Disk(self._directory / name)


def _state_of(stay: _Stay | None, wanted: WantedGuest | None) -> str:
    if wanted is None:
        return "down"
    if stay is None or stay.is_ending:
        return "starting"
    if stay.guest.failure is not None:
        return "failed"
    return "up" if stay.guest.is_up else "starting"


def _is_same(guest: Guest, wanted: WantedGuest | None) -> bool:
    return wanted is not None and (guest.setting.disk, guest.setting.boot) == (wanted.setting.disk, wanted.setting.boot)
