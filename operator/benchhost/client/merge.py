"""What must be patched so that an object is as it is wanted: JSON merge patch (RFC 7386), pure.

Used by ``client.ensure``. Fields that the wanted object does not mention are left alone; they are defaults of
the API server or somebody else's.
"""

from collections.abc import Mapping
from typing import Any


def to_merge_patch(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest merge patch after which ``current`` holds all of ``wanted``; empty when it does."""
    patch: dict[str, Any] = {}
    for key, value in wanted.items():
        have = current.get(key)
        if isinstance(value, Mapping) and isinstance(have, Mapping):
            if below := to_merge_patch(have, value):
                patch[key] = below
        elif not _holds(have, value):
            patch[key] = value
    return patch


def _holds(current: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(current, Mapping):
        return all(_holds(current.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(current, list):
        return len(wanted) == len(current) and all(map(_holds, current, wanted))
    return bool(current == wanted)
