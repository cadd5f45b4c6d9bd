"""What time it is in the emulated cloud."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A source of the present time."""

    def now(self) -> float:
        """Return seconds since 1970; never less than before."""


class SystemClock:
    """Wall time that never goes back, even when the machine's clock is set."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._offset + time.monotonic()
