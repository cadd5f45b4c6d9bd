"""The last lines of a serial console, as part of an error's message. Pure; used by ``host_pass``."""

import copy
import re
from typing import Final

from benchhost.cloud.errors import CloudError

_LINES: Final = 12
_LENGTH: Final = 1500
"""Characters; enough for the lines of a failed boot, small beside the 32 KiB that a condition's message may have."""
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\S\n]+|[^\x20-\x7e\n]")
"""Colours and cursor movements of a terminal, runs of spaces, and everything that is not plain text."""


def last_lines(console: str) -> str:
    """The last lines with something on them, as plain text."""
    plain = _CONTROL.sub(lambda found: " " if found.group().isspace() else "", console.replace("\r", "\n"))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return "\n".join(lines[-_LINES:])[-_LENGTH:]


def with_console(error: CloudError, console: str | None) -> CloudError:
    """The same error with the last lines of the console after its message; unchanged without any."""
    lines = last_lines(console or "")
    if not lines:
        return error
    told = copy.copy(error)
    told.message = f"{error.message} The serial console ends with:\n{lines}\n"
    return told
