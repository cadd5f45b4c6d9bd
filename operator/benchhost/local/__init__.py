"""A local control plane: find one or build one, start it, use it, stop it.

Used by `benchhost dev`, by the demo and by the tests. It knows Kubernetes and nothing of BenchHost itself, and must
never touch a cluster that the user did not name. Needs the extra `local` (cryptography); POSIX systems only.
"""

from __future__ import annotations

from benchhost.local.binaries import Binaries
from benchhost.local.build import build_control_plane
from benchhost.local.control_plane import ControlPlane, Identity, ServiceAccount, User
from benchhost.local.errors import (
    AccessError,
    BuildError,
    BuildInterruptedError,
    ComponentDiedError,
    ControlPlaneError,
    DiscoveryError,
    InstanceError,
    StartError,
    UnsupportedOperationError,
)
from benchhost.local.find import find_build, find_control_plane
from benchhost.local.instance_folder import stop_instance
from benchhost.local.local_control_plane import LocalControlPlane
from benchhost.local.opening import open_control_plane
from benchhost.local.progress import show_progress
from benchhost.local.source import (
    AssetsSource,
    BuildSource,
    CachedSource,
    ControlPlaneSource,
    KindSource,
    NamedClusterSource,
)

__all__ = [
    "AccessError",
    "AssetsSource",
    "Binaries",
    "BuildError",
    "BuildInterruptedError",
    "BuildSource",
    "CachedSource",
    "ComponentDiedError",
    "ControlPlane",
    "ControlPlaneError",
    "ControlPlaneSource",
    "DiscoveryError",
    "Identity",
    "InstanceError",
    "KindSource",
    "LocalControlPlane",
    "NamedClusterSource",
    "ServiceAccount",
    "StartError",
    "UnsupportedOperationError",
    "User",
    "build_control_plane",
    "find_build",
    "find_control_plane",
    "open_control_plane",
    "show_progress",
    "stop_instance",
]
