"""Consoles are read until they show keys, and no longer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from benchhost.api import BenchHost
from benchhost.api.model import to_timestamp
from benchhost.controller.key_reads import KeyReads
from benchhost.controller.store import Key
from support.builders import EARLIER, NOW, OWNER, host
from support.consoles import ED25519, OTHER_ED25519, console

KEY = (OWNER.namespace, OWNER.name)
AWAITED = {"vmId": "vm-guid", "epoch": 1, "awaitedSince": to_timestamp(NOW)}


@dataclass
class Console:
    """What a cloud shows, one text a read and the last for ever; and who was told of keys."""

    texts: list[str | Exception | None] = field(default_factory=list)
    reads: list[Key] = field(default_factory=list)
    told: list[Key] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, key: Key) -> str | None:
        self.reads.append(key)
        self.news.set()
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if isinstance(text, Exception):
            raise text
        return text

    def tell(self, key: Key) -> None:
        self.told.append(key)
        self.news.set()

    async def until(self, *, told: int = 0, reads: int = 0) -> None:
        async with asyncio.timeout(10):
            while len(self.told) < told or len(self.reads) < reads:
                self.news.clear()
                await self.news.wait()


def waiting(**record: Any) -> BenchHost:
    return host(status={"sshHostKeys": AWAITED | record})


@pytest.fixture
def shown() -> Console:
    return Console()


@pytest.fixture
async def keys(shown: Console) -> AsyncIterator[KeyReads]:
    made = KeyReads(shown.read, shown.tell, first_pause=0.001)
    yield made
    await made.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    "not_yet",
    [
        pytest.param(None, id="a-console-that-cannot-be-read"),
        pytest.param("", id="an-empty-console"),
        pytest.param(console(), id="a-console-without-keys"),
        pytest.param(RuntimeError("a mistake of ours"), id="a-mistake-of-ours"),
    ],
)
async def test_a_console_is_read_until_it_shows_keys(shown: Console, keys: KeyReads, not_yet: Any) -> None:
    shown.texts = [not_yet, not_yet, console(ED25519)]
    keys.follow(waiting())
    await shown.until(told=1)
    assert keys.found(waiting()) == (ED25519,)
    keys.follow(waiting())
    assert (shown.told, shown.reads) == ([KEY], [KEY] * 3)


async def test_what_was_found_holds_for_one_wait_only(shown: Console, keys: KeyReads) -> None:
    shown.texts = [console(ED25519)]
    keys.follow(waiting())
    await shown.until(told=1)
    for other in (waiting(vmId="another"), waiting(awaitedSince=to_timestamp(EARLIER)), host()):
        assert keys.found(other) == ()
    keys.follow(waiting(vmId="another"))
    assert keys.found(waiting()) == ()
    await shown.until(told=2)


async def test_keys_of_a_disk_that_is_gone_are_not_taken_for_new_ones(shown: Console, keys: KeyReads) -> None:
    shown.texts = [console(ED25519), console(ED25519), console(ED25519) + console(OTHER_ED25519)]
    moved = waiting(keys=[ED25519])
    keys.follow(moved)
    await shown.until(told=1)
    assert keys.found(moved) == (OTHER_ED25519,)
    assert len(shown.reads) == 3


async def test_who_is_forgotten_is_not_read_again(shown: Console) -> None:
    shown.texts = [None]
    keys = KeyReads(shown.read, shown.tell, first_pause=60)
    keys.follow(waiting())
    await shown.until(reads=1)
    keys.forget(KEY)
    keys.forget(KEY)
    assert keys.found(waiting()) == ()
    await keys.close()
    assert shown.reads == [KEY]


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (10_000, 60)])
def test_reads_become_rare(shown: Console, attempt: int, seconds: float) -> None:
    assert KeyReads(shown.read, shown.tell)._pause((), attempt) == seconds
