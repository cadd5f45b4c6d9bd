"""What exists of a local control plane between its start and its stop, and why a component of it failed.

Used by `LocalControlPlane` only, which decides what is started in which order.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from benchhost.local import certificates
from benchhost.local.components import API_SERVER, CONTROLLER_MANAGER, ETCD, Ports
from benchhost.local.errors import PortTakenError, StartError
from benchhost.local.log_tail import last_meaningful_line, mentions_taken_port
from benchhost.local.readiness import Endpoint, Probe, wait_until_ready
from benchhost.local.supervised import SupervisedProcesses

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchhost.local.instance_folder import InstanceFolder

__all__ = ["Instance"]

_COMPONENTS = (ETCD, API_SERVER, CONTROLLER_MANAGER)
"""In the order of blame: when etcd ends, the others end because of it."""

_API_SERVER_GRACE_SECONDS = 2.0
"""It answers what it has begun in far less, but waits up to a minute for clients to give up their watches."""


class Instance:
    """Folder, processes, ports and certificates of one control plane.

    Parameters
    ----------
    folder
        Locked for this process; given back by `end`.
    """

    def __init__(self, folder: InstanceFolder) -> None:
        self.folder = folder
        self.ports = Ports(etcd=0, api_server=0, controller_manager=0)
        self.processes = SupervisedProcesses(folder.logs / "supervisor.log", lock=folder.cleaning_lock)
        self.certificates: certificates.InstanceCertificates
        self._probes: dict[str, Probe]

    def make_certificates(self) -> None:
        """Make the certificates; from now on the end deletes the files of this instance."""
        for path in self.folder.doomed:
            self.processes.remove_at_end(path)
        made = self.certificates = certificates.make_certificates(self.folder.path / "pki")
        cluster = Probe(made.cluster.certificate, made.admin)
        etcd = Probe(made.etcd_authority.certificate, made.etcd_client)
        self._probes = {ETCD: etcd, API_SERVER: cluster, CONTROLLER_MANAGER: cluster}

    def log(self, component: str) -> Path:
        """Name the log of a component."""
        return self.folder.logs / f"{component}.log"

    def run(self, component: str, command: Sequence[str]) -> None:
        """Start a component."""
        grace = _API_SERVER_GRACE_SECONDS if component == API_SERVER else None
        self.processes.start(component, command, log=self.log(component), grace=grace)

    def wait(self, endpoint: Endpoint, deadline: float) -> None:
        """Wait until a component answers.

        Raises
        ------
        PortTakenError
            If a component ended because another process has its port.
        StartError
            If a component ended for another reason, or the deadline (of `time.monotonic`) passed.
        """
        probe = self._probes[endpoint.component]
        if wait_until_ready(probe, endpoint, deadline=deadline, watch=self.processes.wait_for_exit):
            return
        dead = next((name for name in _COMPONENTS if self.processes.exit_code(name) is not None), None)
        if dead is None:
            raise StartError(f"The control plane did not start: {self._describe_silence(endpoint)}.")
        kind = PortTakenError if mentions_taken_port(self.log(dead)) else StartError
        raise kind(f"The control plane did not start: {self.describe_end(dead)}.")

    def describe_end(self, component: str) -> str:
        """Say that a component ended, why, and where more can be read; without a full stop."""
        code = self.processes.exit_code(component)
        how = f"ended with exit code {code}" if code is None or code >= 0 else f"was ended by signal {-code}"
        return f"{component} {how}, its last word: {self._last_word(component)}"

    def _describe_silence(self, endpoint: Endpoint) -> str:
        said = self._last_word(endpoint.component)
        return f"{endpoint.component} did not answer {endpoint.path} in time, its last word: {said}"

    def _last_word(self, component: str) -> str:
        log = self.log(component)
        return f"{last_meaningful_line(log) or 'none'} (log: {log})"

    def clear(self) -> None:
        """Stop the components and forget what they wrote, before another attempt."""
        for component in reversed(_COMPONENTS):
            self.processes.stop(component)
            self.log(component).unlink(missing_ok=True)
        self.folder.remove_data()

    def end(self, *, keep_logs: bool) -> None:
        """Stop everything in reverse order, delete the files (or all but the logs), give the folder back."""
        if keep_logs:
            with contextlib.suppress(StartError):  # the supervisor itself may be what has ended
                self.processes.keep_files()
        try:
            self.processes.close()
            if keep_logs:
                self.folder.remove_entries(but_logs=True)
            else:
                self.folder.discard()  # the supervisor has done it, unless it was killed
        finally:
            self.folder.close()
