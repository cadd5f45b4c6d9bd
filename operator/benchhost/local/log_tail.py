"""Finds the line of a component's log that says why it ended.

Used for messages to people, by the start and by the build. Each component speaks its own dialect: klog's
`E1122 10:00:00.000000 123 file.go:1] text`, etcd's JSON, and plain text from flags and from the Go tools.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["last_meaningful_line", "mentions_taken_port"]

_TAIL_BYTES: Final = 65536
_MAX_CHARACTERS: Final = 300
"""Of a quoted line: a sentence, not a page."""

_KLOG = re.compile(r"^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ [^\]]*\] (.*)$")
_PLAIN_ERROR = re.compile(r"^(error|fatal|panic|go)\b.*:", re.IGNORECASE)


def last_meaningful_line(log: Path) -> str | None:
    """Give the last line that tells of an error, else the last line at all, else None."""
    lines = [line for line in _tail(log).splitlines() if line.strip()]
    for line in reversed(lines):
        if (error := _error_in(line)) is not None:
            return _shorten(error)
    return _shorten(lines[-1]) if lines else None


def mentions_taken_port(log: Path) -> bool:
    """Tell whether the component gave up because another process had its port."""
    return "address already in use" in _tail(log)


def _error_in(line: str) -> str | None:
    if (match := _KLOG.match(line)) is not None:
        severity, text = match.groups()
        return text if severity in "EF" else None
    if line.startswith("{"):
        return _etcd_error_in(line)
    return line if _PLAIN_ERROR.match(line) else None


def _etcd_error_in(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("level") not in {"error", "fatal", "panic"}:
        return None
    return ": ".join(str(entry[key]) for key in ("msg", "error") if entry.get(key))


def _shorten(line: str) -> str:
    line = line.strip().rstrip(".")
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}…"


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""
