"""What is surely left of one of Azure's rate limits, told from what was sent and what answers say remains. Pure.

Asked by the budget. Times are seconds of any clock that never goes back. A bucket promises only tokens that must be
there whatever the cloud's phase, and whatever is under way: each answer's header corrects it, in both directions.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

_BEFORE_FIRST_ANSWER: Final = 16
"""Requests that are sent before the first answer has told how large the bucket is: what the documents promise may be
in use by others, or may not hold for this subscription."""
_ANSWER_TIME: Final = 0.25
"""Seconds until one looks again for that first answer."""
_LEAST_WAIT: Final = 0.01
"""Seconds; so that nobody comes back in a circle when a number is rounded."""
_FEWEST_STEPS: Final = 4
_MOST_STEPS: Final = 40
"""Refills between the two answers that a rate is told from: with fewer the refills' steps blur it, and with more a
change of the rate would be noticed late."""
_SLOWEST: Final = 1 / 50
"""Of the documented rate: what is assumed when others leave us nothing, so that one still comes back and looks."""
_COUNTED_WITHIN: Final = 1.0
"""Seconds after which a request that is not answered yet has been counted; before, later ones may be counted first."""
_ON_THE_WAY: Final = 5.0
"""Seconds that a request may take to be counted; the next one may be faster."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as the documents tell it: so many tokens, and so many come at once at the end of each period."""

    capacity: int
    refill: int
    period: float
    """Seconds."""
    is_window: bool = False
    """Counted over any span of the period, and told by no header."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request under way, as its bucket remembers it."""

    number: int
    """How many the bucket had sent with it."""
    at: float
    promised: float
    """Tokens that had to be there with it, when nothing else was under way that could have taken them; else 0."""


