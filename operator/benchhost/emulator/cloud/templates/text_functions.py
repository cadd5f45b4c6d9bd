"""Functions of templates that make strings."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.templates.errors import TemplateError, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UNIQUE_LENGTH = 13
"""Characters that ``uniqueString`` gives (doc: string functions)."""

_BASE_32 = "abcdefghijklmnopqrstuvwxyz234567"
_GUID_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_HOLE = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


def text_of(value: Any) -> str:
    """Return a value as ``string`` and ``concat`` write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def require_text(value: Any, function: str) -> str:
    """Return a string.

    Raises
    ------
    TemplateError
        When it is none.
    """
    if not isinstance(value, str):
        raise TemplateError(f"The function '{function}' expects a string, not {kind_of(value)}.")
    return value


def concatenate(values: Sequence[Any]) -> str | list[Any]:
    """Return strings, or lists, one after the other."""
    if not values:
        raise TemplateError("The function 'concat' expects at least one argument.")
    if all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    if any(isinstance(value, list | dict) for value in values):
        raise TemplateError("The function 'concat' expects either strings and numbers, or lists only.")
    return "".join(map(text_of, values))


def format_text(values: Sequence[Any]) -> str:
    """Return a text with ``{0}`` and so on filled in; ``{{`` and ``}}`` stand for braces."""
    pattern, arguments = require_text(values[0] if values else None, "format"), values[1:]

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise TemplateError(
                f"The function 'format' knows no form of numbers and dates, only {{0}}, in '{pattern}'."
            )
        if int(match[1]) >= len(arguments):
            raise TemplateError(f"The function 'format' has nothing to put into {match[0]}.")
        return text_of(arguments[int(match[1])])

    return _HOLE.sub(fill, pattern)


def unique_string(values: Sequence[Any]) -> str:
    """Return 13 letters and digits that depend on the values only.

    They are not the ones that Azure gives, whose function is not documented.
    """
    digest = hashlib.sha256("\0".join(require_text(value, "uniqueString") for value in values).encode()).digest()
    number = int.from_bytes(digest[:9], "big")
    return "".join(_BASE_32[number >> (5 * place) & 31] for place in range(UNIQUE_LENGTH))


def guid(values: Sequence[Any]) -> str:
    """Return a GUID that depends on the values only."""
    return str(uuid.uuid5(_GUID_NAMESPACE, "-".join(require_text(value, "guid") for value in values)))


def replace(values: Sequence[Any]) -> str:
    """Return a text with each place of one string taken by another."""
    text, old, new = (require_text(value, "replace") for value in values)
    return text.replace(old, new)


def from_base64(values: Sequence[Any]) -> str:
    """Return the text that was encoded."""
    text = require_text(values[0], "base64ToString")
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise TemplateError("The function 'base64ToString' was given a string that is not encoded so.") from error


def substring(values: Sequence[Any]) -> str:
    """Return a part of a text."""
    text, start = require_text(values[0], "substring"), int(values[1])
    length = int(values[2]) if len(values) > 2 else len(text) - start  # noqa: PLR2004 - the third is optional
    if start < 0 or length < 0 or start + length > len(text):
        raise TemplateError(f"The function 'substring' wants more than the {len(text)} characters that there are.")
    return text[start : start + length]


def split(values: Sequence[Any]) -> list[str]:
    """Return the parts of a text between delimiters."""
    text = require_text(values[0], "split")
    delimiters = values[1] if isinstance(values[1], list) else [values[1]]
    return re.split("|".join(re.escape(require_text(item, "split")) for item in delimiters), text)


def _of_text(name: str, make: Callable[[str], Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda values: make(require_text(values[0], name))


TEXT_FUNCTIONS: dict[str, tuple[Callable[[Sequence[Any]], Any], int, int | None]] = {
    "concat": (concatenate, 1, None),
    "format": (format_text, 1, None),
    "string": (lambda values: text_of(values[0]), 1, 1),
    "toLower": (_of_text("toLower", str.lower), 1, 1),
    "toUpper": (_of_text("toUpper", str.upper), 1, 1),
    "trim": (_of_text("trim", str.strip), 1, 1),
    "uniqueString": (unique_string, 1, None),
    "guid": (guid, 1, None),
    "base64": (_of_text("base64", lambda text: base64.b64encode(text.encode()).decode()), 1, 1),
    "base64ToString": (from_base64, 1, 1),
    "replace": (replace, 3, 3),
    "substring": (substring, 2, 3),
    "split": (split, 2, 2),
    "join": (lambda values: text_of(values[1]).join(map(text_of, values[0])), 2, 2),
    "startsWith": (lambda values: text_of(values[0]).lower().startswith(text_of(values[1]).lower()), 2, 2),
    "endsWith": (lambda values: text_of(values[0]).lower().endswith(text_of(values[1]).lower()), 2, 2),
}
"""Function, least and greatest number of arguments, by name."""
