"""The state of a running emulator and its file: read once at the start, written after every request that changed it.

Used by `benchhost.emulator.server`. What is compared, what is written and where is `cells`' business; this keeps what
the file holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchhost.emulator.state.cells import (
    Slot,
    find_parts,
    find_slots,
    image_of,
    is_final,
    is_unchanged,
    iterate,
)
from benchhost.emulator.state.database import Database, StateFileError
from benchhost.emulator.state.encoding import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_WHOLE = ""
"""Key of a cell that is a whole attribute."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What has become of a cell.

    Parameters
    ----------
    path, key
        Which one.
    text, image
        Its new value, as the file has it and as `is_unchanged` wants it; None and nothing for a cell that is gone.
    """

    path: str
    key: Any
    text: str | None = None
    image: Any = None


class SavedState:
    """A file, and what it holds.

    Parameters
    ----------
    path
        Where the file is.

    Raises
    ------
    StateFileError
        When it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database.open(path)
        self._cells: dict[str, dict[str, str]] = {}
        """What the file held when it was opened."""
        for place, key, value in self._database.rows():
            self._cells.setdefault(place, {})[key] = value
        self._slots: list[Slot] = []
        self._images: dict[str, dict[Any, Any]] = {}

    def recall(self, name: str) -> Any:
        """Return what was remembered under a name before this start, or None."""
        return self._decoded(self._cells[name][_WHOLE]) if name in self._cells else None

    def remember(self, name: str, value: Any) -> None:
        """Keep a value that is no part of the cloud for the next start."""
        self._database.write([(name, _WHOLE, json.dumps(encode(value, name)))], [])

    def attach(self, roots: Mapping[str, Any]) -> None:
        """Bring the objects to what the file says, and save them from now on.

        Raises
        ------
        StateFileError
            When the file does not fit the objects.
        """
        self._slots = find_slots(roots)
        if any(slot.path in self._cells for slot in self._slots):
            for slot in self._slots:
                self._restore(slot, self._cells.get(slot.path, {}))
        for part in find_parts(roots):
            part.restored()
        self.save()

    def save(self) -> None:
        """Write what has changed since the last time, in one transaction.

        Raises
        ------
        StateFileError
            When the disk does not take it.
        """
        changes = [change for slot in self._slots for change in self._changes(slot)]
        if changes:
            self._database.write(
                [(change.path, _text_of(change.key), change.text) for change in changes if change.text is not None],
                [(change.path, _text_of(change.key)) for change in changes if change.text is None],
            )
        for change in changes:
            # Only now: what was not written is still to be written.
            if change.text is None:
                self._images[change.path].pop(change.key)
            else:
                self._images[change.path][change.key] = change.image
        for slot in self._slots:
            slot.watch()

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def _changes(self, slot: Slot) -> Iterator[_Change]:
        images = self._images.setdefault(slot.path, {})
        candidates = slot.candidates()
        for key in candidates:
            value, image = slot.get(key, _GONE), images.get(key, _GONE)
            if value is _GONE:
                if image is not _GONE:
                    yield _Change(slot.path, key)
            elif image is not _FINAL and (image is _GONE or not is_unchanged(value, image)):
                text = json.dumps(encode(value, slot.path), separators=(",", ":"))
                yield _Change(slot.path, key, text, _FINAL if is_final(value) else image_of(value))
        if candidates is slot.value:
            for key in images.keys() - set(candidates):
                yield _Change(slot.path, key)

    def _restore(self, slot: Slot, cells: Mapping[str, str]) -> None:
        if isinstance(slot.value, dict):
            slot.write({self._decoded(key): self._decoded(value) for key, value in cells.items() if key != _WHOLE})
        elif _WHOLE in cells:
            slot.write(self._decoded(cells[_WHOLE]))
        images = {key: _FINAL if is_final(value) else image_of(value) for key, value in iterate(slot)}
        self._images[slot.path] = images if cells else {}

    def _decoded(self, text: str) -> Any:
        try:
            return decode(json.loads(text))
        except (TypeError, ValueError, KeyError, AttributeError, ImportError) as error:
            raise StateFileError(
                f"The state file {self._database.path} was written by another version of the emulator ({error}); name "
                "another file, or run the version that wrote it."
            ) from error


_GONE = object()
"""In the place of a value: there is none."""

_FINAL = object()
"""In the place of an image: it has been saved, and will not change any more."""


def _text_of(key: Any) -> str:
    return _WHOLE if key is None else json.dumps(encode(key, "a key"))
