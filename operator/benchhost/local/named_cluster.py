"""A cluster that the user named, behind the interface of a control plane.

It is used as it is: nothing is started, stopped or restarted. It is only ever reached by what the user named;
kubectl's current context is not looked at unless the user named the file that holds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchhost.local.cache import cache_folder, cached_build, find_go_source
from benchhost.local.control_plane import ControlPlane
from benchhost.local.errors import AccessError, DiscoveryError
from benchhost.local.instance_folder import InstanceFolder
from benchhost.local.kubeconfig import replace_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.local.source import NamedClusterSource

__all__ = ["NamedCluster", "find_kubectl"]

_KUBECTL_SECONDS = 30.0


class NamedCluster(ControlPlane):
    """A cluster of somebody else.

    Parameters
    ----------
    source
        What the user named.
    directory
        Where the kubeconfig of this use is written; a temporary folder by default.
    """

    def __init__(self, source: NamedClusterSource, *, directory: Path | None = None) -> None:
        self._source = source
        self._wanted_directory = directory
        self._kubectl: Path | None = None
        self._folder: InstanceFolder | None = None

    @property
    def directory(self) -> Path:
        """The folder of this use."""
        if self._folder is None:
            raise DiscoveryError(f"{self._source} is not in use; start it first.")
        return self._folder.path

    @property
    def kubectl(self) -> Path:
        """The kubectl on PATH, else that of a cached build."""
        if self._kubectl is None:
            self._kubectl = find_kubectl(os.environ)
        return self._kubectl

    def start(self) -> None:
        """Take the named context out of its file, and see that the cluster answers.

        Raises
        ------
        DiscoveryError
            If there is no such context, or the cluster does not answer.
        """
        taken = self._take_context()
        self._folder = InstanceFolder.open(self._wanted_directory)
        try:
            replace_private(self.kubeconfig, taken.encode())
            self.run_kubectl("get", "--raw=/readyz", "--request-timeout=10s")
        except AccessError as error:
            self.stop()
            raise DiscoveryError(f"{self._describe()} does not answer: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Delete the kubeconfig of this use; the cluster is not touched."""
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.discard()

    def _take_context(self) -> str:
        command = [str(self.kubectl), "config", "view", "--raw", "--minify", "--flatten"]
        if self._source.kubeconfig is not None:
            command.append(f"--kubeconfig={self._source.kubeconfig}")
        if self._source.context is not None:
            command.append(f"--context={self._source.context}")
        try:
            done = subprocess.run(  # noqa: S603 - our kubectl
                command, capture_output=True, text=True, timeout=_KUBECTL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DiscoveryError(f"{self.kubectl} did not work: {error}.") from error
        if done.returncode != 0:
            raise DiscoveryError(
                f"{self._describe()} cannot be used: {done.stderr.strip()}; "
                "see `kubectl config get-contexts` for what there is."
            )
        return done.stdout

    def _describe(self) -> str:
        text = str(self._source)
        return text[0].upper() + text[1:]


def find_kubectl(environ: Mapping[str, str]) -> Path:
    """Find a kubectl: the user's own, else that of a build in the cache.

    Raises
    ------
    DiscoveryError
        If there is none.
    """
    if own := shutil.which("kubectl", path=environ.get("PATH")):
        return Path(own).absolute()
    source = find_go_source()
    with contextlib.suppress(OSError):
        if source is not None and (folder := cached_build(cache_folder(environ), source)) is not None:
            return folder / "kubectl"
    raise DiscoveryError("There is no kubectl; install it, or run `benchhost dev build`, which makes one.")
