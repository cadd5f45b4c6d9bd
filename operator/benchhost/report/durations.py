"""How long operations on hosts took, by their type. Pure. Used by ``analysis``."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchhost.report.history import Operation

ALWAYS: Final = ("Provision", "Start", "Deallocate")
"""Types that are told of even if there was none."""


@dataclass(frozen=True, slots=True)
class Durations:
    """All operations of one type; seconds of those that succeeded, by the cloud's clock where it says so."""

    type: str
    seconds: Sequence[float]
    """In the order in which they started."""
    failed: int

    @property
    def median(self) -> float | None:
        """Seconds; None if there is none."""
        return median(self.seconds) if self.seconds else None


def to_durations(operations: Iterable[Operation]) -> list[Durations]:
    """Group by type; the main three first, then the others by name."""
    found = sorted(operations, key=lambda operation: (operation.start, operation.uid))
    others = sorted({operation.type for operation in found} - set(ALWAYS))
    return [
        Durations(
            kind,
            [operation.seconds for operation in found if operation.type == kind and operation.has_succeeded],
            sum(1 for operation in found if operation.type == kind and not operation.has_succeeded),
        )
        for kind in (*ALWAYS, *others)
    ]
