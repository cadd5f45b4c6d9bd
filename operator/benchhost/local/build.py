"""Builds the control plane and keeps it in the user's cache.

Called when nothing better was found, and by `benchhost dev build`. One process builds, another that wants the same
build waits for it. A build appears in its place by one rename when it is complete, so an interrupted one leaves
nothing that could be mistaken for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from typing import IO, TYPE_CHECKING, Final

from benchhost.local.binaries import COMPONENTS
from benchhost.local.build_step import BuildSteps, count_lines
from benchhost.local.cache import build_folder, cached_build
from benchhost.local.errors import BuildError, BuildInterruptedError
from benchhost.local.supervised import SupervisedProcesses
from benchhost.local.toolchain import go_environment, install_go

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchhost.local.cache import GoSource
    from benchhost.local.progress import ProgressReport
    from benchhost.local.source import BuildSource

__all__ = ["build_control_plane"]

EXPECTED: Final = "this happens once and takes about 8 minutes with 2 cores"
"""Measured: 6 min 50 s of compiling with 2 cores, nothing cached."""

_LOCK_PERIOD_SECONDS = 0.5


def build_control_plane(wanted: BuildSource, progress: ProgressReport) -> Path:
    """Make sure that the build is in the cache, and give its folder.

    Raises
    ------
    BuildError
        If a step fails; the message quotes the step's last error and names its log.
    BuildInterruptedError
        If it is interrupted; nothing half-built is left.
    """
    folder = build_folder(wanted.cache, wanted.source)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _one_builder(folder.with_name(f"{folder.name}.lock"), progress) as lock:
            return cached_build(wanted.cache, wanted.source) or _build(wanted, folder, progress, lock=lock)
    except KeyboardInterrupt as error:
        raise BuildInterruptedError("The build was interrupted; run the same command to start it again.") from error
    except OSError as error:
        raise BuildError(
            f"The control plane cannot be kept in {folder.parent} ({error.strerror or error}); "
            "make room there, or name another folder in BENCHHOST_CACHE_DIR."
        ) from error


@contextlib.contextmanager
def _one_builder(lock: Path, progress: ProgressReport) -> Iterator[IO[str]]:
    """Hold the lock of this build; the kernel gives it back when this process and its supervisor have ended."""
    with lock.open("w") as stream:
        if not _try_lock(stream):
            progress.phase("Another process builds the same control plane; waiting for it", total=None)
            while not _try_lock(stream):
                time.sleep(_LOCK_PERIOD_SECONDS)
                progress.advance_to(0)
        yield stream


def _try_lock(stream: IO[str]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _build(wanted: BuildSource, folder: Path, progress: ProgressReport, *, lock: IO[str]) -> Path:
    """Build beside the final place and move there; only ever called under the lock."""
    began = time.monotonic()
    progress.say(f"Building the control plane, Kubernetes {wanted.source.kubernetes_version}; {EXPECTED}.")
    logs = folder.with_name(f"{folder.name}.logs")
    logs.mkdir(exist_ok=True)
    work = folder.with_name(f".{folder.name}.work")
    shutil.rmtree(work, ignore_errors=True)  # of a build that was killed
    work.mkdir()
    try:
        with SupervisedProcesses(logs / "supervisor.log", lock=lock) as processes:
            processes.remove_at_end(work)
            _compile(wanted, work, BuildSteps(processes, progress, logs))
            shutil.rmtree(folder, ignore_errors=True)  # incomplete, else it would have been used
            (work / "result").rename(folder)
    except KeyboardInterrupt:
        shutil.rmtree(logs, ignore_errors=True)  # they tell of nothing that failed
        raise
    shutil.rmtree(logs, ignore_errors=True)
    size = (folder / "controlplane").stat().st_size / 1e6
    progress.say(f"Built in {time.monotonic() - began:.0f} s: {folder} ({size:.0f} MB).")
    return folder


def _compile(wanted: BuildSource, work: Path, steps: BuildSteps) -> None:
    module = work / "module"
    module.mkdir()
    for file in wanted.source.files:
        shutil.copyfile(file, module / file.name)
    go = wanted.go or install_go(module / "go-toolchain.txt", work, steps)
    env = go_environment(private=None if wanted.go else work / "private")
    flags = ["-trimpath", "-ldflags", _linker_flags(wanted.source)]
    steps.progress.phase("Downloading Go modules", total=wanted.source.module_count)
    stale = steps.run(
        "go-list",
        [str(go), "list", "-deps", *flags, "-f", "{{if .Stale}}stale {{.ImportPath}}{{end}}", "."],
        env=env,
        cwd=module,
        count=lambda output: count_lines(output, "go: downloading "),
    )
    steps.progress.phase("Compiling Go packages", total=count_lines(stale, "stale "))
    result = work / "result"
    steps.run(
        "go-build",
        [str(go), "build", "-v", *flags, "-o", str(result / "controlplane"), "."],
        env=env,
        cwd=module,
        count=count_lines,
    )
    for name in COMPONENTS:
        (result / name).symlink_to("controlplane")
    _sync(result / "controlplane")


def _linker_flags(source: GoSource) -> str:
    """Leave out symbol tables, and tell the components their version as the release builds do."""
    major, minor, _ = source.kubernetes_version.removeprefix("v").split(".")
    told = {
        "gitVersion": source.kubernetes_version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{key}={value}" for key, value in told.items())])


def _sync(file: Path) -> None:
    """Write a file through to the disk: a power cut after the rename must not leave an empty binary."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
