"""Reading the JSON object of an admin request, with one clear sentence for everything that is wrong.

Each method takes one field out; `Fields.end` refuses what nobody asked for, so that a misspelt field is not
silently ignored.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from benchhost.emulator.admin.routes import AdminError

if TYPE_CHECKING:
    from collections.abc import Mapping

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")


class Fields:
    """The fields of one JSON object.

    Parameters
    ----------
    body
        The object.
    path
        Where it is in the request, for messages; empty for the request's body itself.
    """

    def __init__(self, body: Mapping[str, Any], path: str = "") -> None:
        self._body = dict(body)
        self._path = path
        self._known: list[str] = []

    def __contains__(self, name: str) -> bool:
        """Tell whether a field is there and not null."""
        return self._body.get(name) is not None

    def text(self, name: str) -> str | None:
        """Take a string that is not empty; None where there is none."""
        value = self._take(name)
        if value is None or (isinstance(value, str) and value):
            return value
        raise self._wrong(name, "a string that is not empty", value)

    def required_text(self, name: str) -> str:
        """Take a string that has to be there."""
        return self._required(name, self.text(name))

    def number(self, name: str, *, minimum: float = -math.inf, maximum: float = math.inf) -> float | None:
        """Take a number between two bounds, which are included; None where there is none."""
        value = self._take(name)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and minimum <= value <= maximum:
            return float(value)
        raise self._wrong(name, f"a number{_bounds(minimum, maximum)}", value)

    def required_number(self, name: str, *, minimum: float = -math.inf, maximum: float = math.inf) -> float:
        """Take a number that has to be there."""
        return self._required(name, self.number(name, minimum=minimum, maximum=maximum))

    def integer(self, name: str, *, minimum: float = -math.inf, maximum: float = math.inf) -> int | None:
        """Take a whole number between two bounds, which are included; None where there is none."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
            return value
        raise self._wrong(name, f"a whole number{_bounds(minimum, maximum)}", value)

    def required_integer(self, name: str, *, minimum: float = -math.inf, maximum: float = math.inf) -> int:
        """Take a whole number that has to be there."""
        return self._required(name, self.integer(name, minimum=minimum, maximum=maximum))

    def flag(self, name: str) -> bool | None:
        """Take true or false; None where there is neither."""
        value = self._take(name)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(name, "true or false", value)

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """Take one of an enum's values, in any case; None where there is none."""
        text = self.text(name)
        if text is None:
            return None
        for choice in choices:
            if choice.value.lower() == text.lower():
                return choice
        raise self._wrong(name, f"one of {', '.join(choices)}", text)

    def texts(self, name: str) -> dict[str, str]:
        """Take an object of strings; empty where there is none."""
        value = self._take(name)
        if value is None:
            return {}
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return value
        raise self._wrong(name, "an object of strings", value)

    def part(self, name: str) -> Fields:
        """Take an object; one without fields where there is none."""
        value = self._take(name)
        if value is None:
            return Fields({}, self._named(name))
        if isinstance(value, dict):
            return Fields(value, self._named(name))
        raise self._wrong(name, "a JSON object", value)

    def parts(self, name: str) -> list[Fields] | None:
        """Take a list of objects; None where there is none."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return [Fields(item, f"{self._named(name)}[{position}]") for position, item in enumerate(value)]
        raise self._wrong(name, "a list of JSON objects", value)

    def end(self) -> None:
        """Refuse fields that were not taken.

        Raises
        ------
        AdminError
            When there are any.
        """
        if self._body:
            where = f" in '{self._path}'" if self._path else ""
            raise AdminError(
                f"'{next(iter(self._body))}' is no field{where}; there are {', '.join(sorted(self._known))}."
            )

    def _take(self, name: str) -> Any:
        self._known.append(name)
        return self._body.pop(name, None)

    def _required(self, name: str, value: Value | None) -> Value:
        if value is None:
            raise AdminError(f"'{self._named(name)}' is missing.")
        return value

    def _wrong(self, name: str, expected: str, value: object) -> AdminError:
        return AdminError(f"'{self._named(name)}' must be {expected}, not {value!r}.")

    def _named(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def _bounds(minimum: float, maximum: float) -> str:
    if minimum > -math.inf and maximum < math.inf:
        return f" from {minimum:g} to {maximum:g}"
    if minimum > -math.inf:
        return f" of at least {minimum:g}"
    return f" of at most {maximum:g}" if maximum < math.inf else ""
