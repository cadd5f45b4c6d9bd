"""The promises of the work queue: nothing lost, nothing twice at once, due when due."""

import asyncio

import pytest

from benchhost.controller.work_queue import QueueClosedError, WorkQueue, work


async def take(queue: WorkQueue[str]) -> str:
    async with asyncio.timeout(2):
        return await queue.get()


async def test_a_key_added_twice_is_given_out_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert [await take(queue), await take(queue)] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_back_once_it_is_done() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await take(queue)
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_delayed_keys_come_in_the_order_of_their_due_times() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("late", 0.06)
    queue.add_after("early", 0.01)
    assert [await take(queue), await take(queue)] == ["early", "late"]


async def test_an_event_comes_before_the_due_time_and_cancels_it() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.02)
    queue.add("a")
    assert await take(queue) == "a"
    queue.done("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.06):
            await queue.get()


async def test_a_new_due_time_replaces_the_old_one_both_ways() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("sooner", 60)
    queue.add_after("sooner", 0.01)
    queue.add_after("later", 0.0)
    queue.add_after("later", 0.03)
    assert [await take(queue), await take(queue)] == ["sooner", "later"]


async def test_a_due_time_does_not_delay_a_key_that_is_ready() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.add_after("a", 60)
    assert await take(queue) == "a"


async def test_workers_never_share_a_key_and_end_when_the_queue_is_closed() -> None:
    queue: WorkQueue[int] = WorkQueue()
    active: set[int] = set()
    worked: list[int] = []
    finished = asyncio.Event()

    async def handle(key: int) -> float | None:
        assert key not in active
        active.add(key)
        await asyncio.sleep(0)
        active.discard(key)
        worked.append(key)
        if len(worked) == 150:
            finished.set()
        return 0.0 if worked.count(key) < 3 else None

    workers = [asyncio.create_task(work(queue, handle)) for _ in range(4)]
    for key in range(50):
        queue.add(key)
    async with asyncio.timeout(5):
        await finished.wait()
    queue.close()
    async with asyncio.timeout(2):
        await asyncio.gather(*workers)
    assert sorted(worked) == sorted(list(range(50)) * 3)


async def test_a_closed_queue_gives_nothing_out() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    queue.close()
    with pytest.raises(QueueClosedError):
        await queue.get()


async def test_who_has_come_due_and_who_was_added_take_turns() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for number in range(4):
        queue.add(f"new-{number}")
    for name in ("due-0", "due-1"):
        queue.add_after(name, 0.0)
    await asyncio.sleep(0.02)
    assert len(queue) == 6
    order = [await take(queue) for _ in range(6)]
    assert order == ["due-0", "new-0", "due-1", "new-1", "new-2", "new-3"]
