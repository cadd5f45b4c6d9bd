"""Run commands on a host over SSH, by mlos_bench's own ``SshHostService``.

Used by ``service``. A host that cannot be reached is a failed command, never an exception: an exception would keep
mlos_bench from its teardown.
"""

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError, Future
from datetime import UTC, datetime
from typing import Any

from mlos_bench.environments.status import Status

from benchhost.api.model import to_timestamp
from benchhost.client import ClientError
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.outcome import Result
from benchhost.mlos.ssh_access import PinnedConnection, RemoteError, SshAccess, SshLogin, SshTarget
from benchhost.mlos.ssh_library import SshHostService, asyncssh

_LOG = logging.getLogger(__name__)


class PinnedSshHostService(PinnedConnection, SshHostService):
    """mlos_bench's commands over SSH, for one host."""


class RemoteCommands:
    """Commands on one service's hosts.

    Parameters
    ----------
    access
        Logins to the hosts.
    """

    def __init__(self, access: SshAccess) -> None:
        self._access = access
        self._services: dict[SshTarget, PinnedSshHostService] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_services": {}}

    def close(self) -> None:
        """Close the connections; the next command opens new ones."""
        while self._services:
            _, ssh = self._services.popitem()
            ssh._exit_context(None, None, None)  # noqa: SLF001 - entered by _open, where no mix-in does it

    def execute(self, script: Iterable[str], config: Mapping[str, Any], env_params: Mapping[str, Any]) -> Result:
        """Begin a command; see ``BenchHostService.remote_exec``."""
        try:
            login = self._access.find(config)
        except (RemoteError, ServiceConfigError, ClientError) as error:
            _LOG.error("The command %s is not run: %s", config.get("commandName", ""), error)
            return Status.FAILED, {}
        status, output = self._open(login).remote_exec(script, {}, dict(env_params))
        more = {"target": login.target, "commandName": config.get("commandName", "the command")}
        return status, {**output, **more, "startTimestamp": to_timestamp(datetime.now(UTC))}

    def get_results(self, config: Mapping[str, Any]) -> Result:
        """Wait for a command; see ``BenchHostService.get_remote_exec_results``."""
        target: SshTarget | None = config.get("target")
        ssh = self._services.get(target) if target is not None else None
        if target is None or ssh is None:
            _LOG.error("There is no command to wait for: pass on what remote_exec returned")
            return Status.FAILED, {}
        try:
            status, output = ssh.get_remote_exec_results(dict(config))
        except (OSError, asyncssh.Error, CancelledError, ValueError) as error:
            _LOG.error("%s", self._access.explain(target, error))
            return Status.FAILED, {}
        done = output.pop("ssh_completed_process_result", None)
        code = None if done is None else done.returncode
        if code is None:
            return self._cut_off(target, config)
        if status is not Status.SUCCEEDED:
            tail = " ".join(str(output.get("stderr") or output.get("stdout") or "").split()[-40:])
            _LOG.error("%s: %s ended with exit code %s: %s", target.label, config["commandName"], code, tail)
        times = {"startTimestamp": config.get("startTimestamp"), "endTimestamp": to_timestamp(datetime.now(UTC))}
        return status, {**output, "exitCode": code, **times}

    def _cut_off(self, target: SshTarget, config: Mapping[str, Any]) -> Result:
        """mlos_bench's service swallows why, and calls a command that was cut off an ended one."""
        future = config.get("asyncRemoteExecResultsFuture")
        is_done = isinstance(future, Future) and future.done() and not future.cancelled()
        error = future.exception() if is_done and isinstance(future, Future) else None
        if not is_done or isinstance(error, TimeoutError):
            _LOG.error(
                "%s: %s did not end in time (sshCommandTimeout) and is cut off", target.label, config["commandName"]
            )
            return Status.TIMED_OUT, {}
        _LOG.error("%s", self._access.explain(target, error))
        return Status.FAILED, {}

    def _open(self, login: SshLogin) -> PinnedSshHostService:
        """The event loop's thread is opened when it is first needed."""
        if login.target not in self._services:
            ssh = PinnedSshHostService(login)
            ssh._enter_context()  # noqa: SLF001 - no mix-in does it
            self._services[login.target] = ssh
        return self._services[login.target]
