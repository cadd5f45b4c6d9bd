"""A keyed work queue: what controllers of Kubernetes run on, for one event loop.

A key waits at most once however often it is added, is worked on by one worker at a time, and may be due later. A key
added while it is worked on comes back afterwards. Keys whose time has come and keys that were just added take turns:
who has a turn to write does not miss it behind a crowd of newcomers, and newcomers do not wait for a crowd of others.
Called by the watch handler and by the workers; it knows nothing of hosts, and it never drops a key.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class QueueClosedError(Exception):
    """No more keys are given out."""


class WorkQueue(Generic[K]):
    """Keys that want work, now or at a time of the event loop's clock (seconds)."""

    def __init__(self) -> None:
        self._ready: deque[K] = deque()
        self._come_due: deque[K] = deque()
        self._due_is_next = True
        self._waiting: set[K] = set()
        self._active: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._arrival = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """How many keys are ready and not yet taken."""
        return len(self._ready) + len(self._come_due)

    def add(self, key: K) -> None:
        """Let the key be worked on as soon as a worker is free; a later due time is forgotten."""
        self._due.pop(key, None)
        self._line_up(key, self._ready)

    def add_after(self, key: K, delay: float) -> None:
        """Let the key be worked on in ``delay`` seconds, unless it is added before; replaces an earlier due time."""
        if key in self._waiting or key in self._again:
            return
        due = asyncio.get_running_loop().time() + max(0.0, delay)
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._arm()

    async def get(self) -> K:
        """The next key; it must be given back with ``done``.

        Raises
        ------
        QueueClosedError
            After ``close``, whatever still waits.
        """
        while not self and not self._closed:
            self._arrival.clear()
            await self._arrival.wait()
        if self._closed:
            raise QueueClosedError
        key = self._next_line().popleft()
        self._waiting.discard(key)
        self._active.add(key)
        return key

    def done(self, key: K) -> None:
        """The work on the key has ended; if it was added meanwhile it is ready again."""
        self._active.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Give out no more keys; workers end when their present key is done."""
        self._closed = True
        self._arrival.set()
        if self._timer is not None:
            self._timer.cancel()

    def _line_up(self, key: K, line: deque[K]) -> None:
        if key in self._active:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            line.append(key)
            self._arrival.set()

    def _next_line(self) -> deque[K]:
        """The two lines in turn, as long as somebody stands in both."""
        first, second = (self._come_due, self._ready) if self._due_is_next else (self._ready, self._come_due)
        self._due_is_next = not self._due_is_next
        return first or second

    def _arm(self) -> None:
        """Set the timer to the earliest due time that still counts."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            return
        due = self._heap[0][0]
        if self._timer is not None and not self._timer.cancelled():
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._release)

    def _release(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self._line_up(key, self._come_due)
        self._arm()


async def work(queue: WorkQueue[K], handle: Callable[[K], Awaitable[float | None]]) -> None:
    """Take keys until the queue is closed, one at a time.

    ``handle`` gives the seconds until the key wants work again, or None.

    ``handle`` must not raise: a worker that dies would be a host that nobody looks after, so the error is left to end
    the process.
    """
    while True:
        try:
            key = await queue.get()
        except QueueClosedError:
            return
        try:
            delay = await handle(key)
        finally:
            queue.done(key)
        if delay is not None:
            queue.add_after(key, delay)
