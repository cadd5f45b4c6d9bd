"""How soon a running operation is looked at again. Pure; used by the reconciler.

The cloud's wish counts for the first look, and in a crowd. A few operations are looked at as often as the cloud's
limits allow: somebody waits for each, and what is asked of one operation takes nothing from others.
"""

from datetime import timedelta
from typing import Final

from benchhost.cloud.provider import CROWD

_DENSE: Final = 5
"""Looks within one poll interval of a few operations: every second, by default."""
_FEW: Final = 12
"""Operations under way that are looked at so often: 12 reads a second are half of what ARM gives a principal (25)."""
_ALLOWED_AT_ONCE: Final = 40
"""Dense looks of one operation: Azure's bucket for one holds 45 (Compute throttling, policy Get operation). With one
more for each poll interval they last some 90 s, longer than most creations take."""


def next_look(
    poll_interval: timedelta, *, wish: timedelta | None, looks: int, elapsed: timedelta, under_way: int
) -> timedelta:
    """The time from one look to the next.

    Parameters
    ----------
    poll_interval
        As it is set; the bucket of one operation allows one look in less than that, for ever.
    wish
        What the cloud asked for in its last answer, if it did.
    looks
        How often the operation has been looked at.
    elapsed
        Time since it began.
    under_way
        How many operations are under way, with this one.
    """
    if under_way > CROWD:
        return wish or poll_interval
    if looks == 0 and wish is not None:
        return wish
    if looks >= _ALLOWED_AT_ONCE + elapsed / poll_interval:
        return poll_interval
    return poll_interval / _DENSE * max(1.0, under_way / _FEW)
