"""Turns a source into a control plane that can be started. The way in for the command line and the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.local.binaries import Binaries
from benchhost.local.build import build_control_plane
from benchhost.local.kind_cluster import KindCluster
from benchhost.local.local_control_plane import LocalControlPlane
from benchhost.local.named_cluster import NamedCluster
from benchhost.local.progress import show_progress
from benchhost.local.source import (
    AssetsSource,
    BuildSource,
    CachedSource,
    ControlPlaneSource,
    KindSource,
    NamedClusterSource,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from benchhost.local.control_plane import ControlPlane

__all__ = ["open_control_plane"]


def open_control_plane(source: ControlPlaneSource, console: Console, *, directory: Path | None = None) -> ControlPlane:
    """Give the control plane of a source, not started yet; builds it first where it has to be.

    Parameters
    ----------
    console
        Where the progress of a build is shown.
    directory
        The folder of the instance; a temporary one by default.

    Raises
    ------
    ControlPlaneError
        If the binaries are incomplete or the build fails.
    """
    match source:
        case NamedClusterSource():
            return NamedCluster(source, directory=directory)
        case KindSource():
            return KindCluster(source, directory=directory)
        case AssetsSource(folder=folder) | CachedSource(folder=folder):
            return LocalControlPlane(Binaries.from_folder(folder), directory=directory)
        case BuildSource():
            with show_progress(console) as progress:
                folder = build_control_plane(source, progress)
            return LocalControlPlane(Binaries.from_folder(folder), directory=directory)
