"""Reads that many ask for at once: whoever asks while one is under way shares the next one with all others who do.

Used by ``hosts`` for Secrets, which every pass looks at and most hosts of a namespace have in common. Nothing is kept:
each answer was asked for after its caller asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SharedReads(Generic[K, V]):
    """At most one read of a key under way, and one that waits for its end.

    Parameters
    ----------
    read
        Reads a key; what it raises is raised to everybody who shares the read.
    """

    def __init__(self, read: Callable[[K], Awaitable[V]]) -> None:
        self._read = read
        self._next: dict[K, asyncio.Task[V]] = {}
        self._under_way: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K) -> V:
        """What the key holds, by a read that begins after this call."""
        shared = self._next.get(key)
        if shared is None:
            shared = self._next[key] = asyncio.create_task(self._read_after(key, self._under_way.get(key)))
            shared.add_done_callback(_note_failure)
        return await asyncio.shield(shared)

    async def _read_after(self, key: K, earlier: asyncio.Task[V] | None) -> V:
        if earlier is not None:
            await asyncio.wait({earlier})
        self._under_way[key] = this = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._under_way.get(key) is this:
                del self._under_way[key]


def _note_failure(ended: asyncio.Task[V]) -> None:
    """Whoever waited has the error; if everybody has given up, nobody misses it."""
    if not ended.cancelled():
        ended.exception()
