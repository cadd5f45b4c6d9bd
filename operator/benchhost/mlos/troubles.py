"""What went wrong with hosts, remembered for the command's last line.

Used by ``launcher``. mlos_bench only counts failed trials, and drops what a teardown came to; the log says why, many
lines above the end. It listens to the log and changes nothing.
"""

import logging
from collections.abc import Mapping
from typing import Final

IS_LEFT: Final[Mapping[str, bool]] = {"benchhost_is_left": True}
"""``extra`` of a log record that says that a host is still there and should not be."""


class HostTroubles(logging.Handler):
    """Remembers the last errors that were logged about hosts."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: str | None = None
        """The last error of any kind."""
        self.left: str | None = None
        """The last error that says that a host is still there, and how to remove it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember it."""
        self.last = record.getMessage()
        if getattr(record, "benchhost_is_left", False):
            self.left = self.last


def listen() -> HostTroubles:
    """Remember what is logged about hosts from now on."""
    troubles = HostTroubles()
    logging.getLogger("benchhost.mlos").addHandler(troubles)
    return troubles
