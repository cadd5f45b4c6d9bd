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
_AT_ONCE: Final = 26
_A_MINUTE: Final = 10
"""Dense looks of one operation: Azure's bucket for one holds 45 and gets 15 more a minute (Compute throttling, policy
Get operation), and nobody says when in the minute. Who has none left waits up to a minute for the next."""
_SLOWEST: Final = timedelta(minutes=1) / _A_MINUTE
_SHARE: Final = 0.2
"""After those: of what the operation has taken, up to the slowest. It is less only where a cloud outruns Azure."""


def next_look(
    poll_interval: timedelta, *, wish: timedelta | None, looks: int, elapsed: timedelta, under_way: int
) -> timedelta:
    """The time from one look to the next.

    Parameters
    ----------
    poll_interval
        As it is set.
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
    if looks >= _AT_ONCE + _A_MINUTE * (elapsed / timedelta(minutes=1)):
        return max(poll_interval, min(elapsed * _SHARE, _SLOWEST))
    return poll_interval / _DENSE * max(1.0, under_way / _FEW)
