"""Ask something about hosts again and again, beside the passes, until each of them has an answer.

Used for the readiness port and for host keys. A pass asks and reads what has come of it; an answer puts the host back
into the queue. Attempts wait for their time on the event loop's clock and for a free place in a line: no task sleeps,
and one dead network cannot keep others waiting for longer than an attempt may take. Who has an answer is not asked
again. It decides nothing, and knows nothing of what it asks.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from benchhost.controller.store import Key

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Inquiry(Generic[Question, Answer]):
    """One host's; a new one is made whenever something about it changes."""

    question: Question
    token: Hashable
    attempts: int = 0
    due: asyncio.TimerHandle | None = None
    attempt: asyncio.Task[None] | None = None
    answer: Answer | None = None

    def cancel(self) -> None:
        """No more attempts."""
        for pending in (self.due, self.attempt):
            if pending is not None:
                pending.cancel()


class Inquiries(Generic[Question, Answer]):
    """Questions and answers by the key of their host. Belongs to one event loop.

    Parameters
    ----------
    ask
        Makes one attempt, in a time of its own limit; gives None where there is no answer, and raises nothing.
    pause
        Gives the seconds from the beginning of an attempt to the beginning of the next; the first attempt is number 1.
    on_answer
        Called with the key of a host that has an answer.
    at_once
        How many attempts may be under way at the same time.
    """

    def __init__(
        self,
        ask: Callable[[Key, Question], Awaitable[Answer | None]],
        pause: Callable[[Question, int], float],
        *,
        on_answer: Callable[[Key], None],
        at_once: int,
    ) -> None:
        self._ask = ask
        self._pause = pause
        self._on_answer = on_answer
        self._free = at_once
        self._inquiries: dict[Key, _Inquiry[Question, Answer]] = {}
        self._line: deque[tuple[Key, _Inquiry[Question, Answer]]] = deque()
        self._attempts: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many have no answer yet."""
        return sum(inquiry.answer is None for inquiry in self._inquiries.values())

    @property
    def under_way(self) -> int:
        """How many attempts are under way."""
        return len(self._attempts)

    def begin(self, key: Key, question: Question, token: Hashable) -> None:
        """See to it that this is asked until it is answered; beginning the same again changes nothing.

        Parameters
        ----------
        key
            Of which host.
        question
            What is asked. Another question starts anew.
        token
            What an answer holds for. Another token starts anew.
        """
        known = self._inquiries.get(key)
        if known is not None and (known.question, known.token) == (question, token):
            return
        self.forget(key)
        inquiry = self._inquiries[key] = _Inquiry[Question, Answer](question, token)
        self._stand_in_line(key, inquiry)

    def answer(self, key: Key, token: Hashable) -> Answer | None:
        """The answer that holds for this token; None while there is none."""
        inquiry = self._inquiries.get(key)
        return inquiry.answer if inquiry is not None and inquiry.token == token else None

    def forget(self, key: Key) -> None:
        """Ask no more, and forget the answer."""
        inquiry = self._inquiries.pop(key, None)
        if inquiry is not None:
            inquiry.cancel()

    async def close(self) -> None:
        """End every attempt."""
        for key in list(self._inquiries):
            self.forget(key)
        self._line.clear()
        if self._attempts:
            await asyncio.wait(self._attempts)

    def _stand_in_line(self, key: Key, inquiry: _Inquiry[Question, Answer]) -> None:
        inquiry.due = None
        self._line.append((key, inquiry))
        self._begin_attempts()

    def _begin_attempts(self) -> None:
        while self._free > 0 and self._line:
            key, inquiry = self._line.popleft()
            if self._inquiries.get(key) is not inquiry:
                continue
            self._free -= 1
            inquiry.attempt = asyncio.create_task(self._attempt(key, inquiry))
            self._attempts.add(inquiry.attempt)
            inquiry.attempt.add_done_callback(self._end_attempt)

    def _end_attempt(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self._free += 1
        self._begin_attempts()

    async def _attempt(self, key: Key, inquiry: _Inquiry[Question, Answer]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        inquiry.attempts += 1
        inquiry.answer = await self._ask(key, inquiry.question)
        if inquiry.answer is not None:
            self._on_answer(key)
            return
        # Counted from the beginning of this attempt, as users count periods.
        due = began + self._pause(inquiry.question, inquiry.attempts)
        inquiry.due = loop.call_at(due, self._stand_in_line, key, inquiry)
