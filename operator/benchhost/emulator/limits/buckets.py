"""Token buckets as Microsoft.Compute and ARM describe them.

A bucket starts full, and whole refills come at the end of each period: ``compute-throttling-limits.md`` shows in a
table that four tokens are there at the beginning of a minute and none come within it, and ARM's
``request-limits-and-throttling.md`` says "each second, 25 tokens become available". So refilling goes in steps, not
continuously. In the same table a refused request takes no token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SWEEP_AT = 4096
"""How many buckets there are before full ones are forgotten for the first time."""

RESOLUTION = 1e-6
"""Seconds. Who waits exactly as long as told is not turned away because a float of seconds since 1970 resolves less."""


@dataclass(frozen=True, slots=True)
class BucketSize:
    """How much a bucket holds and what comes back.

    Parameters
    ----------
    capacity
        Tokens in a full bucket.
    refill
        Tokens that come at the end of each period.
    period
        Seconds of the emulated cloud.
    """

    capacity: int
    refill: int
    period: float


@dataclass(slots=True)
class TokenBucket:
    """One bucket; all times are seconds since 1970.

    Parameters
    ----------
    level
        Tokens in it.
    since
        When the present period began.
    refused
        Requests that were refused in this period.
    """

    level: int
    since: float
    refused: int = 0

    def settle(self, size: BucketSize, now: float, *, factor: float) -> None:
        """Add what has come by ``now``; a period of the emulated cloud lasts ``factor`` times as long here."""
        period = size.period * factor
        if period == 0:
            self.level, self.since, self.refused = size.capacity, now, 0
            return
        periods = int((now - self.since + RESOLUTION) / period)
        if periods > 0:
            self.level = min(size.capacity, self.level + periods * size.refill)
            self.since += periods * period
            self.refused = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking for a token from each of some buckets.

    Parameters
    ----------
    levels
        What is left in each, in the order they were asked for.
    empty
        Why nothing was taken; None when it was.
    """

    levels: list[int]
    empty: EmptyBucket | None = None


@dataclass(frozen=True, slots=True)
class EmptyBucket:
    """Why a request is refused.

    Parameters
    ----------
    limit, size
        Which limit.
    since, until
        When its period began, and when the next one does; seconds since 1970.
    wait
        Seconds until then.
    measured
        What a full bucket bears and the requests that were refused in this period.
    """

    limit: str
    size: BucketSize
    since: float
    until: float
    wait: float
    measured: int


class Buckets:
    """All buckets, by limit and scope; a bucket that nobody has used is full.

    Parameters
    ----------
    sizes
        The size of each limit's buckets.
    factor
        What durations of the emulated cloud are multiplied by; at 0 every bucket is always full.
    """

    unsaved = ("sizes", "_factor", "_buckets", "_sweep_at")
    """A setting of each run and what follows from the rest; and what is in the buckets, which every request changes,
    reads too, and which comes back by itself within minutes (state.cells)."""

    def __init__(self, sizes: dict[str, BucketSize], factor: float) -> None:
        self.sizes = dict(sizes)
        self._resized: dict[str, BucketSize] = {}
        self._factor = factor
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._sweep_at = SWEEP_AT

    def __len__(self) -> int:
        """Return how many buckets are remembered."""
        return len(self._buckets)

    def take(self, keys: Sequence[tuple[str, str]], now: float, *, enforce: bool) -> Taken:
        """Take a token from each bucket, or from none if one of them is empty.

        Of several empty buckets the one that opens last is told, because a client has to wait for that.

        Parameters
        ----------
        keys
            Limit and scope of each bucket.
        now
            Seconds since 1970.
        enforce
            Without it tokens are taken where there are any, and nothing is refused.
        """
        buckets = [self._settled(key, now) for key in keys]
        empty = [(key[0], bucket) for key, bucket in zip(keys, buckets, strict=True) if bucket.level == 0]
        if empty and enforce:
            for _, bucket in empty:
                bucket.refused += 1
            described = (self._describe(*pair, now) for pair in empty)
            return Taken([bucket.level for bucket in buckets], max(described, key=lambda found: found.wait))
        for bucket in buckets:
            bucket.level = max(0, bucket.level - 1)
        return Taken([bucket.level for bucket in buckets])

    def level(self, key: tuple[str, str], now: float) -> int:
        """Return what is in a bucket."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return self.sizes[key[0]].capacity
        bucket.settle(self.sizes[key[0]], now, factor=self._factor)
        return bucket.level

    def resize(self, limit: str, size: BucketSize, now: float) -> None:
        """Give a limit's buckets another size; full ones stay full, others keep what they hold if it fits."""
        old = self.sizes[limit]
        for _, bucket in self._of(limit):
            bucket.settle(old, now, factor=self._factor)
            is_full = bucket.level == old.capacity
            bucket.level = size.capacity if is_full else min(size.capacity, bucket.level)
        self.sizes[limit] = self._resized[limit] = size

    def restored(self) -> None:
        """Give those limits their size that somebody had changed."""
        self.sizes.update(self._resized)

    def is_used(self, limit: str) -> bool:
        """Tell whether there is any bucket of a limit."""
        return any(True for _ in self._of(limit))

    def fill(self, limit: str, level: int, now: float, *, scope: str | None = None) -> None:
        """Put so many tokens into one bucket, or into all that a limit has.

        A period begins now, so that what is taken out stays out for a whole one.
        """
        if scope is not None:
            self._settled((limit, scope), now)
        for its_scope, bucket in self._of(limit):
            if scope is None or its_scope == scope:
                bucket.level, bucket.since = min(self.sizes[limit].capacity, level), now

    def levels(self, now: float) -> Iterable[tuple[str, str, int]]:
        """Return limit, scope and level of every bucket that is not full."""
        for key in list(self._buckets):
            level = self.level(key, now)
            if level < self.sizes[key[0]].capacity:
                yield (*key, level)

    def _settled(self, key: tuple[str, str], now: float) -> TokenBucket:
        size = self.sizes[key[0]]
        bucket = self._buckets.get(key)
        if bucket is None:
            self._forget_full_ones(now)
            bucket = self._buckets[key] = TokenBucket(size.capacity, now)
            return bucket
        bucket.settle(size, now, factor=self._factor)
        return bucket

    def _forget_full_ones(self, now: float) -> None:
        """Keep memory bounded by what clients do now, not by every machine there ever was.

        Each sweep waits until as many buckets are new as the last one left, so a request pays for a constant number.
        """
        if len(self._buckets) < self._sweep_at:
            return
        self._buckets = {key: self._buckets[key] for key in self._buckets if not self._is_full(key, now)}
        self._sweep_at = max(SWEEP_AT, 2 * len(self._buckets))

    def _is_full(self, key: tuple[str, str], now: float) -> bool:
        return self.level(key, now) == self.sizes[key[0]].capacity

    def _describe(self, limit: str, bucket: TokenBucket, now: float) -> EmptyBucket:
        size = self.sizes[limit]
        until = bucket.since + size.period * self._factor
        return EmptyBucket(
            limit=limit,
            size=size,
            since=bucket.since,
            until=until,
            wait=max(0.0, until - now),
            measured=size.capacity + bucket.refused,
        )

    def _of(self, limit: str) -> Iterator[tuple[str, TokenBucket]]:
        for (its_limit, scope), bucket in self._buckets.items():
            if its_limit == limit:
                yield scope, bucket
