"""Where the state is: every attribute of the services of the emulated cloud, found by looking at the objects.

A part is an object with behaviour, which exists in every run: a service, the store. Its attributes are cells, each
saved by itself; an attribute that is a dictionary has one cell for each item, so that a change of one resource writes
that resource. A part's class may list attributes in ``unsaved``: settings of each run, and what its method ``restored``
makes again out of the rest. Nothing here knows any part by name: a new service is saved without being told so, and what
cannot be saved is an error.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import operator
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from benchhost.emulator.state.encoding import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


_GETTERS: dict[type, operator.attrgetter[Any]] = {}
_MUTABLE: dict[type, bool] = {}
"""What is known of each class that was met."""


@runtime_checkable
class Restorable(Protocol):
    """A part with attributes that follow from others."""

    def restored(self) -> None:
        """Make them again."""


@runtime_checkable
class Watched(Protocol):
    """A part with a large dictionary that says which of its items somebody has had in hand."""

    watched: str
    """The attribute."""
    touched: dict[str, None] | None
    """Keys of items that may have changed, or be gone, since it was cleared last, in the order in which they were
    touched; None while nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One attribute of a part.

    Parameters
    ----------
    part
        The object.
    name
        The attribute.
    path
        Its place, for instance ``subscription.store._by_key``.
    is_watched
        Whether the part says what has been touched in it.
    """

    part: Any
    name: str
    path: str
    is_watched: bool

    @property
    def value(self) -> Any:
        """What is there now."""
        return getattr(self.part, self.name)

    def watch(self) -> None:
        """Have the part say from now on what has been touched, if it can; as of now, nothing has."""
        if self.is_watched:
            self.part.touched = {}

    def candidates(self) -> Collection[Any]:
        """Return the keys of the cells that may have changed; the single cell of what is no dictionary is None."""
        value = self.value
        if not isinstance(value, dict):
            return (None,)
        if not self.is_watched or self.part.touched is None:
            return value
        touched: dict[str, None] = self.part.touched
        return touched

    def get(self, key: Any, default: Any) -> Any:
        """Return what is saved of a cell, or the default when it is gone."""
        value = self.value
        return value.get(key, default) if isinstance(value, dict) else content_of(value)

    def write(self, value: Any) -> None:
        """Put something there; a container is filled, since others may hold it too."""
        current = self.value
        if isinstance(current, random.Random):
            current.setstate(value)
        elif isinstance(current, itertools.count):
            setattr(self.part, self.name, itertools.count(value))
        elif isinstance(current, dict):
            current.clear()
            current.update(value)
        else:
            setattr(self.part, self.name, value)


def find_slots(roots: Mapping[str, Any]) -> list[Slot]:
    """Return every attribute of every part that can be reached from the roots, each once."""
    found: list[Slot] = []
    seen: set[int] = set()
    for name, root in roots.items():
        _visit(root, name, found=found, seen=seen)
    return found


def find_parts(roots: Mapping[str, Any]) -> list[Any]:
    """Return the parts that want to be told when everything has been restored."""
    parts = {id(slot.part): slot.part for slot in find_slots(roots)}
    return [part for part in parts.values() if isinstance(part, Restorable)]


def content_of(value: Any) -> Any:
    """Return what is saved of a cell's value."""
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, itertools.count):
        return int(repr(value)[len("count(") : -1])  # the only way to look at it without taking a number
    return value


def image_of(value: Any) -> Any:
    """Return what `is_unchanged` compares with: a copy of everything that can change in a value."""
    if _is_mutable_dataclass(value):
        return tuple(map(_copied, _fields_of(value)))
    return _copied(value)


def is_unchanged(value: Any, image: Any) -> bool:
    """Tell whether a value is still as it was when `image_of` was asked.

    Nearly all of the comparison is done in C, and between objects that are the same: some 2 microseconds a resource.
    """
    if _is_mutable_dataclass(value):
        return bool(_fields_of(value) == image)
    return bool(value == image)


def is_final(value: Any) -> bool:
    """Tell whether a value says of itself that it will not change any more."""
    return getattr(value, "is_final", False) is True


def iterate(slot: Slot) -> Iterator[tuple[Any, Any]]:
    """Iterate over the cells of a slot as keys and values; a slot that is no dictionary is one cell with key None."""
    value = slot.value
    if isinstance(value, dict):
        yield from value.items()
    else:
        yield None, content_of(value)


def _visit(part: Any, path: str, *, found: list[Slot], seen: set[int]) -> None:
    if id(part) in seen:
        return
    seen.add(id(part))
    unsaved: tuple[str, ...] = getattr(type(part), "unsaved", ())
    watched = part.watched if isinstance(part, Watched) else None
    is_settings = dataclasses.is_dataclass(part) and _is_frozen(type(part))
    for name in _attributes(part):
        value = getattr(part, name)
        parts = {} if name in unsaved else _parts_in(value, f"{path}.{name}")
        for place, inner in parts.items():
            _visit(inner, place, found=found, seen=seen)
        if not parts and name not in unsaved and not is_settings and not _is_wiring(value):
            found.append(Slot(part, name, f"{path}.{name}", is_watched=watched == name))


def _parts_in(value: Any, path: str) -> dict[str, Any]:
    """Return the parts that an attribute holds: itself, or the values of a dictionary that never changes."""
    if is_part(value):
        return {path: value}
    if isinstance(value, dict) and value and all(map(is_part, value.values())):
        return {f"{path}[{key}]": item for key, item in value.items()}
    return {}


def is_part(value: Any) -> bool:
    """Tell whether an object has behaviour of its own: a service, or a dataclass that holds one."""
    kind = type(value)
    if not kind.__module__.startswith(PACKAGE) or isinstance(value, enum.Enum | BaseException):
        return False
    if not dataclasses.is_dataclass(kind):
        return True
    return any(
        isinstance(item, random.Random) or is_part(item)
        for item in (getattr(value, field.name) for field in dataclasses.fields(kind))
    )


def _is_wiring(value: Any) -> bool:
    """Tell whether a value says how parts are put together."""
    return callable(value) or (isinstance(value, dict) and bool(value) and all(map(callable, value.values())))


def _attributes(part: Any) -> list[str]:
    if dataclasses.is_dataclass(part):
        return [field.name for field in dataclasses.fields(part)]
    return list(vars(part))


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    if kind is list:
        return [_copied(item) for item in value]
    if kind is set:
        return set(value)
    if not _is_mutable_dataclass(value):
        return value
    # Not by calling the class: an __init__ may make something of its arguments.
    twin: Any = value.__class__.__new__(value.__class__)
    for field in dataclasses.fields(kind):
        setattr(twin, field.name, _copied(getattr(value, field.name)))
    return twin


def _fields_of(value: Any) -> tuple[Any, ...]:
    kind = type(value)
    get = _GETTERS.get(kind)
    if get is None:
        names = [field.name for field in dataclasses.fields(kind)]
        get = _GETTERS[kind] = operator.attrgetter(names[0], *names)  # two names at least, so that it gives a tuple
    fields: tuple[Any, ...] = get(value)
    return fields


def _is_mutable_dataclass(value: Any) -> bool:
    kind = type(value)
    if kind not in _MUTABLE:
        _MUTABLE[kind] = dataclasses.is_dataclass(kind) and not _is_frozen(kind)
    return _MUTABLE[kind]


def _is_frozen(kind: Any) -> bool:
    return bool(kind.__dataclass_params__.frozen)
