"""What a decision needs to know that is neither in the object nor in the cloud. Values only.

Gathered by the controller before a pass decides; read by ``decide`` and ``report``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class HolderState:
    """What the Lease of ``spec.holder`` says."""

    expires_at: datetime | None
    """The Lease's renewTime and duration together; None when there is no such Lease, or nobody holds it."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything beside the object and the cloud."""

    holder: HolderState | None = None
    """None: the Lease could not be read, so nothing is concluded from it; or the spec names none."""
    answered_at: datetime | None = None
    """When the guest accepted a connection on the readiness port, by the newest attempt; None when it did not."""
    host_keys: tuple[str, ...] = ()
    """The SSH host keys that the serial console showed since they are awaited; empty when it did not."""


NOTHING_KNOWN: Final = Circumstances()
"""For a host without holder and readiness."""
