"""Looks for a control plane on this machine.

Called by the command line and by the test suite. It looks in the order of `decide_source` and stops at the first
thing that can be used. It must never fall back to a kubeconfig's current context: only a cluster that the user
names may be written to.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchhost.local.binaries import list_executables
from benchhost.local.cache import GoSource, cache_folder, cached_build, find_go_source
from benchhost.local.errors import DiscoveryError
from benchhost.local.source import BuildSource, ControlPlaneSource, Observation, decide_source

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["find_build", "find_control_plane"]

ENGINES: Final = ("docker", "podman")
"""The container engines that kind drives, in its own order of preference."""

_ENGINE_SECONDS = 10.0
"""`docker info` answers within 1 s where it works; a daemon that hangs must not hang us."""

_GO_SECONDS = 10.0


def find_control_plane(
    *, kubeconfig: Path | None = None, context: str | None = None, environ: Mapping[str, str] | None = None
) -> ControlPlaneSource:
    """Find the control plane to use.

    Parameters
    ----------
    kubeconfig
        A kubeconfig file that the user named. Its current context counts unless `context` is given too.
    context
        A context that the user named, of `kubeconfig` or of kubectl's own configuration.
    environ
        The environment variables; those of this process by default.

    Raises
    ------
    DiscoveryError
        If nothing can be used and nothing can be built.
    """
    environ = os.environ if environ is None else environ
    source = find_go_source()
    seen = Observation(kubeconfig=kubeconfig, context=context)
    for look in (_look_at_assets, _look_at_cache, _look_at_kind, _look_at_go):
        if (decision := decide_source(seen)) is not None:
            return decision
        seen = look(seen, source, environ)
    if (decision := decide_source(seen)) is not None:
        return decision
    raise DiscoveryError(
        "No control plane was found and the sources to build one are missing; install BenchHost again, "
        "or name a cluster with --context."
    )


def find_build(environ: Mapping[str, str] | None = None) -> BuildSource | Path:
    """Find the cached build, or what is needed to make it, whatever else this machine offers.

    Raises
    ------
    DiscoveryError
        If the sources are not there.
    """
    environ = os.environ if environ is None else environ
    source = find_go_source()
    if source is None:
        raise DiscoveryError("The sources of the control plane are missing; install BenchHost again.")
    cache = cache_folder(environ)
    return cached_build(cache, source) or BuildSource(source, cache, find_go(source, environ))


def _look_at_assets(seen: Observation, _: GoSource | None, environ: Mapping[str, str]) -> Observation:
    if not (value := environ.get("KUBEBUILDER_ASSETS")):
        return seen
    folder = Path(value).expanduser().absolute()
    return dataclasses.replace(seen, assets=folder, assets_executables=list_executables(folder))


def _look_at_cache(seen: Observation, source: GoSource | None, environ: Mapping[str, str]) -> Observation:
    if source is None:
        return seen
    return dataclasses.replace(seen, cached=cached_build(cache_folder(environ), source))


def _look_at_kind(seen: Observation, _: GoSource | None, environ: Mapping[str, str]) -> Observation:
    kind = shutil.which("kind", path=environ.get("PATH"))
    if kind is None:
        return seen
    return dataclasses.replace(seen, kind=Path(kind).absolute(), engine=find_engine(environ))


def _look_at_go(seen: Observation, source: GoSource | None, environ: Mapping[str, str]) -> Observation:
    if source is None:
        return seen
    buildable = BuildSource(source, cache_folder(environ), find_go(source, environ))
    return dataclasses.replace(seen, buildable=buildable)


def find_engine(environ: Mapping[str, str]) -> str | None:
    """Name the container engine that really answers; an installed client without its daemon does not count."""
    for engine in ENGINES:
        command = shutil.which(engine, path=environ.get("PATH"))
        if command is not None and _answers([command, "info"], _ENGINE_SECONDS, environ) is not None:
            return engine
    return None


def find_go(source: GoSource, environ: Mapping[str, str]) -> Path | None:
    """Give the machine's Go, if it is new enough for these sources."""
    command = shutil.which("go", path=environ.get("PATH"))
    if command is None:
        return None
    # GOTOOLCHAIN=local: the version that is installed, not one that it would download.
    printed = _answers([command, "env", "GOVERSION"], _GO_SECONDS, {**environ, "GOTOOLCHAIN": "local"})
    version = parse_go_version(printed or "")
    return Path(command).absolute() if version is not None and version >= source.go_version else None


def parse_go_version(printed: str) -> tuple[int, ...] | None:
    """Read `go1.26.8`; None for what is no release (`devel …`) or a preview of one (`go1.27rc1`)."""
    match = re.fullmatch(r"go(\d+)\.(\d+)(?:\.(\d+))?(?:[ -].*)?", printed.strip())
    return None if match is None else tuple(int(part or 0) for part in match.groups())


def _answers(argv: list[str], seconds: float, environ: Mapping[str, str]) -> str | None:
    """Run a command and give what it prints, or None if it fails, hangs or cannot be run."""
    try:
        done = subprocess.run(  # noqa: S603 - commands found on the user's PATH
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
