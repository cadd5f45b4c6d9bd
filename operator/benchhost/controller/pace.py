"""How soon a running operation is looked at again. Pure; used by the reconciler.

The cloud's wish counts for the first look, and in a crowd. A few operations are looked at as often as is worth it:
somebody waits for each, and what is asked of one operation takes nothing from others.
"""

from datetime import timedelta
from typing import Final

from benchhost.cloud.provider import CROWD

_DENSE: Final = 5
"""Looks within one poll interval of a few operations, at most: every second, by default."""
_SHARE: Final = 0.045
"""Of what the operation has taken, from one look to the next: looking adds half of that to it, and one that takes long
does not use up what it is allowed before it ends."""
_FEW: Final = 12
"""Operations under way that are looked at so often: 12 reads a second are half of what ARM gives a principal (25)."""
_AT_ONCE: Final = 34
_A_MINUTE: Final = 10
"""Such looks at one operation: Azure's bucket for one holds 45 and gets 15 more a minute (Compute throttling, policy
Get operation), and nobody says when in the minute. Who has none left waits up to a minute for the next."""
_SLOWEST: Final = timedelta(minutes=1) / _A_MINUTE
_SLOWER_SHARE: Final = 0.5
"""After those: of what the operation has taken, up to the slowest. It is less only where an interval is set that is
shorter than Azure's pace allows."""


def next_look(
    poll_interval: timedelta,
    *,
    wish: timedelta | None,
    looks: int,
    elapsed: timedelta,
    took: timedelta,
    under_way: int,
) -> timedelta:
    """The time until the next look.

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
    took
        Time since the last look began: few operations are looked at in a beat, however long an answer takes.
    under_way
        How many operations are under way, with this one.
    """
    if under_way > CROWD:
        return wish or poll_interval
    if looks == 0 and wish is not None:
        return wish
    return max(_beat(poll_interval, looks, elapsed, under_way) - took, timedelta(0))


def _beat(poll_interval: timedelta, looks: int, elapsed: timedelta, under_way: int) -> timedelta:
    """The time from the beginning of one look to that of the next."""
    if looks >= _AT_ONCE + _A_MINUTE * (elapsed / timedelta(minutes=1)):
        return max(poll_interval, min(elapsed * _SLOWER_SHARE, _SLOWEST))
    return max(poll_interval / _DENSE, min(elapsed * _SHARE, poll_interval)) * max(1.0, under_way / _FEW)
