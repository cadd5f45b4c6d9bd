"""The processes of a guest as the emulator sees them: commands to start, signals to send, one end for all.

Used by `guest`, `session` and `cloud_init`. The work is done by a process of its own (`init`), which is started with
the first command: a machine that nobody logs in to costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchhost.emulator.guests import init

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)

_KILLED = -int(signal.SIGKILL)
END_SECONDS = 10.0
"""How long the processes of a guest may take to be gone once they are killed; more is a disk that does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to start.

    Parameters
    ----------
    program, arguments
        What `execvpe` takes: the first argument is the program's name.
    folder
        Where it starts.
    environment
        All variables that it has.
    terminal
        Whether its standard input is a terminal that it is to control.
    """

    program: str
    arguments: tuple[str, ...]
    folder: Path
    environment: dict[str, str] = field(repr=False)
    terminal: bool = False


class Process:
    """A command that was started."""

    def __init__(self, processes: Processes, number: int) -> None:
        self._processes = processes
        self._number = number
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._status.done()

    async def wait(self) -> int:
        """Return its exit status, or the number of the signal that ended it, below zero."""
        return await asyncio.shield(self._status)

    def ended(self, status: int) -> None:
        """Take note of its end."""
        if self.is_running:
            self._status.set_result(status)

    async def signal(self, number: int, *, group: bool = True) -> None:
        """Send a signal to it, or to the whole group of processes that it began."""
        if self.is_running:
            await self._processes.tell({"do": "signal", "id": self._number, "number": int(number), "group": group})


class Processes:
    """All processes of one guest, from its boot to its end.

    Parameters
    ----------
    asked
        Called with ``off`` or ``restart`` when a program of the guest asks for that.
    """

    def __init__(self, asked: Callable[[str], None]) -> None:
        self._asked = asked
        self._running: dict[int, Process] = {}
        self._count = 0
        self._speed = 1.0
        self._socket: socket.socket | None = None
        self._program: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._is_over = False

    @property
    def speed(self) -> float:
        """The share of the time that they may run."""
        return self._speed

    async def run(self, command: Command, streams: Sequence[int]) -> Process:
        """Start a command.

        Parameters
        ----------
        command
            What to start.
        streams
            Descriptors of its standard input, output and error; they stay open here.

        Raises
        ------
        ConnectionError
            When the guest is going down.
        """
        async with self._turn:
            if self._is_over:
                raise ConnectionAbortedError("The guest is going down.")
            if self._socket is None:
                await self._start()
            self._count += 1
            process = self._running[self._count] = Process(self, self._count)
            message = {
                "do": "run",
                "id": self._count,
                "program": command.program,
                "arguments": command.arguments,
                "folder": str(command.folder),
                "environment": command.environment,
                "terminal": command.terminal,
            }
            await self._send(message, streams)
        return process

    async def set_speed(self, speed: float) -> None:
        """Let them run for that share of the time, above 0 and at most 1."""
        if speed == self._speed:
            return
        self._speed = speed
        await self.tell({"do": "speed", "speed": speed})

    async def tell(self, message: dict[str, Any]) -> None:
        """Send a message, if there is anybody to send it to."""
        async with self._turn:
            if self._socket is not None and not self._is_over:
                await self._send(message, ())

    async def end(self, *, grace: float) -> None:
        """End all processes: those that do not end by themselves within ``grace`` seconds are killed."""
        async with self._turn:
            self._is_over = True
            if self._program is None:
                return
            await self._send({"do": "end", "grace": grace}, ())
        await self._gone(grace + END_SECONDS)

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = (sys.executable, "-I", "-S", init.__file__, str(theirs.fileno()))
            # Ctrl-C on the emulator's terminal is not for a guest.
            self._program = await asyncio.create_subprocess_exec(
                *arguments, stdin=asyncio.subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )
        ours.setblocking(False)
        self._socket = ours
        self._reader = asyncio.create_task(self._listen(ours, self._program))
        if self._speed < 1:
            await self._send({"do": "speed", "speed": self._speed}, ())

    async def _send(self, message: dict[str, Any], streams: Sequence[int]) -> None:
        content = json.dumps(message).encode()
        loop, emulator = asyncio.get_running_loop(), self._socket
        if emulator is None:
            return
        with contextlib.suppress(OSError):  # the reader sees that nobody is there
            head, rest = init.LENGTH.pack(len(content)), content
            if streams:
                socket.send_fds(emulator, [head], streams)
            else:
                rest = head + content
            await loop.sock_sendall(emulator, rest)

    async def _listen(self, emulator: socket.socket, program: asyncio.subprocess.Process) -> None:
        """Read what the first process says, until it is gone."""
        loop, buffer = asyncio.get_running_loop(), b""
        with emulator, contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(emulator, 65536):
                buffer = self._take(buffer + data)
        await program.wait()
        self._socket = self._program = None
        for process in self._running.values():
            process.ended(_KILLED)
        self._running.clear()
        if not self._is_over:
            _log.error("The first process of a guest has ended (%s); what it ran may run on.", program.returncode)

    def _take(self, buffer: bytes) -> bytes:
        while len(buffer) >= init.LENGTH.size:
            (length,) = init.LENGTH.unpack_from(buffer)
            if len(buffer) < init.LENGTH.size + length:
                break
            content, buffer = buffer[init.LENGTH.size :][:length], buffer[init.LENGTH.size + length :]
            self._heed(json.loads(content))
        return buffer

    def _heed(self, message: dict[str, Any]) -> None:
        if "asked" in message:
            self._asked(message["asked"])
        elif (process := self._running.pop(message["exited"], None)) is not None:
            process.ended(message["status"])

    async def _gone(self, seconds: float) -> None:
        reader, program = self._reader, self._program
        if reader is None:
            return
        try:
            await asyncio.wait_for(asyncio.shield(reader), seconds)
        except TimeoutError:
            _log.error("Processes of a guest could not be killed within %g s.", seconds)
            with contextlib.suppress(ProcessLookupError):
                if program is not None:
                    program.kill()
            await reader
