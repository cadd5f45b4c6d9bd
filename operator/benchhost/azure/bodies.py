"""Look into the JSON of a resource as ARM shows it. Pure; used by everything here that reads one.

What is absent, null or no object reads as empty. The SDK's models are such mappings too, under ARM's own names, so one
reading serves what was listed and what was read alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

Body = Mapping[str, Any]
"""A resource, or a part of one, under the names of ARM's REST reference."""

_EMPTY: Final[Body] = {}


def inside(body: Body | None, *path: str) -> Body:
    """The object at the end of the path."""
    found: Any = body
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else _EMPTY


def each(body: Body | None, *path: str) -> Sequence[Body]:
    """The objects in the list at the end of the path."""
    *outer, name = path
    found = inside(body, *outer).get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else []


def text(value: Any) -> str:
    """A word, which the SDK may show as a member of an enumeration; empty when it is absent."""
    return str(getattr(value, "value", value) or "")
