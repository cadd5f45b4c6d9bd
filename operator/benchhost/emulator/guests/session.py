"""One session of an SSH connection to a guest: a command or a shell, as OpenSSH's sshd would run it.

Made by `server` for every session that a client asks for. SFTP and scp never get here: asyncssh gives them to `files`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
from typing import TYPE_CHECKING, Protocol, cast

import asyncssh

from benchhost.emulator.guests.files import GuestFiles
from benchhost.emulator.guests.processes import Command, Process, Processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHELL = "/bin/bash"
HANGUP_SECONDS = 1.0
"""How long a command may run on after its client has gone; nohup and background processes are not asked."""

_ACCEPTED = ("LANG", "LC_")
"""What sshd of Ubuntu takes of a client's environment (``AcceptEnv LANG LC_*``)."""

_SFTP_VERSION = 3
_BUFFER_BYTES = 65536


class Login(Protocol):
    """What a session needs to know of its guest."""

    @property
    def processes(self) -> Processes:
        """Where commands are started."""

    @property
    def home(self) -> Path:
        """Where they start."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What they find in their environment."""


class Session(asyncssh.SSHServerProcess[bytes]):
    """A session.

    Parameters
    ----------
    login
        Whose session it is.
    """

    def __init__(self, login: Login) -> None:
        super().__init__(
            lambda _process: self._serve(),
            lambda channel: GuestFiles(cast("asyncssh.SSHServerChannel[bytes]", channel), os.fsencode(login.home)),
            _SFTP_VERSION,
            allow_scp=True,
        )
        self._login = login
        self._started: Process | None = None
        self._terminal: int | None = None
        self._screen: asyncio.Task[None] | None = None

    def subsystem_requested(self, subsystem: str) -> bool:
        """Offer SFTP and nothing else."""
        return subsystem == "sftp"

    def signal_received(self, signal: str) -> None:
        """Hand a client's signal to the command."""
        self._signal(f"SIG{signal}")

    def break_received(self, msec: int) -> bool:  # noqa: ARG002 - the method of asyncssh
        """Interrupt the command."""
        self._signal("SIGINT")
        return True

    def soft_eof_received(self) -> None:
        """Ignore a wish that only asyncssh's own line editor has."""

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Tell the terminal of its new size; the kernel tells the programs."""
        if self._terminal is not None:
            _set_size(self._terminal, (width, height, pixwidth, pixheight))

    async def _serve(self) -> None:
        with contextlib.suppress(ConnectionError, OSError, asyncssh.Error):  # the client or the guest is gone
            process = await self._start()
            ending = asyncio.create_task(process.wait())
            closing = asyncio.create_task(self.wait_closed())
            try:
                await asyncio.wait((ending, closing), return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    await self._finish(ending.result())
                else:
                    await _hang_up(process)
            finally:
                for task in (ending, closing, self._screen):
                    if task is not None:
                        task.cancel()

    async def _start(self) -> Process:
        theirs, ours = self._open_terminal() if self.term_type is not None else _open_pipes()
        try:
            self._started = await self._login.processes.run(self._command(), theirs)
        except BaseException:
            for descriptor in ours:
                if descriptor is not None:
                    os.close(descriptor)
            raise
        finally:
            for descriptor in set(theirs):
                os.close(descriptor)
        await self.redirect(stdin=ours[0], send_eof=False)
        if self.term_type is None:
            await self.redirect(stdout=ours[1], stderr=ours[2], send_eof=False)
        else:
            self._screen = asyncio.create_task(self._show(ours[1]))
        return self._started

    def _command(self) -> Command:
        terminal, name = self.term_type, os.path.basename(SHELL)  # noqa: PTH119 - a name, and no file
        accepted = {key: value for key, value in self.env.items() if key.startswith(_ACCEPTED)}
        environment = {**self._login.environment, **accepted, **self._connection_variables()}
        if terminal is not None:
            environment["TERM"] = terminal
        return Command(
            program=SHELL,
            arguments=(f"-{name}",) if self.command is None else (name, "-c", self.command),
            folder=self._login.home,
            environment=environment,
            terminal=terminal is not None,
        )

    def _connection_variables(self) -> dict[str, str]:
        peer, own = self.get_extra_info("peername"), self.get_extra_info("sockname")
        return {
            "SSH_CLIENT": f"{peer[0]} {peer[1]} {own[1]}",
            "SSH_CONNECTION": f"{peer[0]} {peer[1]} {own[0]} {own[1]}",
        }

    def _open_terminal(self) -> tuple[tuple[int, int, int], tuple[int, int, int | None]]:
        ours, theirs = pty.openpty()
        _set_size(theirs, self.term_size)
        self._terminal = os.dup(ours)
        return (theirs, theirs, theirs), (os.dup(ours), ours, None)

    async def _show(self, terminal: int) -> None:
        """Send what appears on a terminal."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: _TerminalProtocol(reader), os.fdopen(terminal, "rb", buffering=0)
        )
        with contextlib.closing(transport), contextlib.suppress(ConnectionError, asyncssh.Error):
            while data := await reader.read(_BUFFER_BYTES):
                self.stdout.write(data)
                await self.stdout.drain()

    async def _finish(self, status: int) -> None:
        """Send the rest of the output and the status, as sshd does: once nobody can write any more."""
        if self._screen is not None:
            await self._screen
        await self.stdout.drain()
        await self.stderr.drain()
        if status < 0:
            self.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            self.exit(status)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the terminal."""
        super().connection_lost(exc)
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None

    def _signal(self, name: str) -> None:
        number = getattr(signal, name, None)
        if number is not None and self._started is not None and self._conn is not None:
            self._conn.create_task(self._started.signal(number))


class _TerminalProtocol(asyncio.StreamReaderProtocol):
    """Reads a terminal, whose end is an error: that nobody has its other side open any more."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the method of asyncio
        super().connection_lost(None)


async def _hang_up(process: Process) -> None:
    """End a command whose client has gone; what ignores that, as nohup makes it, is killed unless it left the group."""
    await process.signal(signal.SIGHUP)
    await process.signal(signal.SIGCONT)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), HANGUP_SECONDS)
        return
    await process.signal(signal.SIGKILL, group=False)


def _open_pipes() -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return the ends of three pipes: theirs, and ours."""
    their_input, our_input = os.pipe()
    our_output, their_output = os.pipe()
    our_errors, their_errors = os.pipe()
    return (their_input, their_output, their_errors), (our_input, our_output, our_errors)


def _set_size(terminal: int, size: tuple[int, int, int, int]) -> None:
    width, height, pixel_width, pixel_height = size
    with contextlib.suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, pixel_width, pixel_height))
