"""The file: one SQLite database that one emulator holds open.

Called by `saved`. A transaction is either whole or not there, whenever the process is killed: SQLite's write-ahead log
is only ever appended to. It is not synced for each transaction, so that a power failure may lose the last ones, and
never makes the file unreadable (SQLite documentation, ``PRAGMA synchronous``).
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

APPLICATION_ID = 0x42484153
"""Tells our files from other databases."""

SCHEMA_VERSION = 1
"""Grows when an older file can no longer be read: when a class or attribute that is saved changes its meaning."""

_TABLE = """
create table cells (
    number integer primary key autoincrement,
    path text not null,
    key text not null,
    value text not null,
    unique (path, key)
)
"""
_UPSERT = """
insert into cells (path, key, value) values (?, ?, ?)
on conflict (path, key) do update set value = excluded.value
"""


class StateFileError(Exception):
    """The file cannot be used; the message is one sentence that says why and what to do."""


class Database:
    """An open file.

    Parameters
    ----------
    path
        Where it is.
    connection
        The open database, locked for this process.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the file and keep it for this process.

        Raises
        ------
        StateFileError
            When another emulator has it, or it is no file of this version of the emulator.
        """
        try:
            # It holds keys and secrets.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise StateFileError(f"The state file {path} cannot be opened: {reason}.") from error
        database = cls(path, connection)
        try:
            database._prepare()
        except sqlite3.Error as error:
            connection.close()
            raise database._explain(error) from error
        except StateFileError:
            connection.close()
            raise
        return database

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Iterate over path, key and value of every cell, in the order in which they were new."""
        yield from self._connection.execute("select path, key, value from cells order by number")

    def write(self, changed: Iterable[tuple[str, str, str]], removed: Iterable[tuple[str, str]]) -> None:
        """Write and remove cells in one transaction.

        Raises
        ------
        StateFileError
            When the disk does not take it.
        """
        try:
            with self._connection:
                self._connection.execute("begin immediate")
                self._connection.executemany("delete from cells where path = ? and key = ?", removed)
                self._connection.executemany(_UPSERT, changed)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("pragma locking_mode = exclusive")
        execute("pragma journal_mode = wal")
        execute("pragma synchronous = normal")
        execute("begin immediate")  # takes the lock, which lasts until the process ends
        (application,), (version,) = (
            execute("pragma application_id").fetchone(),
            execute("pragma user_version").fetchone(),
        )
        is_new = not execute("select 1 from sqlite_master limit 1").fetchone()
        if is_new:
            execute(_TABLE)
            execute(f"pragma application_id = {APPLICATION_ID}")
            execute(f"pragma user_version = {SCHEMA_VERSION}")
        execute("commit")
        if is_new:
            return
        if application != APPLICATION_ID:
            raise StateFileError(f"{self.path} is a database, but not the state of an emulator; name another file.")
        if version != SCHEMA_VERSION:
            raise StateFileError(
                f"The state file {self.path} has the format {version}, and this emulator knows {SCHEMA_VERSION}; name "
                "another file, or run the version that wrote it."
            )

    def _explain(self, error: sqlite3.Error) -> StateFileError:
        code = getattr(error, "sqlite_errorcode", None)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return StateFileError(
                f"Another emulator runs with the state file {self.path}; end it, or name another file."
            )
        if code == sqlite3.SQLITE_NOTADB:
            return StateFileError(f"{self.path} is not the state of an emulator; name another file.")
        return StateFileError(f"The state file {self.path} cannot be used: {error}.")
