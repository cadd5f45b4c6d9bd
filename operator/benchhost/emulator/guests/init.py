"""The first process of a guest: starts its commands, finds whatever they leave behind, slows it down, and ends it.

A program of its own, run by `processes` with nothing but the standard library, since every guest that runs something
has one. It is the parent of last resort of all that its commands start, so that a process which has gone into the
background is still its descendant. When its emulator goes, however that was, the socket between them closes, and then
it kills everything and ends. It never reads a file of the guest and knows no SSH.

Messages are JSON with their length before them. From the emulator: ``run`` (with the file descriptors of standard
input, output and error), ``signal``, ``speed``, ``end``. To it: ``exited``, and ``asked`` when a program of the guest
has asked for its end (`SIGUSR1`) or for a new start (`SIGUSR2`).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PERIOD_SECONDS = 0.04
"""How long a time of running and a pause are together, roughly: short beside anything that is measured."""

SHORTEST_PAUSE_SECONDS = 0.005
"""Far longer than what a wake-up is late; nearly full speed makes the period longer and not the pause shorter."""

LONGEST_PAUSE_SECONDS = 5.0
"""What is owed at most: a machine that was too busy to make turns must not stand still for minutes afterwards."""

INIT_VARIABLE = "BENCHHOST_GUEST_INIT"
"""The variable that tells every command the process id of this program."""

LENGTH = struct.Struct("!I")
STREAMS = 3
_SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER`` of ``prctl(2)``."""

_ASKED = {signal.SIGUSR1: "off", signal.SIGUSR2: "restart"}


