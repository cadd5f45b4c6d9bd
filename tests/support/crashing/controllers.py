"""Controllers that can be killed at any request: asked of the zygote, followed through a pipe.

Used by the tests. The pipe tells every request as it happens, and its end is the controller's end, however it came.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from support.crashing.points import count_names
from support.crashing.talks import Kill
from support.stack import ROOT

END_SECONDS = 15.0
"""A controller that is asked to end lets its passes end first."""


@dataclass(slots=True)
class Controller:
    """One controller process."""

    pid: int
    pipe: asyncio.StreamReader
    transport: asyncio.ReadTransport
    talks: list[str] = field(default_factory=list)
    """``METHOD PATH`` of each request so far."""
    was_killed: bool = False
    exit_code: int | None = None
    has_ended: bool = False
    is_watching: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Note its requests until it ends."""
        try:
            async for line in self.pipe:
                self._note(line.decode().strip())
        finally:
            self.has_ended = True
            self.transport.close()

    def is_dying(self, kill: Kill | None) -> bool:
        """Whether it has sent the request at which it is to be killed."""
        return kill is not None and count_names(self.talks)[kill.name] >= kill.nth

    async def end(self, follower: asyncio.Task[None], number: signal.Signals | None) -> None:
        """Let it end by a signal, or None, by itself, and wait for it."""
        if number is not None and not self.has_ended:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        await asyncio.wait_for(follower, END_SECONDS)

    def _note(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "KILLED":
            self.was_killed = True
        elif word == "ENDED":
            self.exit_code = int(rest)
        else:
            self.talks.append(line)
            if line.endswith("?watch"):
                self.is_watching.set()


class Zygote:
    """The process that controllers are forked from; a context."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __enter__(self) -> Self:
        self._commands, theirs = socket.socketpair()
        with theirs, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "support.crashing.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), *sys.path])},
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._commands.close()
        self._process.wait(END_SECONDS)

    async def start(
        self, arguments: list[str], environment: Mapping[str, str], log: Path, *, kill: Kill | None = None
    ) -> Controller:
        """Fork a controller: ``benchhost`` with these arguments, and a moment to die."""
        read, write = os.pipe()
        command = {"arguments": arguments, "environment": dict(environment), "kill": asdict(kill) if kill else None}
        with log.open("ab") as output:
            try:
                socket.send_fds(self._commands, [json.dumps(command).encode()], [write, output.fileno()])
                answer = self._commands.recv(64)
            finally:
                os.close(write)
        assert answer, f"the zygote has ended: {self._log.read_text()}"
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb", 0)
        )
        return Controller(int(answer), reader, transport)


@dataclass(slots=True)
class Keeper:
    """Keeps a controller running, as a Deployment does: when one dies the next is started at once."""

    zygote: Zygote
    arguments: list[str]
    environment: Mapping[str, str]
    log: Path
    is_hasty: bool = False
    """Whether the last one is killed too, where nobody looks at its end any more."""
    started: list[Controller] = field(default_factory=list)
    is_watching: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, kill: Kill | None = None) -> AsyncIterator[Self]:
        """Run controllers; the first is killed where ``kill`` says, those after it are not."""
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep(kill))
            try:
                yield self
            finally:
                keeping.cancel()

    async def watching(self) -> None:
        """Wait until the first controller has asked for its watch: before that, trouble ends it with a sentence."""
        await self.is_watching.wait()

    async def _keep(self, kill: Kill | None) -> None:
        while True:
            controller = await self.zygote.start(self.arguments, self.environment, self.log, kill=kill)
            controller.is_watching = self.is_watching
            self.started.append(controller)
            follower = asyncio.create_task(controller.follow())
            try:
                await asyncio.shield(follower)
            except asyncio.CancelledError:
                # The request that ends a life is seen by others before its sender has died of it.
                signalled = signal.SIGKILL if self.is_hasty else signal.SIGTERM
                await controller.end(follower, None if controller.is_dying(kill) else signalled)
                raise
            if not controller.was_killed:
                raise AssertionError(f"a controller ended by itself:\n{self.log.read_text()}")
            kill = None
