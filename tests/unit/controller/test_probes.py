"""Probes against real sockets on the loopback interface."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.probes import ReadinessProbes, Target
from benchhost.controller.store import Key

HERE = "127.0.0.1"
FAST = 0.01
"""Seconds between attempts, and the limit of one: a guest that is there may be asked again where the machine is slow."""
ONCE = 60.0
"""Seconds between attempts where one is enough: a guest that is there is asked exactly once."""
KEY = ("bench", "pg-1")


@dataclass
class Answers:
    """Who has answered, in order."""

    keys: list[Key] = field(default_factory=list)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, key: Key) -> None:
        self.keys.append(key)
        self.arrival.set()

    async def wait_for(self, count: int) -> list[Key]:
        async with asyncio.timeout(5):
            while len(self.keys) < count:
                self.arrival.clear()
                await self.arrival.wait()
        return self.keys


@dataclass
class Guest:
    """Listens on a port and counts who connects."""

    port: int = 0
    connections: int = 0
    arrival: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.arrival.set()
        writer.close()

    async def accepted(self) -> int:
        """How many have connected, after the first: it is accepted later than its own side knows."""
        async with asyncio.timeout(5):
            await self.arrival.wait()
        return self.connections


@asynccontextmanager
async def guest(port: int = 0) -> AsyncIterator[Guest]:
    made = Guest()
    async with await asyncio.start_server(made.accept, HERE, port) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that is taken and that nobody listens on: connections are refused."""
    with socket.socket() as taken:
        taken.bind((HERE, 0))
        yield taken.getsockname()[1]


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def probes(answers: Answers, clock: SettableClock) -> AsyncIterator[ReadinessProbes]:
    made = ReadinessProbes(answers, clock=clock)
    yield made
    await made.close()
    assert made.under_way == 0


async def test_a_guest_that_answers_is_reported_once_with_the_moment(
    probes: ReadinessProbes, answers: Answers, clock: SettableClock
) -> None:
    async with guest() as there:
        target = Target(HERE, there.port, ONCE)
        assert probes.answered_at(KEY, 1) is None
        probes.ask(KEY, target, 1)
        assert await answers.wait_for(1) == [KEY]
        assert probes.answered_at(KEY, 1) == clock.now
        probes.ask(KEY, target, 1)
        assert len(probes) == 0
        assert await there.accepted() == 1


async def test_a_port_that_opens_later_is_found(probes: ReadinessProbes, answers: Answers) -> None:
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        probes.ask(KEY, Target(HERE, listener.getsockname()[1], FAST), 1)
        await _first_attempt_ended(probes)
        listener.listen()
        assert await answers.wait_for(1) == [KEY]


async def _first_attempt_ended(probes: ReadinessProbes) -> None:
    attempt = probes._inquiries._inquiries[KEY].attempt
    assert attempt is not None
    async with asyncio.timeout(5):
        await attempt


async def test_a_new_start_is_asked_anew_and_an_old_answer_does_not_count(
    probes: ReadinessProbes, answers: Answers, clock: SettableClock
) -> None:
    async with guest() as there:
        target = Target(HERE, there.port, FAST)
        probes.ask(KEY, target, "epoch-1")
        await answers.wait_for(1)
        assert probes.answered_at(KEY, "epoch-2") is None
        probes.ask(KEY, target, "epoch-2")
        assert probes.answered_at(KEY, "epoch-2") is None
        assert await answers.wait_for(2) == [KEY, KEY]
        assert probes.answered_at(KEY, "epoch-2") == clock.now
        assert probes.answered_at(KEY, "epoch-1") is None


async def test_another_address_is_asked_at_once(probes: ReadinessProbes, answers: Answers, silent_port: int) -> None:
    async with guest() as there:
        probes.ask(KEY, Target(HERE, silent_port, 60), 1)
        await _first_attempt_ended(probes)
        probes.ask(KEY, Target(HERE, there.port, 60), 1)
        assert await answers.wait_for(1) == [KEY]


async def test_a_forgotten_guest_is_not_asked_again(probes: ReadinessProbes, answers: Answers) -> None:
    async with guest() as there:
        probes.ask(KEY, Target(HERE, there.port, ONCE), 1)
        probes.forget(KEY)
        probes.forget(KEY)
        other = ("bench", "pg-2")
        probes.ask(other, Target(HERE, there.port, ONCE), 1)
        assert await answers.wait_for(1) == [other]
        assert await there.accepted() == 1
    assert probes.answered_at(KEY, 1) is None


async def test_an_attempt_that_hangs_ends_by_its_time_limit_and_others_go_on(answers: Answers) -> None:
    with socket.socket() as full:  # a full line of connections that nobody accepts: the kernel drops the next SYN
        full.bind((HERE, 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        probes = ReadinessProbes(answers, at_once=1)
        try:
            async with guest() as there:
                probes.ask(("bench", "hangs"), Target(HERE, full.getsockname()[1], 0.05), 1)
                probes.ask(KEY, Target(HERE, there.port, 0.05), 1)
                assert await answers.wait_for(1) == [KEY]
                assert len(probes) == 1
        finally:
            await probes.close()
            for filler in fillers:
                filler.close()


async def test_no_more_attempts_at_once_than_allowed_and_all_are_answered(answers: Answers) -> None:
    probes = ReadinessProbes(answers, at_once=3)
    most = 0
    async with guest() as there:
        for number in range(50):
            probes.ask(("bench", f"pg-{number}"), Target(HERE, there.port, FAST), 1)
            most = max(most, probes.under_way)
        while len(answers.keys) < 50:
            await answers.wait_for(len(answers.keys) + 1)
            most = max(most, probes.under_way)
    await probes.close()
    assert most == 3
    assert sorted(set(answers.keys)) == sorted(answers.keys)


async def test_closing_ends_attempts_that_are_under_way(answers: Answers, silent_port: int) -> None:
    probes = ReadinessProbes(answers)
    async with guest() as there:
        probes.ask(KEY, Target(HERE, there.port, FAST), 1)
        probes.ask(("bench", "pg-2"), Target(HERE, silent_port, 60), 1)
        await probes.close()
    assert answers.keys == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("host", ["not an address", "", "192.0.2.1%bad"])
async def test_an_address_that_makes_no_sense_is_no_answer(
    probes: ReadinessProbes, answers: Answers, host: str
) -> None:
    probes.ask(KEY, Target(host, 22, 60), 1)
    await _first_attempt_ended(probes)
    assert answers.keys == []


async def test_a_guest_that_is_forgotten_while_it_stands_in_line_is_not_asked(answers: Answers) -> None:
    probes = ReadinessProbes(answers, at_once=1)
    async with guest() as there, guest() as forgotten:
        probes.ask(KEY, Target(HERE, there.port, FAST), 1)
        probes.ask(("bench", "waits"), Target(HERE, forgotten.port, FAST), 1)
        probes.forget(("bench", "waits"))
        probes.ask(("bench", "last"), Target(HERE, there.port, FAST), 1)
        assert await answers.wait_for(2) == [KEY, ("bench", "last")]
    await probes.close()
    assert forgotten.connections == 0
