"""Reads that are shared: how many are sent, and how old an answer can be."""

import asyncio
from dataclasses import dataclass, field

import pytest

from benchhost.controller.shared_reads import SharedReads


@dataclass
class Server:
    """Answers when it is told to."""

    value: str = "old"
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def read(self, key: str) -> str:
        self.asked.append(key)
        seen = self.value
        await self.gate.wait()
        if self.broken:
            raise OSError("no route")
        return seen


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_read_by_itself_is_sent_at_once() -> None:
    server = Server()
    server.gate.set()
    reads = SharedReads(server.read)

    assert [await reads.get("a"), await reads.get("a")] == ["old", "old"]
    assert server.asked == ["a", "a"]


async def test_who_asks_while_one_is_under_way_shares_a_later_one() -> None:
    server = Server()
    reads = SharedReads(server.read)
    first = asyncio.create_task(reads.get("a"))
    await settle()
    server.value = "new"

    later = [asyncio.create_task(reads.get("a")) for _ in range(50)]
    await settle()
    assert server.asked == ["a"]
    server.gate.set()

    assert await first == "old"
    assert set(await asyncio.gather(*later)) == {"new"}
    assert server.asked == ["a", "a"]


async def test_keys_do_not_wait_for_each_other() -> None:
    server = Server()
    reads = SharedReads(server.read)
    asking = [asyncio.create_task(reads.get(key)) for key in "ab"]
    await settle()

    assert sorted(server.asked) == ["a", "b"]
    server.gate.set()
    await asyncio.gather(*asking)


async def test_an_error_reaches_everybody_who_shared_it_and_nobody_after_them() -> None:
    server = Server(broken=True)
    reads = SharedReads(server.read)
    asking = [asyncio.create_task(reads.get("a")) for _ in range(3)]
    await settle()
    server.gate.set()

    assert [type(answer) for answer in await asyncio.gather(*asking, return_exceptions=True)] == [OSError] * 3
    server.broken = False
    assert await reads.get("a") == "old"


async def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    server = Server()
    reads = SharedReads(server.read)
    impatient, patient = (asyncio.create_task(reads.get("a")) for _ in range(2))
    await settle()
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    server.gate.set()

    assert await patient == "old"
    assert server.asked == ["a"]
