"""What every control plane here can do, whoever runs it.

The command line, the demo and the tests only know this interface; behind it is an instance of our own
(`LocalControlPlane`), a kind cluster or a cluster that the user named.
"""

from __future__ import annotations

import abc
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import yaml

from benchhost.local.errors import AccessError, UnsupportedOperationError
from benchhost.local.kubeconfig import token_user, write_kubeconfig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

__all__ = ["ControlPlane", "Identity", "ServiceAccount", "User"]

TOKEN_LIFETIME: Final = "8h"  # noqa: S105 - a duration
"""Of a ServiceAccount's token: a working day; API servers grant up to 48 h by default."""

_KUBECTL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A ServiceAccount, shown by a token of the TokenRequest API."""

    name: str
    namespace: str = "default"

    def __str__(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"


@dataclass(frozen=True, slots=True)
class User:
    """A user and groups, shown by a client certificate (CN and O)."""

    name: str
    groups: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


Identity = ServiceAccount | User


class ControlPlane(abc.ABC):
    """A control plane, as a context: it runs inside, and afterwards what was started is gone."""

    @property
    @abc.abstractmethod
    def directory(self) -> Path:
        """The folder of this instance: kubeconfig files, logs."""

    @property
    @abc.abstractmethod
    def kubectl(self) -> Path:
        """A kubectl that fits."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig: one context, credentials inside, readable by its owner only."""
        return self.directory / "kubeconfig"

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return str(self._cluster()["server"])

    @property
    def processes(self) -> Mapping[str, int]:
        """The processes that were started, by component; empty if somebody else runs them."""
        return {}

    @property
    def limits(self) -> tuple[str, ...]:
        """What does not work on this one, a sentence each."""
        return ()

    @abc.abstractmethod
    def start(self) -> None:
        """Start it and wait until it can be used.

        Raises
        ------
        ControlPlaneError
            If it cannot; what was started for it has ended then.
        """

    @abc.abstractmethod
    def stop(self) -> None:
        """End what `start` started. Stopping twice is fine."""

    def restart_api_server(self) -> None:
        """Stop the API server and start it again at the same address, as an upgrade does.

        Raises
        ------
        UnsupportedOperationError
            If somebody else runs it.
        """
        raise UnsupportedOperationError(
            f"The API server at {self.server} was not started by BenchHost, so it is not restarted either."
        )

    def wait_for_failure(self, seconds: float) -> str | None:
        """Wait for a component that ends by itself, and tell of it in a sentence; None if none did."""
        time.sleep(seconds)  # nothing of ours can end, so only the time passes
        return None

    def kubeconfig_for(self, identity: Identity) -> Path:
        """Write a kubeconfig for somebody else than the administrator, to be bound by his RBAC.

        A ServiceAccount must exist; its token is valid for 8 h.

        Raises
        ------
        AccessError
            If the credentials cannot be made.
        """
        if isinstance(identity, User):
            return self._kubeconfig_for_user(identity)
        token = self.run_kubectl(
            "create", "token", identity.name, f"--namespace={identity.namespace}", f"--duration={TOKEN_LIFETIME}"
        )
        return self._write_kubeconfig_for(identity, token_user(token.strip()), identity.namespace)

    def run_kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and give what it prints.

        Raises
        ------
        AccessError
            If it fails; with kubectl's own words.
        """
        cache = self.directory / "kubectl-cache"  # not in the user's home
        command = [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={cache}", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our kubectl
                command, input=stdin or "", capture_output=True, text=True, timeout=_KUBECTL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AccessError(f"{self.kubectl} {arguments[0]} did not work: {error}.") from error
        if done.returncode != 0:
            raise AccessError(f"kubectl {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    def _kubeconfig_for_user(self, user: User) -> Path:
        raise AccessError(
            f"No client certificate for {user} can be issued: the authority of {self.server} is not ours; "
            "use a ServiceAccount."
        )

    def _write_kubeconfig_for(self, identity: Identity, user: dict[str, str], namespace: str) -> Path:
        folder = self.directory / "kubeconfigs"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / re.sub(r"[^A-Za-z0-9.-]", "-", str(identity))
        return write_kubeconfig(file, self._cluster(), user=user, name=file.name, namespace=namespace)

    def _cluster(self) -> dict[str, str]:
        """Give the cluster's entry of the administrator's kubeconfig, which has exactly one."""
        cluster: dict[str, str] = yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]
        return cluster
