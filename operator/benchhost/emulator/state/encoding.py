"""Values of the emulated cloud as JSON and back: dataclasses, enums, tuples, sets, dictionaries, bytes and addresses.

Called by `cells`. What plain JSON cannot say is wrapped in an object with one key that begins with ``$``. Only classes
of the emulator are ever made from a file, and only dataclasses and enums, so that a file cannot call anything.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import importlib
import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE: Final = "benchhost.emulator."
"""Prefix of every module whose classes may be in a file."""

_PLAIN: Final = (str, int, float, bool, type(None))


class UnsavableError(TypeError):
    """A value that cannot be put into a file; the message says where it is."""


def encode(value: Any, where: str) -> Any:
    """Return a value as JSON; ``where`` is its place, for the message of `UnsavableError`."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return _encode_items(value, where)
    if kind is dict:
        return _encode_dict(value, where)
    if kind in (tuple, set, frozenset):
        return {f"${kind.__name__}": _encode_items(value, where)}
    if kind is bytes:
        return {"$bytes": base64.b64encode(value).decode()}
    if kind is ipaddress.IPv4Address:
        return {"$address": str(value)}
    if isinstance(value, HTTPStatus):
        return int(value)  # an error compares equal with either
    if isinstance(value, enum.Enum):
        return {"$enum": [_name_of(kind, where), value.value]}
    if dataclasses.is_dataclass(value):
        fields = {
            field.name: encode(getattr(value, field.name), f"{where}.{field.name}")
            for field in dataclasses.fields(value)
            if field.init
        }
        return {"$object": [_name_of(kind, where), fields]}
    raise UnsavableError(f"{where} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved.")


def decode(content: Any) -> Any:
    """Return the value that `encode` was given."""
    if isinstance(content, list):
        return [decode(item) for item in content]
    if not isinstance(content, dict):
        return content
    if len(content) == 1:
        (tag, inner), *_ = content.items()
        if tag.startswith("$"):
            return _decode_tagged(tag, inner)
    return {key: decode(item) for key, item in content.items()}


def _encode_items(items: Iterable[Any], where: str) -> list[Any]:
    # The state of a random source is a tuple of 625 numbers, and changes with nearly every write.
    return [item if type(item) in _PLAIN else encode(item, where) for item in items]


def _encode_dict(value: dict[Any, Any], where: str) -> Any:
    is_plain = all(type(key) is str and not key.startswith("$") for key in value)
    if is_plain:
        return {key: encode(item, f"{where}[{key!r}]") for key, item in value.items()}
    return {"$dict": [[encode(key, where), encode(item, where)] for key, item in value.items()]}


def _decode_tagged(tag: str, inner: Any) -> Any:
    match tag:
        case "$tuple":
            return tuple(decode(item) for item in inner)
        case "$set":
            return {decode(item) for item in inner}
        case "$frozenset":
            return frozenset(decode(item) for item in inner)
        case "$bytes":
            return base64.b64decode(inner)
        case "$address":
            return ipaddress.IPv4Address(inner)
        case "$dict":
            return {decode(key): decode(item) for key, item in inner}
        case "$enum":
            name, value = inner
            return _class_of(name)(value)
        case "$object":
            name, fields = inner
            return _class_of(name)(**{key: decode(item) for key, item in fields.items()})
        case _:
            raise ValueError(f"{tag} means nothing here")


def _name_of(kind: type, where: str) -> str:
    if not kind.__module__.startswith(PACKAGE):
        raise UnsavableError(f"{where} is a {kind.__module__}.{kind.__qualname__}, which cannot be saved.")
    return f"{kind.__module__.removeprefix(PACKAGE)}:{kind.__qualname__}"


def _class_of(name: str) -> Any:
    module, _, qualified = name.partition(":")
    found: Any = importlib.import_module(PACKAGE + module)
    for part in qualified.split("."):
        found = getattr(found, part)
    is_value = isinstance(found, type) and (dataclasses.is_dataclass(found) or issubclass(found, enum.Enum))
    if not is_value or found.__module__ != PACKAGE + module:
        raise ValueError(f"{name} is no value of the emulator")
    return found
