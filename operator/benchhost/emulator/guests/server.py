"""The SSH server of a guest: one user, the keys of its machine, and a loopback address.

Used by `guest`. asyncssh does the protocol; this says who may come in.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING

import asyncssh

from benchhost.emulator.guests.session import Login, Session

if TYPE_CHECKING:
    from benchhost.emulator.guests.disk import Account

_log = logging.getLogger(__name__)

LOGIN_SECONDS = 120.0
"""``LoginGraceTime`` of sshd: how long a client may take to log in."""


class Server:
    """What listens on one address.

    Parameters
    ----------
    acceptor
        asyncssh's listener.
    connections
        The connections that there are.
    address
        Where it listens.
    """

    def __init__(
        self, acceptor: asyncssh.SSHAcceptor, connections: set[asyncssh.SSHServerConnection], address: str
    ) -> None:
        self._acceptor = acceptor
        self._connections = connections
        self.address = address

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        self._acceptor.close()
        for connection in list(self._connections):
            connection.abort()
        await self._acceptor.wait_closed()
        for connection in list(self._connections):
            await connection.wait_closed()


async def listen(address: str, port: int, *, account: Account, login: Login, host_key: asyncssh.SSHKey) -> Server:
    """Answer SSH on a loopback address.

    Raises
    ------
    OSError
        When nothing can listen there.
    ValueError
        When the address is not one of this machine alone: whoever logs in runs commands as the emulator's user.
    """
    if not ipaddress.ip_address(address).is_loopback:
        raise ValueError(f"{address} is no loopback address.")
    connections: set[asyncssh.SSHServerConnection] = set()
    known = _blobs(account.keys)
    acceptor = await asyncssh.listen(
        address,
        port,
        server_factory=lambda: _Door(account.user, known, login=login, connections=connections),
        server_host_keys=[host_key],
        encoding=None,
        line_editor=False,
        password_auth=False,
        kbdint_auth=False,
        gss_host=None,
        agent_forwarding=False,
        reuse_address=True,  # connections of an earlier boot are still closing
        login_timeout=LOGIN_SECONDS,
        server_version="BenchHost-guest",
    )
    return Server(acceptor, connections, address)


class _Door(asyncssh.SSHServer):
    """Decides about one connection."""

    def __init__(
        self,
        user: str,
        known: frozenset[bytes],
        *,
        login: Login,
        connections: set[asyncssh.SSHServerConnection],
    ) -> None:
        self._user = user
        self._known = known
        self._login = login
        self._connections = connections
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the method of asyncssh
        if self._connection is not None:
            self._connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - as above
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._user and key.public_data in self._known

    def session_requested(self) -> Session:
        return Session(self._login)


def _blobs(keys: tuple[str, ...]) -> frozenset[bytes]:
    found = set()
    for text in keys:
        try:
            found.add(asyncssh.import_public_key(text.strip()).public_data)
        except asyncssh.KeyImportError as error:
            _log.warning("A public key of a machine is not understood, and lets nobody in: %s.", error)
    return frozenset(found)
