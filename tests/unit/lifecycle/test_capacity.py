"""Sizes and zones: whose turn it is, what was tried, and when a round begins anew."""

from datetime import timedelta
from typing import Any

import pytest

from benchhost.api import BenchHost, Failure, OperationType, Reason
from benchhost.cloud import CapacityError, MachinePower, Observation, PartState, Step, Verb
from benchhost.cloud.machine import Part
from benchhost.lifecycle import Candidate, Do, candidates, choose, decide
from benchhost.lifecycle.backoff import FailedAttempt, next_failure
from support.builders import NOW, OWNER, everything, host, machine

SMALL, LARGE = "Standard_D2s_v5", "Standard_D4s_v5"
ZONES = {"zones": ["1", "3"]}
NO_ROOM = CapacityError("No room.", code="ZonalAllocationFailed")
NEEDS_DEALLOCATION = CapacityError("Not in this cluster.", reason=Reason.DEALLOCATION_NEEDED)


def failed(*tries: tuple[str, str | None, CapacityError], of: BenchHost) -> Failure:
    """What status shows after these attempts, one after the other."""
    failure = None
    for size, zone, error in tries:
        attempt = FailedAttempt(1, OperationType.PROVISION, Candidate(size, zone), candidates(of, None))
        failure = next_failure(error, failure, attempt, seed="uid", now=NOW)
    assert failure is not None
    return failure


def after(failure: Failure, **azure: Any) -> BenchHost:
    return host(azure=azure, status={"failure": failure.to_dict()})


def test_every_zone_of_a_size_comes_before_the_next_size() -> None:
    assert candidates(host(azure=ZONES), None) == (
        Candidate(SMALL, "1"),
        Candidate(SMALL, "3"),
        Candidate(LARGE, "1"),
        Candidate(LARGE, "3"),
    )


def test_a_machine_keeps_its_zone_and_prefers_its_size() -> None:
    assert candidates(host(azure=ZONES), machine(size=LARGE.upper(), zone="3")) == (
        Candidate(LARGE, "3"),
        Candidate(SMALL, "3"),
    )


@pytest.mark.parametrize(
    ("tries", "turn"),
    [
        pytest.param([(SMALL, "1", NO_ROOM)], Candidate(SMALL, "3"), id="the-next-zone"),
        pytest.param([(SMALL, "1", NO_ROOM), (SMALL, "3", NO_ROOM)], Candidate(LARGE, "1"), id="then-the-next-size"),
        pytest.param(
            [(SMALL, "1", CapacityError("Quota.", reason=Reason.QUOTA_EXCEEDED))],
            Candidate(LARGE, "1"),
            id="a-quota-rules-the-size-out-in-every-zone",
        ),
        pytest.param(
            [(size, zone, NO_ROOM) for size in (SMALL, LARGE) for zone in ("1", "3")],
            Candidate(SMALL, "1"),
            id="after-the-last-a-new-round",
        ),
    ],
)
def test_whose_turn_it_is_after(tries: list[tuple[str, str | None, CapacityError]], turn: Candidate) -> None:
    assert choose(after(failed(*tries, of=host(azure=ZONES)), **ZONES), None) == turn


def test_while_one_is_left_it_is_tried_at_once_and_the_message_tells_what_was_tried() -> None:
    failure = failed((SMALL, "1", NO_ROOM), (SMALL, "3", NO_ROOM), of=host(azure=ZONES))
    assert failure.next_attempt_at == NOW
    assert f"{SMALL} in zone 1 (ZonalAllocationFailed), {SMALL} in zone 3 (ZonalAllocationFailed)" in failure.message


def test_after_a_whole_round_it_waits_and_each_round_waits_longer() -> None:
    tries = [(size, None, NO_ROOM) for size in (SMALL, LARGE)]
    first, third = failed(*tries, of=host()), failed(*tries * 3, of=host())
    assert first.next_attempt_at is not None
    assert third.next_attempt_at is not None
    assert NOW < first.next_attempt_at < third.next_attempt_at <= NOW + timedelta(minutes=15)


def test_a_new_round_forgets_what_the_last_one_tried() -> None:
    failure = failed((SMALL, None, NO_ROOM), (LARGE, None, NO_ROOM), (SMALL, None, NO_ROOM), of=host())
    assert [attempt.size for attempt in failure.tried] == [SMALL]


def unmade(size: str = SMALL) -> Observation:
    return everything(machine(MachinePower.UNKNOWN, size=size), state=PartState.FAILED)


def step_of(wanted: BenchHost, seen: Observation) -> tuple[Verb, OperationType]:
    action = decide(wanted, OWNER, seen, now=NOW)
    assert isinstance(action, Do)
    assert action.step.part is Part.MACHINE
    return action.step.verb, action.operation


def test_a_machine_without_room_makes_way_for_the_next_size() -> None:
    wanted = after(failed((SMALL, None, NO_ROOM), of=host()))
    assert step_of(wanted, unmade()) == (Verb.DELETE, OperationType.CLEAN_UP)


def test_a_machine_of_the_size_whose_turn_it_is_is_put_again() -> None:
    only_size = {"sizes": [SMALL], "name": "db-1"}
    wanted = after(failed((SMALL, None, NO_ROOM), of=host(azure=only_size)), **only_size)
    later = decide(wanted, OWNER, unmade(), now=NOW + timedelta(hours=1))
    assert isinstance(later, Do)
    assert (later.step, later.operation) == (Step(Verb.ENSURE, Part.MACHINE), OperationType.PROVISION)


def test_a_deallocated_machine_without_room_gets_the_next_size_before_it_is_started() -> None:
    wanted = after(failed((SMALL, None, NO_ROOM), of=host()))
    seen = everything(machine(MachinePower.DEALLOCATED))
    assert step_of(wanted, seen) == (Verb.RESIZE, OperationType.RESIZE)
    resized = everything(machine(MachinePower.DEALLOCATED, size=LARGE))
    assert step_of(wanted, resized) == (Verb.START, OperationType.START)


def test_a_resize_deallocates_only_where_azure_insists_on_it() -> None:
    wanted = host(azure={"sizes": [LARGE]})
    assert step_of(wanted, everything()) == (Verb.RESIZE, OperationType.RESIZE)
    attempt = FailedAttempt(1, OperationType.RESIZE, Candidate(LARGE), candidates(wanted, machine()))
    failure = next_failure(NEEDS_DEALLOCATION, None, attempt, seed="uid", now=NOW)
    insisted = after(failure, sizes=[LARGE])
    assert step_of(insisted, everything()) == (Verb.DEALLOCATE, OperationType.RESIZE)
    assert step_of(insisted, everything(machine(MachinePower.DEALLOCATED))) == (Verb.RESIZE, OperationType.RESIZE)
