"""The folder of one instance, and the locks that say which process it belongs to.

Used by every kind of control plane, and by `benchhost dev down`, which stops an instance from elsewhere. The
owner's lock is held for as long as the owner lives and the kernel gives it back, so a process id is only believed
while that lock is taken: a number that was given to another process in the meantime is never signalled. The
cleaning lock is shared with the supervisor: nobody uses the folder again before an earlier instance is gone wholly.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import IO, Final, Self

from benchhost.local.errors import InstanceError

__all__ = ["InstanceFolder", "stop_instance"]

_LOCK_NAME: Final = "instance.lock"
_CLEANING_LOCK_NAME: Final = "cleaning.lock"
_OWN_ENTRIES: Final = ("etcd", "pki", "kubeconfig", "kubeconfigs", "kubectl-cache", "logs")
_KEPT_ENTRIES: Final = ("logs",)
"""In a folder that the user named, these stay after the end."""

_STOP_SECONDS: Final = 60.0
"""Three components with 5 s of grace each, and a kind cluster to delete."""

_PERIOD_SECONDS: Final = 0.05


class InstanceFolder:
    """A folder that is locked for this process."""

    def __init__(self, path: Path, *, temporary: bool) -> None:
        self.path = path
        self._temporary = temporary
        self._lock = _lock(path)
        self.cleaning_lock = (path / _CLEANING_LOCK_NAME).open("a")
        """For the supervisor to inherit."""
        _wait_for_lock(self.cleaning_lock, path)

    @classmethod
    def open(cls, directory: Path | None) -> Self:
        """Make a temporary folder, or take the one that the user named, with nothing of an earlier time in it.

        Raises
        ------
        InstanceError
            If an instance runs there, or there is something else in it.
        """
        try:
            path = Path(tempfile.mkdtemp(prefix="benchhost-")) if directory is None else _take(directory)
            folder = cls(path, temporary=directory is None)
            folder.remove_entries()
            folder.logs.mkdir()
        except OSError as error:
            raise InstanceError(f"{directory or tempfile.gettempdir()} cannot be used: {error.strerror}.") from error
        return folder

    @property
    def logs(self) -> Path:
        """Where each component writes its log."""
        return self.path / "logs"

    @property
    def doomed(self) -> tuple[Path, ...]:
        """What is to be deleted at the end."""
        if self._temporary:
            return (self.path,)
        return tuple(self.path / name for name in _OWN_ENTRIES if name not in _KEPT_ENTRIES)

    def remove_entries(self, *, but_logs: bool = False) -> None:
        """Delete what belongs to an instance."""
        for name in _OWN_ENTRIES:
            if name in _KEPT_ENTRIES and but_logs:
                continue
            _remove(self.path / name)

    def remove_data(self) -> None:
        """Delete what etcd has stored."""
        _remove(self.path / "etcd")

    def discard(self) -> None:
        """Delete what is to be deleted, and give the folder back."""
        for path in self.doomed:
            _remove(path)
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        self.cleaning_lock.close()
        self._lock.close()


def stop_instance(directory: Path) -> int:
    """Stop the instance of a folder from outside, and wait for its end.

    Returns
    -------
    int
        The process that was stopped.

    Raises
    ------
    InstanceError
        If nothing runs there, or it does not stop within 60 s.
    """
    owner = _owner(directory)
    if owner is None:
        raise InstanceError(f"No control plane runs in {directory}; there is nothing to stop.")
    with contextlib.suppress(ProcessLookupError):
        os.kill(owner, signal.SIGTERM)
    with contextlib.suppress(FileNotFoundError), (directory / _CLEANING_LOCK_NAME).open() as lock:
        _wait_for_lock(lock, directory)
    return owner


def _take(directory: Path) -> Path:
    directory = directory.absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {entry.name for entry in directory.iterdir()}
    if names and _LOCK_NAME not in names:
        raise InstanceError(f"{directory} holds other files; name an empty folder, or one that is not there yet.")
    return directory


def _lock(path: Path) -> IO[str]:
    lock = (path / _LOCK_NAME).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise InstanceError(f"A control plane runs in {path} already; stop it, or name another folder.") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _wait_for_lock(lock: IO[str], path: Path) -> None:
    """Take a lock that an instance holds until it is gone."""
    deadline = time.monotonic() + _STOP_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise InstanceError(
                    f"The control plane in {path} has not stopped within {_STOP_SECONDS:.0f} s; see {path / 'logs'}."
                ) from None
            time.sleep(_PERIOD_SECONDS)
        else:
            return


def _owner(directory: Path) -> int | None:
    """Give the process that holds the lock, None if nobody does."""
    try:
        with (directory / _LOCK_NAME).open() as lock:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            return int(lock.read())
    except (OSError, ValueError):
        return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    path.unlink(missing_ok=True)
