"""Run commands on a host over SSH, by mlos_bench's own ``SshHostService``.

Used by ``service``. Address, port, user and host keys come from the BenchHost, never from an environment; keys stay in
memory. A host that cannot be reached is a failed command, never an exception: an exception would keep mlos_bench from
its teardown.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mlos_bench.environments.status import Status

from benchhost.api import BenchHost, ConditionType, is_true
from benchhost.api.model import to_timestamp
from benchhost.client import ClientError, Deadline, read_secret
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.outcome import describe_state
from benchhost.mlos.session import Session
from benchhost.mlos.settings import RemoteSettings
from benchhost.mlos.ssh_library import SshHostService, asyncssh

_LOG = logging.getLogger(__name__)

Result = tuple[Status, dict[str, Any]]

_KEEP_ALIVE_SECONDS: Final = 15
"""A connection to a host that has vanished is given up after three of these without an answer (asyncssh's default of
``keepalive_count_max``; ssh_config's ServerAliveCountMax is the same)."""
_FIRST_PAUSE_SECONDS: Final = 0.25
_LONGEST_PAUSE_SECONDS: Final = 5.0
"""Pauses between two attempts to connect."""
_REFUSALS: Final = (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed)
"""What another attempt does not mend."""


class RemoteError(Exception):
    """One sentence on why a command cannot be run."""


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to log in, and how."""

    label: str
    address: str
    port: int
    username: str
    host_keys: tuple[str, ...] | None
    """The keys that the host published; None: any key is taken."""

    @property
    def known_hosts(self) -> asyncssh.SSHKnownHosts | None:
        """The only keys that are trusted."""
        if self.host_keys is None:
            return None
        lines = [f"[{self.address}]:{self.port},{self.address} {key}" for key in self.host_keys]
        return asyncssh.import_known_hosts("\n".join(lines) + "\n")


class PinnedSshHostService(SshHostService):
    """mlos_bench's SSH service for one host, whose address and keys a BenchHost says.

    Parameters
    ----------
    target
        The host.
    keys
        Private keys; none means what ssh would use.
    connect_seconds
        How long a connection is tried: a host that has just booted may not listen yet.
    """

    def __init__(self, target: _Target, keys: list[asyncssh.SSHKey], *, connect_seconds: float) -> None:
        super().__init__(config={"ssh_hostname": target.address, "ssh_keepalive_interval": _KEEP_ALIVE_SECONDS})
        self._target = target
        self._keys = keys
        self._connect_seconds = connect_seconds

    def _validate_json_config(self, config: dict[str, Any]) -> None:
        """It is made here and not from a file; mlos_bench's schema knows only its own classes."""

    def _get_connect_params(self, _params: dict[str, Any]) -> dict[str, Any]:
        target = self._target
        return {
            **self._connect_params,
            "host": target.address,
            "port": target.port,
            "username": target.username,
            "known_hosts": target.known_hosts,
            "connect_timeout": self._connect_seconds,
            **({"client_keys": self._keys} if self._keys else {}),
        }

    async def _get_client_connection(self, params: dict[str, Any]) -> Any:
        """A connection, tried until the limit."""
        end, pause = time.monotonic() + self._connect_seconds, _FIRST_PAUSE_SECONDS
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


class RemoteCommands:
    """Commands on one service's hosts.

    Parameters
    ----------
    session
        The service's state.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._settings: RemoteSettings = session.settings.remote
        self._keys: list[asyncssh.SSHKey] | None = None
        self._services: dict[_Target, PinnedSshHostService] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_services": {}, "_keys": None}

    def close(self) -> None:
        """Close the connections; the next command opens new ones."""
        while self._services:
            _, ssh = self._services.popitem()
            ssh._exit_context(None, None, None)  # noqa: SLF001 - entered by _open, where no mix-in does it

    def execute(self, script: Iterable[str], config: Mapping[str, Any], env_params: Mapping[str, Any]) -> Result:
        """Begin a command; see ``BenchHostService.remote_exec``."""
        try:
            target = self._find(config)
            keys = self._load_keys()
        except (RemoteError, ServiceConfigError, ClientError) as error:
            _LOG.error("The command %s is not run: %s", config.get("commandName", ""), error)
            return Status.FAILED, {}
        status, output = self._open(target, keys).remote_exec(script, {}, dict(env_params))
        more = {"target": target, "commandName": config.get("commandName", "the command")}
        return status, {**output, **more, "startTimestamp": to_timestamp(datetime.now(UTC))}

    def get_results(self, config: Mapping[str, Any]) -> Result:
        """Wait for a command; see ``BenchHostService.get_remote_exec_results``."""
        target: _Target | None = config.get("target")
        ssh = self._services.get(target) if target is not None else None
        if target is None or ssh is None:
            _LOG.error("There is no command to wait for: pass on what remote_exec returned")
            return Status.FAILED, {}
        try:
            status, output = ssh.get_remote_exec_results(dict(config))
        except (OSError, asyncssh.Error, CancelledError, ValueError) as error:
            _LOG.error("%s", self._explain(target, error))
            return Status.FAILED, {}
        done = output.pop("ssh_completed_process_result", None)
        code = None if done is None else done.returncode
        if code is None:
            # mlos_bench's service swallows why, and calls a command that was cut off an ended one.
            _LOG.error("%s", self._explain(target, _why(config)))
            return Status.FAILED, {}
        if status is not Status.SUCCEEDED:
            tail = " ".join(str(output.get("stderr") or output.get("stdout") or "").split()[-40:])
            _LOG.error("%s: %s ended with exit code %s: %s", target.label, config["commandName"], code, tail)
        times = {"startTimestamp": config.get("startTimestamp"), "endTimestamp": to_timestamp(datetime.now(UTC))}
        return status, {**output, "exitCode": code, **times}

    def _open(self, target: _Target, keys: list[asyncssh.SSHKey]) -> PinnedSshHostService:
        """The event loop's thread is opened when it is first needed."""
        if target not in self._services:
            ssh = PinnedSshHostService(target, keys, connect_seconds=self._settings.connect_seconds)
            ssh._enter_context()  # noqa: SLF001 - no mix-in does it
            self._services[target] = ssh
        return self._services[target]

    def _find(self, params: Mapping[str, Any]) -> _Target:
        session = self._session
        name = session.get_name(params)
        host = session.hosts.get(name, deadline=session.call_deadline())
        label = f"BenchHost {session.hosts.namespace}/{name}"
        if host is None:
            raise RemoteError(f"{label} does not exist; provision it first, with a HostEnv before this environment")
        endpoint = host.status.ssh_endpoint
        if endpoint is None or not is_true(host.status.conditions, ConditionType.READY):
            raise RemoteError(f"{label} is not ready: {describe_state(host)}")
        return _Target(label, endpoint.host, endpoint.port, host.spec.azure.admin.username, self._pin(host, label))

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

    def _load_keys(self) -> list[asyncssh.SSHKey]:
        """The private key; none means what ssh would use, the agent's and those of ~/.ssh."""
        if self._keys is None:
            data = self._read_key()
            try:
                self._keys = [] if data is None else [asyncssh.import_private_key(data)]
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
        deadline: Deadline = self._session.call_deadline()
        return read_secret(self._session.settings.connection, name, key, deadline=deadline)

    def _explain(self, target: _Target, error: BaseException | None) -> str:
        """What happened, and what is known of the host by now."""
        where = f"{target.label} at {target.address} port {target.port}"
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return f"{where} shows another SSH host key than the one it published: nothing was sent to it"
        if isinstance(error, asyncssh.PermissionDenied):
            return (
                f"{where} does not let {target.username!r} in: give the private key of one of "
                "spec.azure.admin.sshPublicKeys (config key 'sshPrivateKeyFile' or 'sshPrivateKeySecret')"
            )
        words = " ".join(str(error).split()) if error is not None else "the connection was lost"
        return f"{where} cannot be reached over SSH ({words or type(error).__name__}); {self._ask_state(target)}"

    def _ask_state(self, target: _Target) -> str:
        name = target.label.rsplit("/", 1)[-1]
        try:
            return describe_state(self._session.hosts.get(name, deadline=self._session.call_deadline()))
        except ClientError as error:
            return f"its state is not known: {error}"


def _why(config: Mapping[str, Any]) -> BaseException | None:
    """What ended the connection, where it was never made."""
    future = config.get("asyncRemoteExecResultsFuture")
    return future.exception() if isinstance(future, Future) and future.done() and not future.cancelled() else None
