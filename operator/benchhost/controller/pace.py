"""How soon a running operation is looked at again. Pure; used by the reconciler.

The cloud's wish counts for the first look, and in a crowd. A few operations are looked at as often as the cloud's
limits allow: somebody waits for each, and what is asked of one operation takes nothing from others.
"""

from datetime import timedelta
from typing import Final

from benchhost.cloud.provider import CROWD

_DENSE: Final = 5
"""Looks within one poll interval of a few operations: every second, by default."""
_SHARE: Final = 1 / 30
"""Of the time that an operation has taken, from one look to the next: 1 s after 30 s, 5 s after 150 s. With these, no
operation takes more than Azure's bucket for it holds, 45 looks and 15 more a minute (Compute throttling, policy Get
operation)."""
_FEW: Final = 12
"""Operations under way that are looked at so often: 12 reads a second are half of what ARM gives a principal (25)."""


def next_look(
    poll_interval: timedelta, *, wish: timedelta | None, is_first: bool, elapsed: timedelta, under_way: int
) -> timedelta:
    """The time from one look to the next.

    Parameters
    ----------
    poll_interval
        As it is set; the bucket of one operation allows one look in less than that, for ever.
    wish
        What the cloud asked for in its last answer, if it did.
    is_first
        Whether the operation has not been looked at yet.
    elapsed
        Time since it began.
    under_way
        How many operations are under way, with this one.
    """
    if under_way > CROWD:
        return wish or poll_interval
    if is_first and wish is not None:
        return wish
    soon = min(max(poll_interval / _DENSE, elapsed * _SHARE), poll_interval)
    return soon * max(1.0, under_way / _FEW)