@dataclass(slots=True)
class Duty:
    """When to pause, so that a share of the time is run; what came too late is made good by the next turn.

    Parameters
    ----------
    speed
        The share, above 0 and at most 1.
    owed
        Seconds of pause that are still to come for the time that was run.
    """

    speed: float = 1.0
    owed: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether there is no pause at all."""
        return self.speed >= 1.0

    @property
    def pause(self) -> float:
        """How long a pause should be, in seconds."""
        return max(PERIOD_SECONDS * (1.0 - self.speed), SHORTEST_PAUSE_SECONDS)

    def ran(self, seconds: float) -> None:
        """Count time that was run."""
        self.owed = min(LONGEST_PAUSE_SECONDS, self.owed + seconds * (1.0 - self.speed) / self.speed)

    def paused(self, seconds: float) -> None:
        """Count time that was not."""
        self.owed -= seconds

    def until_pause(self) -> float:
        """Return for how many seconds to run on."""
        return max(0.0, (self.pause - self.owed) * self.speed / (1.0 - self.speed))


@dataclass(slots=True)
class Tree:
    """All processes below this one.

    Parameters
    ----------
    leaders
        The commands that run, by their process ids, and what the emulator calls them.
    """

    leaders: dict[int, int] = field(default_factory=dict)
    _paused: list[int] = field(default_factory=list)

    def pause(self) -> None:
        """Stop all, parents first: a shell that is stopped cannot wonder why its child is."""
        self._paused = []
        waiting = _children(os.getpid()) or list(self.leaders)
        while waiting:
            process = waiting.pop(0)
            if _send(process, signal.SIGSTOP):
                self._paused.append(process)
                waiting.extend(_children(process))

    def go_on(self) -> None:
        """Let all that were stopped run on, children first."""
        for process in reversed(self._paused):
            _send(process, signal.SIGCONT)
        self._paused = []

    def everything(self) -> list[int]:
        """Return all processes, parents first."""
        found = _children(os.getpid()) or list(self.leaders)
        for process in found:
            found.extend(_children(process))
        return found


class Init:
    """The loop of the program.

    Parameters
    ----------
    emulator
        The socket to whoever started this.
    """

    def __init__(self, emulator: socket.socket) -> None:
        self._emulator = emulator
        self._buffer = b""
        self._descriptors: list[int] = []
        self._tree = Tree()
        self._duty = Duty()
        self._is_paused = False
        self._has_turns = False
        self._since = time.monotonic()
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *_ASKED):
            signal.signal(number, _only_wake)

    def run(self) -> None:
        """Serve until the emulator says so, or is gone."""
        while True:
            ready, _, _ = select.select([self._emulator.fileno(), self._woken], [], [], self._turn())
            self._count()
            if self._woken in ready:
                self._heed(os.read(self._woken, 4096))
            if self._emulator.fileno() in ready and not self._read():
                self._end(grace=0.0)
                return
            for message in self._messages():
                if message["do"] == "end":
                    self._end(grace=message["grace"])
                    return
                self._obey(message)

    def _turn(self) -> float | None:
        """Pause or go on when it is time; return for how many seconds to wait for the next time."""
        self._has_turns = not self._duty.is_full and _has_children()
        if not self._has_turns:
            self._duty.owed = 0.0
            self._go_on()
            return None
        if self._is_paused and self._duty.owed > 0:
            return self._duty.owed
        self._go_on()
        if self._duty.until_pause() > 0:
            return self._duty.until_pause()
        self._tree.pause()
        self._is_paused = True
        return self._duty.owed

    def _count(self) -> None:
        """Count the time since the last turn as what it was, before anything changes."""
        now = time.monotonic()
        elapsed, self._since = now - self._since, now
        if self._has_turns and self._is_paused:
            self._duty.paused(elapsed)
        elif self._has_turns:
            self._duty.ran(elapsed)

    def _go_on(self) -> None:
        self._tree.go_on()
        self._is_paused = False

    def _read(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._emulator, 65536, STREAMS)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors += descriptors
        self._buffer += data
        return bool(data)

    def _messages(self) -> list[dict[str, Any]]:
        found = []
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if len(self._buffer) < LENGTH.size + length:
                break
            found.append(json.loads(self._buffer[LENGTH.size : LENGTH.size + length]))
            self._buffer = self._buffer[LENGTH.size + length :]
        return found

    def _obey(self, message: dict[str, Any]) -> None:
        match message["do"]:
            case "run":
                streams, self._descriptors = self._descriptors[:STREAMS], self._descriptors[STREAMS:]
                self._tree.leaders[_start(message, streams)] = message["id"]
                for descriptor in streams:
                    os.close(descriptor)
            case "signal":
                for leader, name in self._tree.leaders.items():
                    if name == message["id"]:
                        _signal(leader, message["number"], to_group=message["group"])
            case "speed":
                self._duty.speed = message["speed"]
            case _:  # pragma: no cover - the emulator and this are of one version
                raise ValueError(message)

    def _heed(self, signals: bytes) -> None:
        for number in set(signals) & set(_ASKED):
            self._tell({"asked": _ASKED[signal.Signals(number)]})
        self._reap()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                process, status = os.waitpid(-1, os.WNOHANG)
                if not process:
                    return
                name = self._tree.leaders.pop(process, None)
                if name is not None:
                    self._tell({"exited": name, "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: dict[str, Any]) -> None:
        content = json.dumps(message).encode()
        with contextlib.suppress(OSError):  # an emulator that is gone is seen by the next read
            self._emulator.sendall(LENGTH.pack(len(content)) + content)

    def _end(self, *, grace: float) -> None:
        """Ask every process to end, wait for at most ``grace`` seconds, and kill what is left, until nothing is."""
        self._go_on()
        deadline = time.monotonic() + grace
        if grace > 0:
            _send_all(self._tree.everything(), signal.SIGTERM)
        while time.monotonic() < deadline and _has_children():
            select.select([self._woken], [], [], min(0.05, deadline - time.monotonic()))
            self._reap()
        while _has_children():
            _send_all(self._tree.everything(), signal.SIGKILL)
            self._reap()
            time.sleep(0.002)  # killed processes need a moment to die, and their children one to come to us


def _only_wake(number: int, frame: object) -> None:
    """Do nothing: the number is in the pipe."""


def _start(message: dict[str, Any], streams: list[int]) -> int:
    """Start a command in a session of its own, and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        for target, descriptor in enumerate(streams):
            os.dup2(descriptor, target)
        if message["terminal"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for number in (*_ASKED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        os.chdir(message["folder"])
        environment = {**message["environment"], INIT_VARIABLE: str(os.getppid())}
        os.execvpe(message["program"], message["arguments"], environment)  # noqa: S606 - what a guest is for
    except BaseException as error:  # noqa: BLE001 - this is a copy of the program, which must not go on
        os.write(2, f"{message['program']}: {error}\n".encode())
    finally:
        os._exit(127)


def _children(process: int) -> list[int]:
    """Return the children of a process; none where the system does not tell."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.scandir(f"/proc/{process}/task"):
            with contextlib.suppress(OSError):  # a thread that has just ended
                found += map(int, Path(task.path, "children").read_bytes().split())
    return found


def _send(process: int, number: int) -> bool:
    try:
        os.kill(process, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _send_all(processes: list[int], number: int) -> None:
    for process in processes:
        _send(process, number)


def _signal(leader: int, number: int, *, to_group: bool) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if to_group:
            os.killpg(leader, number)
        else:
            os.kill(leader, number)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def main() -> None:
    """Run; the only argument is the number of the socket's descriptor."""
    emulator = socket.socket(fileno=int(sys.argv[1]))
    emulator.set_inheritable(False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Init(emulator).run()


if __name__ == "__main__":
    main()