class Bucket(Protocol):
    """What a limit still allows."""

    @property
    def is_measured(self) -> bool:
        """Whether its pace was seen to hold, or learned."""
        ...

    def available(self, now: float) -> int:
        """Tokens that are surely there."""
        ...

    def wait_for(self, tokens: int, now: float) -> float:
        """Seconds until that many are there, 0 for now; an estimate."""
        ...

    def take(self, now: float) -> Sent:
        """Take one for a request that is sent now."""
        ...

    def answered(self, sent: Sent, remaining: int | None, now: float) -> None:
        """A request came back; ``remaining`` is what its answer says is left, None when it says nothing."""
        ...

    def refused(self, until: float) -> None:
        """A request was refused for this limit; nothing is there before ``until``."""
        ...

    def is_idle(self, now: float) -> bool:
        """Whether forgetting it loses nothing."""
        ...


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an answer tells of all tokens that were ever given: least and most, of the time and of the number."""

    at: tuple[float, float]
    given: tuple[int, int]


@dataclass(slots=True)
class TokenBucket:
    """A bucket that follows headers.

    ``floor`` tokens were there at ``at``. Since then ``rate`` a second have come, in steps of ``step`` of which the
    last may still be due: ``_surely`` leaves it out.
    """

    limit: Limit
    at: float
    floor: float = field(init=False)
    capacity: int = field(init=False)
    rate: float = field(init=False)
    _is_known: bool = False
    _is_measured: bool = False
    _sent: int = 0
    _under_way: dict[int, float] = field(default_factory=dict)
    _newest: int = 0
    _reference: _Reading | None = None
    _may_have_lost: bool = False
    """Whether the bucket may have been full since then, so that what came in has run over."""

    def __post_init__(self) -> None:
        self.floor = self.capacity = self.limit.capacity
        self.rate = self.limit.refill / self.limit.period

    @property
    def is_measured(self) -> bool:
        """Whether the rate was seen to hold, or learned."""
        return self._is_measured

    @property
    def step(self) -> int:
        """Tokens that come at once."""
        return self.limit.refill

    def available(self, now: float) -> int:
        """Tokens that are surely there."""
        level = self._level(now)
        if not self._is_known:
            level = min(level, _BEFORE_FIRST_ANSWER - len(self._under_way))
        return max(0, int(level))

    def wait_for(self, tokens: int, now: float) -> float:
        """Seconds until that many are there: past the bucket's size, until that many have come."""
        if self.available(now) >= tokens:
            return 0.0
        missing = tokens - self.floor
        if missing <= 0:
            return max(self.at - now, _ANSWER_TIME)
        return max((missing + self.step) / self.rate - (now - self.at), _LEAST_WAIT)

    def take(self, now: float) -> Sent:
        """Take one for a request that is sent now."""
        self._may_have_lost |= self.floor + self.rate * (now - self.at) + self.step >= self.capacity
        promised = self._level(now) if self._is_known and not self._under_way else 0.0
        self.floor -= 1
        self._sent += 1
        self._under_way[self._sent] = now
        return Sent(self._sent, now, promised)

    def answered(self, sent: Sent, remaining: int | None, now: float) -> None:
        """Correct everything by what an answer says; an answer to an older request than the newest tells nothing."""
        self._under_way.pop(sent.number, None)
        self._is_known = True
        if remaining is None or sent.number < self._newest or now < self.at:
            return
        self._newest = sent.number
        if remaining >= self.capacity or remaining + 1 < int(sent.promised):
            # The bucket is larger than was thought; or smaller, or used by others: no more than this is promised then.
            self.capacity = remaining + 1
        # The number may have been read when the request came in or when it was answered. What was sent since may be
        # in it or not, what came back since as well, and what it has overtaken too: the lowest that fits all.
        overtaken = sum(
            number < sent.number and at > sent.at - _COUNTED_WITHIN for number, at in self._under_way.items()
        )
        on_the_way = sum(at > now - _COUNTED_WITHIN for at in self._under_way.values())
        left = min(remaining + self._surely(now - sent.at), self.capacity) - (self._sent - sent.number) - overtaken
        self.floor, self.at = min(remaining - on_the_way, left), now
        self._measure(_Reading((sent.at, now), (remaining + sent.number, remaining + self._sent)), remaining)

    def refused(self, until: float) -> None:
        """Nothing is there before ``until``, and one token is then. A refused request has taken none."""
        self.floor, self.at = 1, until
        self._reference = None

    def is_idle(self, now: float) -> bool:
        """Whether it is full, as a new one would be."""
        return not self._under_way and self._level(now) >= self.capacity

    def _level(self, now: float) -> float:
        if now < self.at:
            return 0.0
        level = self.floor + self._surely(now - self.at)
        if level < self.capacity:
            return level
        self.floor, self.at = self.capacity, now
        return self.floor

    def _surely(self, elapsed: float) -> float:
        """Tokens that must have come in so many seconds, wherever in a period they began."""
        return max(0.0, self.rate * elapsed - self.step)

    def _measure(self, reading: _Reading, remaining: int) -> None:
        """Learn how fast tokens come: what remains and what was sent add up to what was given, and that grows steadily.

        Two looks at a staircase tell its slope to within a step. A rate that fits is not touched.
        """
        earlier = self._reference
        # Of what comes into a bucket that is nearly full some is lost: it tells what came at least, and not at most.
        loses = self._may_have_lost or remaining + self.step >= self.capacity
        if earlier is None:
            self._refer_to(reading)
            return
        least, most = reading.given[0] - earlier.given[1], reading.given[1] - earlier.given[0]
        shortest, longest = reading.at[0] - earlier.at[1], reading.at[1] - earlier.at[0]
        steps = max(least, shortest * self.rate) / self.step
        if steps >= _FEWEST_STEPS:
            if shortest > 0 and not loses:
                self.rate = min(self.rate, (most + self.step) / shortest)
            lowest = _SLOWEST * self.limit.refill / self.limit.period
            self.rate = max(self.rate, (least - self.step) / longest, lowest)
            self._is_measured = True
        if loses or steps > _MOST_STEPS:
            self._refer_to(reading)

    def _refer_to(self, reading: _Reading) -> None:
        self._reference, self._may_have_lost = reading, False


@dataclass(slots=True)
class Window:
    """A limit on every span of a period, which no header tells: it holds however the cloud cuts its periods."""

    limit: Limit
    closed_until: float = 0.0
    _taken: deque[float] = field(default_factory=deque)

    @property
    def is_measured(self) -> bool:
        """Nobody says anything else than the documents."""
        return True

    @property
    def _span(self) -> float:
        return self.limit.period + _ON_THE_WAY

    def available(self, now: float) -> int:
        """What the last period leaves."""
        while self._taken and self._taken[0] <= now - self._span:
            self._taken.popleft()
        return 0 if now < self.closed_until else self.limit.capacity - len(self._taken)

    def wait_for(self, tokens: int, now: float) -> float:
        """Seconds until enough of what was taken is a period old."""
        missing = tokens - self.available(now)
        if missing <= 0:
            return 0.0
        if now < self.closed_until:
            return self.closed_until - now
        periods, place = divmod(missing - 1, self.limit.capacity)
        oldest = self._taken[min(place, len(self._taken) - 1)]
        return max(oldest + (periods + 1) * self._span - now, _LEAST_WAIT)

    def take(self, now: float) -> Sent:
        """Take one for a request that is sent now."""
        self._taken.append(now)
        return Sent(len(self._taken), now, promised=0.0)

    def answered(self, sent: Sent, remaining: int | None, now: float) -> None:
        """Nothing is learned: no answer tells of this limit."""

    def refused(self, until: float) -> None:
        """Nothing is there before ``until``."""
        self.closed_until = until

    def is_idle(self, now: float) -> bool:
        """Whether nothing was taken in the last period."""
        return self.available(now) == self.limit.capacity
