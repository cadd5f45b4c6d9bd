"""Functions of templates about truth, numbers, lists and objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.templates.errors import TemplateError, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def require_bool(value: Any, function: str) -> bool:
    """Return a boolean.

    Raises
    ------
    TemplateError
        When it is none.
    """
    if not isinstance(value, bool):
        raise TemplateError(f"The function '{function}' expects true or false, not {kind_of(value)}.")
    return value


def require_int(value: Any, function: str) -> int:
    """Return an integer.

    Raises
    ------
    TemplateError
        When it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TemplateError(f"The function '{function}' expects a number, not {kind_of(value)}.")
    return value


def member_of(value: Any, name: str) -> Any:
    """Return a property of an object, whatever the case of its name.

    Raises
    ------
    TemplateError
        When there is no such property, or no object.
    """
    if not isinstance(value, dict):
        raise TemplateError(f"The property '{name}' was asked of something that is no object.")
    for key, item in value.items():
        if key.lower() == name.lower():
            return item
    known = ", ".join(value)
    raise TemplateError(f"The language expression property '{name}' doesn't exist, available properties are '{known}'.")


def item_of(value: Any, index: Any) -> Any:
    """Return an item of a list, or a property of an object.

    Raises
    ------
    TemplateError
        When there is no such item.
    """
    if isinstance(index, str):
        return member_of(value, index)
    if not isinstance(value, list):
        raise TemplateError(f"The index '{index}' was asked of something that is no list.")
    if not 0 <= require_int(index, "[]") < len(value):
        raise TemplateError(
            f"The language expression property array index '{index}' is out of bounds of {len(value)} items."
        )
    return value[index]


def length(values: Sequence[Any]) -> int:
    """Return how many characters, items or properties there are."""
    value = values[0]
    if not isinstance(value, str | list | dict):
        raise TemplateError("The function 'length' expects a string, a list or an object.")
    return len(value)


def contains(values: Sequence[Any]) -> bool:
    """Tell whether a string, list or object has something in it; names of properties in any case."""
    whole, part = values
    if isinstance(whole, dict):
        return str(part).lower() in (key.lower() for key in whole)
    if isinstance(whole, str):
        return str(part) in whole
    if isinstance(whole, list):
        return part in whole
    raise TemplateError("The function 'contains' expects a string, a list or an object.")


def to_int(values: Sequence[Any]) -> int:
    """Return a number, or the one that a string spells."""
    try:
        return int(values[0])
    except (TypeError, ValueError) as error:
        raise TemplateError(f"The function 'int' cannot make a number of {kind_of(values[0])}.") from error


def to_bool(values: Sequence[Any]) -> bool:
    """Return a boolean, or the one that a string or number stands for."""
    value = values[0]
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, int):
        return bool(value)
    raise TemplateError(f"The function 'bool' cannot make true or false of {kind_of(value)}.")


def from_json(values: Sequence[Any]) -> Any:
    """Return what a text of JSON says."""
    try:
        return json.loads(values[0])
    except (TypeError, ValueError) as error:
        raise TemplateError("The function 'json' was given a string that is no JSON.") from error


def create_object(values: Sequence[Any]) -> dict[str, Any]:
    """Return an object of names and values that take turns."""
    if len(values) % 2:
        raise TemplateError("The function 'createObject' expects names and values in turn.")
    return {str(values[at]): values[at + 1] for at in range(0, len(values), 2)}


def union(values: Sequence[Any]) -> Any:
    """Return lists without repeated items, or objects over one another."""
    if all(isinstance(value, dict) for value in values):
        return {key: item for value in values for key, item in value.items()}
    if not all(isinstance(value, list) for value in values):
        raise TemplateError("The function 'union' expects lists only, or objects only.")
    merged: list[Any] = []
    for item in (item for value in values for item in value):
        if item not in merged:
            merged.append(item)
    return merged


def end_of(values: Sequence[Any], at: int, function: str) -> Any:
    """Return the first or the last item or character."""
    if not isinstance(values[0], str | list):
        raise TemplateError(f"The function '{function}' expects a string or a list.")
    if not values[0]:
        return "" if isinstance(values[0], str) else None
    return values[0][at]


def divided(values: Sequence[Any], function: str) -> tuple[int, int]:
    """Return the quotient and the rest of two numbers, both towards zero."""
    number, by = (require_int(value, function) for value in values)
    if by == 0:
        raise TemplateError(f"The function '{function}' cannot divide by 0.")
    quotient = abs(number) // abs(by) * (1 if (number < 0) == (by < 0) else -1)
    return quotient, number - quotient * by


def _numbers(function: str, make: Callable[[int, int], Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda values: make(require_int(values[0], function), require_int(values[1], function))


def _ordered(function: str, tell: Callable[[Any, Any], bool]) -> Callable[[Sequence[Any]], bool]:
    def compare(values: Sequence[Any]) -> bool:
        if all(isinstance(value, str) for value in values):
            return tell(values[0], values[1])
        return tell(require_int(values[0], function), require_int(values[1], function))

    return compare


VALUE_FUNCTIONS: dict[str, tuple[Callable[[Sequence[Any]], Any], int, int | None]] = {
    "equals": (lambda values: bool(values[0] == values[1] and type(values[0]) is type(values[1])), 2, 2),
    "not": (lambda values: not require_bool(values[0], "not"), 1, 1),
    "null": (lambda _: None, 0, 0),
    "true": (lambda _: True, 0, 0),
    "false": (lambda _: False, 0, 0),
    "empty": (lambda values: values[0] is None or length(values) == 0, 1, 1),
    "length": (length, 1, 1),
    "contains": (contains, 2, 2),
    "int": (to_int, 1, 1),
    "bool": (to_bool, 1, 1),
    "json": (from_json, 1, 1),
    "array": (lambda values: values[0] if isinstance(values[0], list) else [values[0]], 1, 1),
    "createArray": (list, 0, None),
    "createObject": (create_object, 0, None),
    "union": (union, 1, None),
    "first": (lambda values: end_of(values, 0, "first"), 1, 1),
    "last": (lambda values: end_of(values, -1, "last"), 1, 1),
    "add": (_numbers("add", lambda one, other: one + other), 2, 2),
    "sub": (_numbers("sub", lambda one, other: one - other), 2, 2),
    "mul": (_numbers("mul", lambda one, other: one * other), 2, 2),
    "div": (lambda values: divided(values, "div")[0], 2, 2),
    "mod": (lambda values: divided(values, "mod")[1], 2, 2),
    "less": (_ordered("less", lambda one, other: one < other), 2, 2),
    "lessOrEquals": (_ordered("lessOrEquals", lambda one, other: one <= other), 2, 2),
    "greater": (_ordered("greater", lambda one, other: one > other), 2, 2),
    "greaterOrEquals": (_ordered("greaterOrEquals", lambda one, other: one >= other), 2, 2),
}
"""Function, least and greatest number of arguments, by name."""
