"""How an operation is put on record, goes on and ends."""

from datetime import timedelta
from typing import Any

import pytest

from benchhost.api.conditions import Reason
from benchhost.api.status import Operation, OperationResult, OperationType
from benchhost.cloud import (
    HostRequest,
    Observation,
    OperationState,
    Part,
    Step,
    TransientError,
    Verb,
)
from benchhost.lifecycle import Action, Do, Hold, Release, Settled, Wait
from benchhost.lifecycle.operation import begin, finish, operation_to_poll, result_without_a_look
from support.builders import EARLIER, LATER, NOW, OWNER, deleting, everything, host, nothing

DELETE = OperationType.DELETE
PROVISION = OperationType.PROVISION
CLEAN_UP = OperationType.CLEAN_UP
SETTLED = Settled("It runs.", Reason.RUNNING)


def operation(kind: OperationType = PROVISION, **values: Any) -> Operation:
    return Operation.model_validate({"type": kind, "started_at": EARLIER, "deadline": LATER, "generation": 1} | values)


def test_a_new_operation_has_the_deadline_that_the_spec_gives_it() -> None:
    wanted = host(spec={"timeouts": {"start": "7m"}})
    made = begin(wanted, OperationType.START, current=None, allocates=None, now=NOW)
    assert (made.started_at, made.deadline, made.attempt) == (NOW, NOW + timedelta(minutes=7), 1)


def test_going_on_keeps_the_beginning_and_notes_what_is_asked_for_now() -> None:
    request = HostRequest(OWNER, host().spec, "Standard_D4s_v5", zone="2")
    made = begin(host(), PROVISION, current=operation(poll_url="https://x"), allocates=request, now=NOW)
    assert (made.started_at, made.poll_url, made.size, made.zone) == (EARLIER, "https://x", "Standard_D4s_v5", "2")


@pytest.mark.parametrize(
    "current",
    [operation(OperationType.STOP), operation(generation=0)],
    ids=["another-kind", "of-an-older-spec"],
)
def test_what_is_not_the_same_begins_anew(current: Operation) -> None:
    assert begin(host(), PROVISION, current=current, allocates=None, now=NOW).started_at == NOW


def test_attempts_are_counted_from_the_failures_of_this_spec() -> None:
    failure = {"reason": "Throttled", "message": "…", "class": "Throttled", "count": 2, "since": EARLIER.isoformat()}
    for generation, attempt in ((1, 3), (0, 1)):
        wanted = host(status={"failure": failure | {"generation": generation}})
        assert begin(wanted, PROVISION, current=None, allocates=None, now=NOW).attempt == attempt


def test_a_deletion_does_not_look_at_what_it_is_going_to_undo() -> None:
    creating = {"operation": operation(poll_url="https://x").to_dict()}
    going = {"operation": operation(DELETE, poll_url="https://x").to_dict()}
    assert operation_to_poll(host(status=creating)) is not None
    assert operation_to_poll(deleting(status=creating)) is None
    assert operation_to_poll(deleting(status=going)) is not None
    assert operation_to_poll(host(status={"operation": operation().to_dict()})) is None


@pytest.mark.parametrize(
    ("kind", "action", "seen", "is_deleting", "result"),
    [
        pytest.param(PROVISION, Wait(PROVISION, ""), nothing(), False, None, id="waiting-for-it-goes-on"),
        pytest.param(PROVISION, Wait(None, ""), nothing(), False, None, id="waiting-for-a-turn-goes-on"),
        pytest.param(PROVISION, Hold(Reason.PAUSED, ""), everything(), False, None, id="held-goes-on"),
        pytest.param(
            PROVISION,
            Do(Step(Verb.ENSURE, Part.MACHINE), PROVISION),
            nothing(),
            False,
            None,
            id="its-next-step-goes-on",
        ),
        pytest.param(PROVISION, SETTLED, everything(), False, OperationResult.SUCCEEDED, id="settled-has-succeeded"),
        pytest.param(PROVISION, SETTLED, nothing(), False, OperationResult.CANCELED, id="without-a-machine-gave-way"),
        pytest.param(
            OperationType.START,
            Do(Step(Verb.DELETE, Part.MACHINE), DELETE),
            everything(),
            True,
            OperationResult.CANCELED,
            id="gave-way-to-the-deletion",
        ),
        pytest.param(DELETE, Release(), nothing(), True, OperationResult.SUCCEEDED, id="released-has-succeeded"),
        pytest.param(
            CLEAN_UP,
            Do(Step(Verb.ENSURE, Part.MACHINE), PROVISION),
            nothing(),
            False,
            OperationResult.SUCCEEDED,
            id="taken-away-for-the-next",
        ),
    ],
)
def test_an_operation_is_over_when_the_decision_no_longer_goes_on_with_it(
    kind: OperationType, action: Action, seen: Observation, is_deleting: bool, result: OperationResult | None
) -> None:
    assert result_without_a_look(operation(kind), action, seen, is_deleting=is_deleting) is result


@pytest.mark.parametrize(
    ("state", "result", "reason"),
    [
        pytest.param({}, OperationResult.SUCCEEDED, None, id="well"),
        pytest.param({"error": TransientError("…", code="Busy")}, OperationResult.FAILED, "Busy", id="with-a-code"),
        pytest.param(
            {"error": TransientError("…", code="OperationPreempted"), "canceled": True},
            OperationResult.CANCELED,
            "OperationPreempted",
            id="preempted",
        ),
    ],
)
def test_the_clouds_end_is_told_with_its_times(
    state: dict[str, Any], result: OperationResult, reason: str | None
) -> None:
    ended = finish(operation(), OperationState(finished=True, start_time=EARLIER, **state), now=NOW)
    assert (ended.result, ended.reason) == (result, reason)
    assert (ended.start_time, ended.end_time) == (EARLIER, NOW)
