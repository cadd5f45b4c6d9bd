"""Paths like ``spec.azure.sizes[0]``: checked against the API's own schema, and set in a manifest.

Used by ``template``. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchhost.api import BenchHostSpec
from benchhost.mlos.names import ServiceConfigError

Step = str | int

_STEP = re.compile(r"\.?([A-Za-z_][\w-]*)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field of a BenchHost."""

    text: str
    """As the user wrote it."""
    steps: tuple[Step, ...]
    """Keys and list indices from the manifest's root."""
    types: frozenset[str]
    """JSON types that the field may have."""


def parse_field(text: str) -> FieldPath:
    """Read a path and check that the API has such a field.

    Raises
    ------
    ServiceConfigError
        If it is no path, or there is no such field; the message lists what there is.
    """
    steps = _split(text)
    if steps[:1] != ("spec",) or len(steps) == 1:
        raise ServiceConfigError(f"{text!r} is not a field of spec; write it as in spec.azure.sizes[0]")
    schema: Mapping[str, Any] = _spec_schema()
    for step in steps[1:]:
        schema = _descend(schema, step, text)
    return FieldPath(text, steps, frozenset(_types(schema)))


def check_fields(value: Any, where: str = "spec") -> None:
    """Check that every key below ``spec`` is a field of the API.

    Raises
    ------
    ServiceConfigError
        If one is not; the message names it.
    """
    _check(value, _spec_schema(), where)


def set_field(manifest: dict[str, Any], field: FieldPath, value: Any) -> None:
    """Write a value; dictionaries on the way are made, and a list grows by at most one element.

    Raises
    ------
    ServiceConfigError
        If an index lies beyond the end of the list.
    """
    place: Any = manifest
    for step, following in zip(field.steps, field.steps[1:], strict=False):
        place = _enter(place, step, [] if isinstance(following, int) else {}, field)
    _enter(place, field.steps[-1], None, field)
    place[field.steps[-1]] = _coerce(value, field.types)


def _split(text: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            return ()
        steps.append(match[1] if match[2] is None else int(match[2]))
        position = match.end()
    return tuple(steps)


def _enter(place: Any, step: Step, empty: Any, field: FieldPath) -> Any:
    if isinstance(step, str):
        return place.setdefault(step, empty)
    if step > len(place):
        raise ServiceConfigError(f"{field.text} skips elements: the template's list has only {len(place)}")
    if step == len(place):
        place.append(empty)
    return place[step]


def _coerce(value: Any, types: frozenset[str]) -> Any:
    """mlos_bench reads ``123`` on a command line as a number even where a name is meant, and tunables are scalars."""
    if isinstance(value, list | tuple):
        return list(value)
    if "string" in types and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return [value] if types == {"array"} else value


@cache
def _spec_schema() -> Mapping[str, Any]:
    return BenchHostSpec.model_json_schema(by_alias=True)


def _resolve(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schema behind references, once for each alternative that is not null."""
    if "$ref" in schema:
        return _resolve(_spec_schema()["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    if alternatives := schema.get("anyOf") or schema.get("allOf"):
        return [found for item in alternatives for found in _resolve(item) if found.get("type") != "null"]
    return [schema]


def _types(schema: Mapping[str, Any]) -> set[str]:
    return {kind for found in _resolve(schema) if (kind := found.get("type"))}


def _descend(schema: Mapping[str, Any], step: Step, text: str) -> Mapping[str, Any]:
    known: set[str] = set()
    for found in _resolve(schema):
        below = found.get("items") if isinstance(step, int) else found.get("properties", {}).get(step)
        below = below or (found.get("additionalProperties") if isinstance(step, str) else None)
        if isinstance(below, Mapping):
            return below
        known |= set(found.get("properties", {}))
    hint = f"; it has {', '.join(sorted(known))}" if known else ""
    raise ServiceConfigError(f"{text} is not a field of a BenchHost: there is no {step!r} there{hint}")


def _check(value: Any, schema: Mapping[str, Any], where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check(item, _descend(schema, str(key), f"{where}.{key}"), f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, _descend(schema, index, f"{where}[{index}]"), f"{where}[{index}]")
