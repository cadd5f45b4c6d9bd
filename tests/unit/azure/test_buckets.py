"""A bucket promises no token that is not there, and leaves none of them lying."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchhost.azure.buckets import Limit, TokenBucket, Window
from unit.azure.limited_server import LimitedServer, send_all

WRITES = Limit(200, 10, 1.0)
limits = st.builds(
    lambda capacity, share, period: Limit(capacity, max(1, int(capacity * share)), period),
    capacity=st.integers(20, 300),
    share=st.floats(0.0, 1 / 3),
    period=st.sampled_from([0.1, 1.0, 60.0]),
)
"""No documented bucket gets back more than a third of what it holds at a time (Compute: 500 of 1,500)."""


def bucket(limit: Limit = WRITES) -> TokenBucket:
    return TokenBucket(limit, at=0.0)


def answered_once(limit: Limit = WRITES, *, remaining: int, now: float = 0.0) -> TokenBucket:
    """A bucket of which one answer has told what remains."""
    made = bucket(limit)
    made.answered(made.take(now), remaining, now)
    return made


@settings(max_examples=25, deadline=None)
@given(
    limit=limits,
    phase=st.floats(0.0, 1.0),
    latencies=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=20),
    told_late=st.booleans(),
)
def test_nothing_is_ever_refused_when_the_documents_hold_and_nobody_else_asks(
    limit: Limit, phase: float, latencies: list[float], *, told_late: bool
) -> None:
    server = LimitedServer(limit.capacity, limit.refill, limit.period, phase)
    run = send_all(
        bucket(limit), server, 600, latency=lambda number: latencies[number % len(latencies)], told_late=told_late
    )
    assert run.refused == 0


@settings(max_examples=25, deadline=None)
@given(phase=st.floats(0.0, 1.0), latency=st.floats(0.01, 3.6), told_late=st.booleans())
def test_what_the_limit_allows_is_used(phase: float, latency: float, *, told_late: bool) -> None:
    server = LimitedServer(WRITES.capacity, WRITES.refill, WRITES.period, phase)
    run = send_all(bucket(), server, 1000, latency=lambda _: latency, told_late=told_late)
    assert run.refused == 0
    # Until the first answer has come the limit itself is not known.
    assert server.soonest(1000) / (run.seconds - latency) >= 0.95


@settings(max_examples=25, deadline=None)
@given(speed=st.floats(1.0, 30.0), phase=st.floats(0.0, 1.0), latency=st.floats(0.01, 3.6))
def test_a_cloud_that_gives_more_than_the_documents_say_is_used_too(speed: float, phase: float, latency: float) -> None:
    server = LimitedServer(WRITES.capacity, WRITES.refill, WRITES.period / speed, phase)
    run = send_all(bucket(), server, 2000, latency=lambda _: latency / speed)
    assert run.refused == 0
    # Once the bucket is empty for the first time, a token is waited for as long as the documents say.
    assert server.soonest(2000) / (run.seconds - latency - 1.2 * WRITES.period) >= 0.95


def test_a_faster_pace_is_learned_so_that_turns_are_told_right() -> None:
    found = bucket()
    server = LimitedServer(WRITES.capacity, WRITES.refill, WRITES.period / 20)
    send_all(found, server, 2000, latency=lambda _: 0.05)
    assert found.is_measured
    assert 170 <= found.rate <= 200


def test_a_pace_that_fits_the_documents_is_not_touched() -> None:
    found = bucket()
    send_all(found, LimitedServer(200, 10, 1.0, 0.3), 600, latency=lambda _: 0.7)
    assert found.is_measured
    assert found.rate == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("first", [0, 5, 39], ids=["in-order", "a-few-are-late", "most-are-late"])
def test_what_ran_over_while_nobody_asked_does_not_make_the_pace_look_slow(first: int) -> None:
    found = answered_once(remaining=199)
    burst = [found.take(150.0) for _ in range(60)]
    for number in range(first, 60):
        found.answered(burst[number], 199 - number, 153.5 + number / 100)
    assert found.rate == pytest.approx(10)
    later = found.take(160.0)
    found.answered(later, 239 - 60, 163.5)
    assert found.rate == pytest.approx(10, rel=0.1)


def test_what_others_take_is_seen_with_the_next_answer() -> None:
    found = answered_once(remaining=30)
    assert found.available(0.0) == 30


def test_what_was_sent_since_an_answer_may_not_be_in_it() -> None:
    found = answered_once(remaining=50)
    slow = found.take(1.0)
    for _ in range(5):
        found.take(1.0)
    found.answered(slow, 30, 1.5)
    assert found.available(1.5) == 25


def test_what_was_sent_before_may_be_counted_after_an_answer_was_made() -> None:
    found = answered_once(remaining=50)
    for _ in range(5):
        found.take(1.0)
    found.answered(found.take(1.1), 30, 1.5)
    assert found.available(1.5) == 25


def test_that_also_holds_for_an_answer_that_was_long_on_its_way() -> None:
    """What remains may have been read when the request came in, however much later that is told."""
    found = answered_once(Limit(200, 10, 60.0), remaining=50)
    for _ in range(5):
        found.take(1.0)
    found.answered(found.take(1.1), 30, 3.5)
    assert found.available(3.5) == 25


def test_an_answer_to_an_older_request_tells_nothing() -> None:
    found = answered_once(remaining=50)
    older, newer = found.take(1.0), found.take(1.0)
    found.answered(newer, 20, 1.2)
    found.answered(older, 49, 1.3)
    assert found.available(1.3) == 19


def test_nothing_is_promised_of_a_step_that_may_still_be_due() -> None:
    found = answered_once(remaining=0)
    assert found.available(0.99) == 0
    assert found.available(1.51) == 5


def test_a_larger_bucket_than_the_documents_say_is_learned_from_its_first_answer() -> None:
    # Recorded 2026 in one subscription: 1,099 reads remain after the first, and not 249.
    assert answered_once(Limit(250, 25, 1.0), remaining=1099).available(0.0) == 1099


def test_a_smaller_bucket_than_the_documents_say_is_never_taken_for_full_again() -> None:
    found = answered_once(remaining=39)
    found.answered(found.take(10.0), 39, 10.1)
    assert found.available(7200.0) == 40


def test_until_the_first_answer_only_a_few_are_sent() -> None:
    found = bucket()
    while found.available(0.0):
        found.take(0.0)
    assert found.is_idle(0.0) is False
    assert 0 < found.wait_for(1, 0.0) < 1
    found.answered(found.take(0.0), None, 0.1)
    assert found.available(0.1) > 100


def test_a_refusal_closes_the_bucket_for_as_long_as_it_says() -> None:
    found = answered_once(remaining=50)
    found.refused(30.0)
    assert found.available(29.9) == 0
    assert found.wait_for(1, 10.0) == pytest.approx(20.0)
    assert found.available(30.0) == 1


def test_the_wait_for_a_place_far_back_is_the_time_in_which_so_many_come() -> None:
    found = answered_once(remaining=0)
    assert found.wait_for(300, 0.0) == pytest.approx(31.0)


@settings(max_examples=50, deadline=None)
@given(
    gaps=st.lists(st.floats(0.0, 40.0), min_size=1, max_size=200),
    starts=st.floats(0.0, 300.0),
)
def test_a_window_holds_wherever_the_cloud_begins_to_count(gaps: list[float], starts: float) -> None:
    limit = Limit(10, 10, 300.0, is_window=True)
    window, now, taken = Window(limit), 0.0, []
    for gap in gaps:
        now += gap
        while wait := window.wait_for(1, now):
            now += wait
        assert window.available(now) >= 1
        window.take(now)
        taken.append(now)
    counted = [int((moment - starts) // limit.period) for moment in taken]
    assert max(counted.count(period) for period in counted) <= limit.capacity


def test_a_windows_far_places_wait_for_whole_periods() -> None:
    window = Window(Limit(2, 2, 300.0, is_window=True))
    window.take(0.0)
    window.take(10.0)
    assert [round(window.wait_for(tokens, 20.0)) for tokens in (1, 2, 3)] == [285, 295, 590]
