"""A guest without a cloud: an SSH server on a loopback address that runs what it is told, for tests of the client."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchhost.mlos.ssh_library import asyncssh


@dataclass
class Guest:
    """A running server."""

    loop: asyncio.AbstractEventLoop
    server: asyncssh.SSHAcceptor
    host_key: str
    connections: set[asyncssh.SSHServerConnection]

    @property
    def endpoint(self) -> dict[str, object]:
        """As ``status.sshEndpoint`` has it."""
        return {"host": "127.0.0.1", "port": self.server.get_port(), "hostKeys": [self.host_key]}

    def cut(self) -> None:
        """Cut every connection."""
        self.loop.call_soon_threadsafe(lambda: [connection.abort() for connection in list(self.connections)])

    def vanish(self) -> None:
        """Listen no more, and cut every connection."""

        async def close() -> None:
            self.server.close()
            await self.server.wait_closed()

        asyncio.run_coroutine_threadsafe(close(), self.loop).result(20)
        self.cut()


class Server(asyncssh.SSHServer):
    """Notes who is connected."""

    def __init__(self, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self._connection)


async def run(process: asyncssh.SSHServerProcess) -> None:
    """Run the command with the shell, in a process group of its own; it ends with the connection."""
    child = await asyncio.create_subprocess_shell(
        process.command or "true",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    lost = asyncio.create_task(process.channel.wait_closed())
    done = asyncio.create_task(child.communicate())
    try:
        await asyncio.wait({lost, done}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        lost.cancel()
        if not done.done():
            os.killpg(child.pid, signal.SIGKILL)
    out, error = await done
    process.stdout.write(out.decode())
    process.stderr.write(error.decode())
    process.exit(child.returncode or 0)


async def end_tasks() -> None:
    """Wait until every command has noticed that its connection is gone."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=15)


@contextmanager
def running_guest(authorized_key: str) -> Iterator[Guest]:
    """Lets this key in as any user."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    key = asyncssh.generate_private_key("ssh-ed25519")
    connections: set[asyncssh.SSHServerConnection] = set()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: Server(connections), "127.0.0.1", 0, server_host_keys=[key], process_factory=run,
            authorized_client_keys=asyncssh.import_authorized_keys(authorized_key), sftp_factory=True, allow_scp=True,
        )  # fmt: skip

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    guest = Guest(loop, server, key.export_public_key().decode().strip(), connections)
    try:
        yield guest
    finally:
        guest.vanish()
        asyncio.run_coroutine_threadsafe(end_tasks(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
