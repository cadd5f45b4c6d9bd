"""Where a control plane comes from: the possible sources, and the pure decision between them.

`decide_source` looks at nothing itself; `benchhost.local.find` fills the `Observation` step by step and asks again
after each step, so that nothing slow is looked at while something better is known already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchhost.local.binaries import OPTIONAL_COMPONENTS, REQUIRED_COMPONENTS
from benchhost.local.cache import GoSource
from benchhost.local.errors import DiscoveryError

__all__ = [
    "AssetsSource",
    "BuildSource",
    "CachedSource",
    "ControlPlaneSource",
    "KindSource",
    "NamedClusterSource",
    "Observation",
    "decide_source",
]


@dataclass(frozen=True, slots=True)
class NamedClusterSource:
    """A cluster that the user named. It is used as it is, never started or stopped."""

    kubeconfig: Path | None
    context: str | None

    def __str__(self) -> str:
        parts = []
        if self.context is not None:
            parts.append(f"context {self.context}")
        if self.kubeconfig is not None:
            parts.append(f"kubeconfig {self.kubeconfig}")
        return "the cluster of " + " of ".join(parts)


@dataclass(frozen=True, slots=True)
class AssetsSource:
    """Binaries in the folder that KUBEBUILDER_ASSETS names."""

    folder: Path
    missing: tuple[str, ...] = ()
    """Optional components that are not there."""

    def __str__(self) -> str:
        return f"the binaries in {self.folder} (KUBEBUILDER_ASSETS)"


@dataclass(frozen=True, slots=True)
class CachedSource:
    """A build of our own from an earlier time."""

    folder: Path

    def __str__(self) -> str:
        return f"the cached build in {self.folder}"


@dataclass(frozen=True, slots=True)
class KindSource:
    """A cluster in containers, made by kind."""

    kind: Path
    engine: str
    """The container engine that answers: docker or podman."""

    def __str__(self) -> str:
        return f"a new kind cluster in {self.engine}"


@dataclass(frozen=True, slots=True)
class BuildSource:
    """A build that has to be made first."""

    source: GoSource
    cache: Path
    go: Path | None
    """The machine's Go; None: the pinned toolchain from a Python package."""

    def __str__(self) -> str:
        with_what = f"Go at {self.go}" if self.go else "a Go toolchain from a Python package"
        return f"a new build of Kubernetes {self.source.kubernetes_version} with {with_what}"


ControlPlaneSource = NamedClusterSource | AssetsSource | CachedSource | KindSource | BuildSource


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known so far. None everywhere: not looked at yet, or not there."""

    kubeconfig: Path | None = None
    context: str | None = None
    assets: Path | None = None
    """The value of KUBEBUILDER_ASSETS."""
    assets_executables: frozenset[str] = field(default_factory=frozenset)
    cached: Path | None = None
    kind: Path | None = None
    engine: str | None = None
    buildable: BuildSource | None = None


def decide_source(seen: Observation) -> ControlPlaneSource | None:
    """Choose the best source of those that were seen, or None while nothing usable was.

    The order: what the user named, what the environment names, what is there already, what is quick to make,
    what can always be made.

    Raises
    ------
    DiscoveryError
        If KUBEBUILDER_ASSETS is set and its folder cannot be used: a wish that is spoken is not passed over.
    """
    if seen.kubeconfig is not None or seen.context is not None:
        return NamedClusterSource(seen.kubeconfig, seen.context)
    if seen.assets is not None:
        return _decide_assets(seen.assets, seen.assets_executables)
    if seen.cached is not None:
        return CachedSource(seen.cached)
    if seen.kind is not None and seen.engine is not None:
        return KindSource(seen.kind, seen.engine)
    return seen.buildable


def _decide_assets(folder: Path, executables: frozenset[str]) -> AssetsSource:
    absent = [name for name in REQUIRED_COMPONENTS if name not in executables]
    if absent:
        raise DiscoveryError(
            f"KUBEBUILDER_ASSETS names {folder}, which holds no {' and no '.join(absent)}; "
            "put the executables there, or unset KUBEBUILDER_ASSETS."
        )
    return AssetsSource(folder, tuple(name for name in OPTIONAL_COMPONENTS if name not in executables))
