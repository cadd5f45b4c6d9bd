"""Where a host answers SSH, how to log in, and what to say when it does not work.

Used by ``remote`` and ``files``. Address, port, user and host keys come from the BenchHost, never from an environment;
private keys stay in memory.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchhost.api import BenchHost, ConditionType, is_true
from benchhost.client import ClientError, read_secret
from benchhost.mlos.outcome import describe_state
from benchhost.mlos.session import Session
from benchhost.mlos.ssh_library import SshService, asyncssh

KEEP_ALIVE_SECONDS: Final = 15
"""A connection to a host that has vanished is given up after three of these without an answer (asyncssh's default of
``keepalive_count_max``; ssh_config's ServerAliveCountMax is the same)."""
_FIRST_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 5.0
"""Pauses between two attempts to connect."""
_REFUSALS: Final = (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed)
"""What another attempt does not mend."""


class RemoteError(Exception):
    """One sentence on why a host cannot be logged in to."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where to log in."""

    label: str
    """The host, for messages."""
    name: str
    address: str
    port: int
    username: str
    host_keys: tuple[str, ...] | None
    """The keys that the host published; None: any key is taken."""

    @property
    def where(self) -> str:
        """Host and address, for messages."""
        return f"{self.label} at {self.address} port {self.port}"

    @property
    def known_hosts(self) -> asyncssh.SSHKnownHosts | None:
        """The only keys that are trusted."""
        if self.host_keys is None:
            return None
        lines = [f"[{self.address}]:{self.port},{self.address} {key}" for key in self.host_keys]
        return asyncssh.import_known_hosts("\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True)
class SshLogin:
    """Everything that a connection needs."""

    target: SshTarget
    keys: tuple[asyncssh.SSHKey, ...]
    """Private keys; none means what ssh would use, the agent's and those of ~/.ssh."""
    connect_seconds: float
    """How long a connection is tried: a host that has just booted may not listen yet."""
    command_seconds: float | None
    """How long one command may run; None: as long as the host answers."""


class PinnedConnection(SshService):
    """The part of mlos_bench's SSH services that connects, for one host, whose address and keys a BenchHost says.

    Parameters
    ----------
    login
        Where and how.
    """

    def __init__(self, login: SshLogin) -> None:
        super().__init__(
            config={
                "ssh_hostname": login.target.address,
                "ssh_keepalive_interval": KEEP_ALIVE_SECONDS,
                "ssh_request_timeout": login.command_seconds,
                # Trusts nobody; which keys are trusted is said below.
                "ssh_known_hosts_file": os.devnull,
            }
        )
        self._login = login

    def _validate_json_config(self, config: dict[str, Any]) -> None:
        """It is made here and not from a file; mlos_bench's schema knows only its own classes."""

    def _get_connect_params(self, _params: dict[str, Any]) -> dict[str, Any]:
        target = self._login.target
        return {
            **self._connect_params,
            "host": target.address,
            "port": target.port,
            "username": target.username,
            "known_hosts": target.known_hosts,
            "connect_timeout": self._login.connect_seconds,
            **({"client_keys": list(self._login.keys)} if self._login.keys else {}),
        }

    async def _get_client_connection(self, params: dict[str, Any]) -> Any:
        """A connection, tried until the limit."""
        end, pause = time.monotonic() + self._login.connect_seconds, _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await super()._get_client_connection(params)
            except _REFUSALS:
                raise
            except (OSError, asyncssh.Error):
                if time.monotonic() + pause >= end:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


class SshAccess:
    """Logins to one service's hosts.

    Parameters
    ----------
    session
        The service's state.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._settings = session.settings.remote
        self._keys: tuple[asyncssh.SSHKey, ...] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_keys": None}

    def find(self, params: Mapping[str, Any]) -> SshLogin:
        """The login of the host that these parameters of an environment mean.

        Raises
        ------
        RemoteError, ServiceConfigError, ClientError
            If there is no such host, it is not ready, or a key is missing.
        """
        session = self._session
        name = session.get_name(params)
        host = session.hosts.get(name, deadline=session.call_deadline())
        label = f"BenchHost {session.hosts.namespace}/{name}"
        if host is None:
            raise RemoteError(f"{label} does not exist; provision it first, with a HostEnv before this environment")
        endpoint = host.status.ssh_endpoint
        if endpoint is None or not is_true(host.status.conditions, ConditionType.READY):
            raise RemoteError(f"{label} is not ready: {describe_state(host)}")
        username, pinned = host.spec.azure.admin.username, self._pin(host, label)
        target = SshTarget(label, name, endpoint.host, endpoint.port, username, pinned)
        settings = self._settings
        return SshLogin(target, self._load_keys(), settings.connect_seconds, settings.command_seconds)

    def _pin(self, host: BenchHost, label: str) -> tuple[str, ...] | None:
        if not self._settings.is_pinned:
            return None
        endpoint = host.status.ssh_endpoint
        if endpoint is None or not endpoint.host_keys:
            raise RemoteError(
                f"{label} has published no SSH host keys; set spec.readiness.hostKeys: true in the template, or the "
                "service's config key 'sshHostKeys' to AcceptAny"
            )
        return tuple(endpoint.host_keys)

    def _load_keys(self) -> tuple[asyncssh.SSHKey, ...]:
        """The private key; none means what ssh would use, the agent's and those of ~/.ssh."""
        if self._keys is None:
            data = self._read_key()
            try:
                self._keys = () if data is None else (asyncssh.import_private_key(data),)
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
                # Without the cause: only these words are known to hold nothing of the key.
                raise RemoteError(
                    f"the SSH private key of {self._settings.key_source} cannot be used: {error}"
                ) from None
        return self._keys

    def _read_key(self) -> bytes | None:
        settings = self._settings
        if settings.key_file is not None:
            try:
                return Path(settings.key_file).expanduser().read_bytes()
            except OSError as error:
                raise RemoteError(
                    f"the key 'sshPrivateKeyFile' names {settings.key_file}, which cannot be read: {error.strerror}"
                ) from error
        if settings.key_secret is None:
            return None
        name, key = settings.key_secret
        return read_secret(self._session.settings.connection, name, key, deadline=self._session.call_deadline())

    def explain(self, target: SshTarget, error: BaseException | None) -> str:
        """What happened, and what is known of the host by now."""
        where = target.where
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return f"{where} shows another SSH host key than the one it published: nothing was sent to it"
        if isinstance(error, asyncssh.PermissionDenied):
            return (
                f"{where} does not let {target.username!r} in: give the private key of one of "
                "spec.azure.admin.sshPublicKeys (config key 'sshPrivateKeyFile' or 'sshPrivateKeySecret')"
            )
        # Whatever its status says: the next trial shall not begin on a host that is gone.
        self._session.records.doubted.add(target.name)
        words = " ".join(str(error).split()) if error is not None else "the connection was lost"
        return f"{where} cannot be reached over SSH ({words or type(error).__name__}); {self._ask_state(target)}"

    def _ask_state(self, target: SshTarget) -> str:
        try:
            return describe_state(self._session.hosts.get(target.name, deadline=self._session.call_deadline()))
        except ClientError as error:
            return f"its state is not known: {error}"
