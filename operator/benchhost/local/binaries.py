"""The executables that a control plane is started from, wherever they come from.

A folder of downloaded release binaries (`KUBEBUILDER_ASSETS`) and a build of our own look the same: one file or
link for each component. Used by discovery, by the build and by `LocalControlPlane`; it starts nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchhost.local.errors import DiscoveryError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMPONENTS", "OPTIONAL_COMPONENTS", "REQUIRED_COMPONENTS", "Binaries", "list_executables"]

REQUIRED_COMPONENTS: Final = ("etcd", "kube-apiserver", "kubectl")
"""Without one of these there is no control plane."""

OPTIONAL_COMPONENTS: Final = ("kube-controller-manager",)
"""Kubernetes' own archives of test binaries come without these."""

COMPONENTS: Final = REQUIRED_COMPONENTS + OPTIONAL_COMPONENTS


@dataclass(frozen=True, slots=True)
class Binaries:
    """One executable for each component."""

    etcd: Path
    kube_apiserver: Path
    kubectl: Path
    kube_controller_manager: Path | None = None
    """Absent: namespaces stay in Terminating, nothing is garbage collected, no default ServiceAccounts."""

    @classmethod
    def from_folder(cls, folder: Path) -> Binaries:
        """Take the executables of a folder.

        Raises
        ------
        DiscoveryError
            If one that is required is not there.
        """
        found = list_executables(folder)
        missing = [name for name in REQUIRED_COMPONENTS if name not in found]
        if missing:
            raise DiscoveryError(f"{folder} holds no {' and no '.join(missing)}; put the executables there.")
        manager = folder / "kube-controller-manager"
        return cls(
            etcd=folder / "etcd",
            kube_apiserver=folder / "kube-apiserver",
            kubectl=folder / "kubectl",
            kube_controller_manager=manager if manager.name in found else None,
        )


def list_executables(folder: Path) -> frozenset[str]:
    """Name the components whose executable lies in the folder; an absent folder holds none."""
    return frozenset(name for name in COMPONENTS if (folder / name).is_file() and os.access(folder / name, os.X_OK))
