"""A cluster in containers, made by kind for this use and deleted after it.

Used where a container engine answers and nothing better was found. Its name is new each time, so that no cluster
of the user is ever touched; the supervisor deletes it, also after a crash of this process.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from benchhost.local.control_plane import ControlPlane
from benchhost.local.errors import DiscoveryError, StartError
from benchhost.local.instance_folder import InstanceFolder
from benchhost.local.log_tail import last_meaningful_line
from benchhost.local.named_cluster import find_kubectl
from benchhost.local.supervised import SupervisedProcesses

if TYPE_CHECKING:
    from pathlib import Path

    from benchhost.local.source import KindSource

__all__ = ["KindCluster"]

_CREATE_SECONDS = 600.0
"""The image of the node, about 1 GB, may have to be downloaded first."""


class KindCluster(ControlPlane):
    """A kind cluster of this use.

    Parameters
    ----------
    source
        kind and the engine that it drives.
    directory
        The folder of this use; a temporary one by default.
    """

    def __init__(self, source: KindSource, *, directory: Path | None = None) -> None:
        self._source = source
        self._wanted_directory = directory
        self._name = f"benchhost-{secrets.token_hex(4)}"
        self._running: tuple[InstanceFolder, SupervisedProcesses] | None = None

    @property
    def directory(self) -> Path:
        """The folder of this use."""
        if self._running is None:
            raise DiscoveryError("The kind cluster is not in use; start it first.")
        return self._running[0].path

    @property
    def kubectl(self) -> Path:
        """The kubectl on PATH, else that of a cached build."""
        return find_kubectl(os.environ)

    def start(self) -> None:
        """Create the cluster and wait until it is ready.

        Raises
        ------
        StartError
            If kind fails; with its last word and its log.
        """
        _ = self.kubectl  # without one, fail before minutes are spent
        folder = InstanceFolder.open(self._wanted_directory)
        processes = SupervisedProcesses(folder.logs / "supervisor.log", lock=folder.cleaning_lock)
        self._running = folder, processes
        try:
            self._create(folder, processes)
        except StartError:
            self._end(keep_logs=True)
            raise
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Delete the cluster."""
        self._end()

    def _create(self, folder: InstanceFolder, processes: SupervisedProcesses) -> None:
        for path in folder.doomed:
            processes.remove_at_end(path)
        kind = ["env", f"KIND_EXPERIMENTAL_PROVIDER={self._source.engine}", str(self._source.kind)]
        cluster = ["cluster", f"--name={self._name}", f"--kubeconfig={self.kubeconfig}"]
        processes.run_at_end([*kind, "delete", *cluster])
        log = folder.logs / "kind.log"
        processes.start("kind", [*kind, "create", *cluster, "--wait=120s"], log=log)
        if processes.wait_for_exit(_CREATE_SECONDS) is None:
            raise StartError(f"kind did not create a cluster within {_CREATE_SECONDS:.0f} s (log: {log}).")
        if (code := processes.exit_code("kind")) != 0:
            why = last_meaningful_line(log) or "it wrote nothing"
            raise StartError(f"kind did not create a cluster (exit code {code}): {why} (log: {log}).")

    def _end(self, *, keep_logs: bool = False) -> None:
        if self._running is None:
            return
        (folder, processes), self._running = self._running, None
        try:
            if keep_logs:
                processes.keep_files()
            processes.close()
            if keep_logs:
                folder.remove_entries(but_logs=True)
        finally:
            folder.close()
