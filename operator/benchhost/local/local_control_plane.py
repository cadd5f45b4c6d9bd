"""A control plane of our own on this machine: etcd, kube-apiserver and kube-controller-manager.

Used as a context by the command line, the demo and the tests. Everything listens on loopback, talks TLS with real
certificates, and lives in one folder. All processes end with this one, however it ends (`supervisor`).
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from benchhost.local.components import (
    API_SERVER,
    CONTROLLER_MANAGER,
    ETCD,
    LOOPBACK,
    Ports,
    api_server_command,
    controller_manager_command,
    etcd_command,
)
from benchhost.local.control_plane import ControlPlane, User
from benchhost.local.errors import ComponentDiedError, ControlPlaneError, PortTakenError, StartError
from benchhost.local.instance import Instance
from benchhost.local.instance_folder import InstanceFolder
from benchhost.local.kubeconfig import certificate_user, cluster_entry, write_kubeconfig
from benchhost.local.ports import choose_ports
from benchhost.local.readiness import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchhost.local.binaries import Binaries

__all__ = ["LocalControlPlane"]

START_SECONDS: Final = 60.0
"""For one start; a machine with 2 cores needs 4 s (measured)."""

PORT_ATTEMPTS: Final = 5
"""Starts with new ports, when other processes are quicker to bind them."""

_WITHOUT_CONTROLLER_MANAGER: Final = (
    "There is no kube-controller-manager: deleted namespaces stay in Terminating, nothing is garbage collected, "
    "and namespaces get no default ServiceAccount."
)


class LocalControlPlane(ControlPlane):
    """An instance of our own.

    Parameters
    ----------
    binaries
        What to run.
    directory
        The folder of the instance: empty, new, or of an instance that has ended. None: a temporary one.
    start_seconds
        How long a start may take.
    choose_ports
        Chooses ports that are free; asked again when another process took one of them.
    """

    def __init__(
        self,
        binaries: Binaries,
        *,
        directory: Path | None = None,
        start_seconds: float = START_SECONDS,
        choose_ports: Callable[[], Ports] = choose_ports,
    ) -> None:
        self._binaries = binaries
        self._wanted_directory = directory
        self._start_seconds = start_seconds
        self._choose_ports = choose_ports
        self._running: Instance | None = None

    @property
    def directory(self) -> Path:
        """The folder of this instance."""
        return self._instance.folder.path

    @property
    def kubectl(self) -> Path:
        """The kubectl that came with the other binaries."""
        return self._binaries.kubectl

    @property
    def processes(self) -> Mapping[str, int]:
        """The components' processes by name, and their supervisor's."""
        if self._running is None:
            return {}
        return {**self._running.processes.pids, "supervisor": self._running.processes.pid}

    @property
    def limits(self) -> tuple[str, ...]:
        """What is missing without a controller manager."""
        if self._binaries.kube_controller_manager is not None:
            return ()
        return (_WITHOUT_CONTROLLER_MANAGER,)

    def start(self) -> None:
        """Start the components, and wait until all answer and the namespace `default` is there.

        Raises
        ------
        StartError
            If a component does not come up; says which one, why, and where its log is.
        InstanceError
            If the folder cannot be used.
        """
        if self._running is not None:
            raise StartError(f"This control plane runs already, in {self.directory}.")
        self._running = Instance(InstanceFolder.open(self._wanted_directory))
        try:
            self._bring_up()
        except OSError as error:
            self._end(keep_logs=True)
            raise StartError(f"The control plane did not start: {error}.") from error
        except ControlPlaneError:
            self._end(keep_logs=True)
            raise
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """End the components in reverse order, and delete the folder's content."""
        self._end()

    def restart_api_server(self) -> None:
        """Stop the API server and start it again on the same port; the others stay as they are.

        Raises
        ------
        StartError
            If it does not come up again.
        """
        self._instance.processes.stop(API_SERVER)
        self._start_api_server(time.monotonic() + self._start_seconds)

    def wait_for_failure(self, seconds: float) -> str | None:
        """Wait for a component that ends by itself."""
        name = self._instance.processes.wait_for_exit(seconds)
        return None if name is None else f"{self._instance.describe_end(name)}."

    @property
    def _instance(self) -> Instance:
        if self._running is None:
            raise ComponentDiedError("This control plane does not run; start it first.")
        return self._running

    def _bring_up(self) -> None:
        self._instance.make_certificates()
        for _ in range(PORT_ATTEMPTS):
            self._instance.ports = self._choose_ports()
            try:
                self._start_components(time.monotonic() + self._start_seconds)
            except PortTakenError:
                self._instance.clear()
                continue
            return
        raise StartError(f"Other processes took the chosen ports {PORT_ATTEMPTS} times in a row; start again.")

    def _start_components(self, deadline: float) -> None:
        instance = self._instance
        data = instance.folder.path / "etcd"
        instance.run(ETCD, etcd_command(self._binaries, data, instance.ports, certificates=instance.certificates))
        instance.wait(Endpoint(ETCD, instance.ports.etcd, "/health"), deadline)
        self._start_api_server(deadline)
        self._write_kubeconfigs()
        self._start_controller_manager(deadline)

    def _start_api_server(self, deadline: float) -> None:
        instance = self._instance
        command = api_server_command(self._binaries, instance.ports, certificates=instance.certificates)
        instance.run(API_SERVER, command)
        for path in ("/readyz", "/api/v1/namespaces/default"):
            instance.wait(Endpoint(API_SERVER, instance.ports.api_server, path), deadline)

    def _start_controller_manager(self, deadline: float) -> None:
        executable = self._binaries.kube_controller_manager
        if executable is None:
            return
        instance = self._instance
        command = controller_manager_command(
            executable, self._manager_kubeconfig, instance.ports, certificates=instance.certificates
        )
        instance.run(CONTROLLER_MANAGER, command)
        instance.wait(Endpoint(CONTROLLER_MANAGER, instance.ports.controller_manager, "/healthz"), deadline)
        # Pods need the default ServiceAccount, and when it is there the controllers do run.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        instance.wait(Endpoint(API_SERVER, instance.ports.api_server, account), deadline)

    def _write_kubeconfigs(self) -> None:
        ports, certificates = self._instance.ports, self._instance.certificates
        server = f"https://{LOOPBACK}:{ports.api_server}"
        cluster = cluster_entry(server, certificates.cluster.certificate)
        manager = certificate_user(certificates.controller_manager)
        write_kubeconfig(self._manager_kubeconfig, cluster, user=manager)
        write_kubeconfig(self.kubeconfig, cluster, user=certificate_user(certificates.admin))

    @property
    def _manager_kubeconfig(self) -> Path:
        return self.directory / "pki" / "kube-controller-manager.kubeconfig"

    def _kubeconfig_for_user(self, user: User) -> Path:
        """Write a kubeconfig with a client certificate of our own authority."""
        authority = self._instance.certificates.cluster
        credential = authority.issue_client(f"user-{secrets.token_hex(4)}", user.name, user.groups)
        return self._write_kubeconfig_for(user, certificate_user(credential), "default")

    def _end(self, *, keep_logs: bool = False) -> None:
        if self._running is None:
            return
        running, self._running = self._running, None
        running.end(keep_logs=keep_logs)
