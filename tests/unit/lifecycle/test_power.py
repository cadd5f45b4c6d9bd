"""Power states that need more than one word: hibernation, spot capacity, and a spec that is broken elsewhere."""

from datetime import timedelta
from typing import Any

import pytest

from benchhost.api import ConditionType, Operation, OperationType, PlacementReason, Reason, is_true
from benchhost.api.model import to_timestamp
from benchhost.cloud import CloudError, MachinePower, Part, PartState, Step, TerminalError, TransientError, Verb
from benchhost.lifecycle import Do, Pass, Settled, decide, report
from support.builders import EARLIER, LATER, NOW, OWNER, everything, host, machine, nothing, placed

HIBERNATION = {"hibernation": True}
OFF = {"powerState": "Deallocated"}
SPOT = {"spot": {"evictionPolicy": "Deallocate"}}
RUNNING: dict[str, Any] = {"powerState": "Running", "placement": placed(), "size": "Standard_D2s_v5"}


def first_step(**parts: Any) -> Step:
    action = decide(host(**parts), OWNER, everything(), now=NOW)
    assert isinstance(action, Do)
    return action.step


def test_hibernation_keeps_the_memory_of_a_host_that_is_put_aside() -> None:
    assert first_step(spec=OFF, azure=HIBERNATION) == Step(Verb.HIBERNATE, Part.MACHINE)


def test_other_hardware_is_asked_for_without_the_memory() -> None:
    again = {"reallocateAt": to_timestamp(NOW - timedelta(minutes=1))}
    assert first_step(spec=again, azure=HIBERNATION, status=RUNNING) == Step(Verb.DEALLOCATE, Part.MACHINE)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TerminalError("The image cannot."), id="for-good"),
        pytest.param(TransientError("The guest is busy.", retry_after=timedelta(minutes=5)), id="for-now"),
    ],
)
def test_a_host_that_cannot_hibernate_is_deallocated_at_once(error: CloudError) -> None:
    wanted = host(spec=OFF, azure=HIBERNATION, status=RUNNING)
    action = decide(wanted, OWNER, everything(), now=NOW)
    assert isinstance(action, Do)
    asked = Operation(type=action.operation, started_at=NOW, deadline=LATER, generation=1)
    told = report(wanted, Pass(observation=everything(), action=action, error=error, failed=asked), now=NOW)
    again = decide(host(spec=OFF, azure=HIBERNATION, status=told.to_dict()), OWNER, everything(), now=NOW)
    assert again == Do(Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.DEALLOCATE)
    assert not is_true(told.conditions, ConditionType.STALLED)


def test_a_broken_size_does_not_keep_a_host_from_being_deallocated() -> None:
    action = decide(host(spec=OFF), OWNER, everything(machine(size="Standard_B2s")), now=NOW)
    assert action == Do(Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.DEALLOCATE)


def test_a_machine_that_never_ran_is_removed_when_it_shall_not_run() -> None:
    unmade = everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED)
    action = decide(host(spec=OFF), OWNER, unmade, now=NOW)
    assert action == Do(Step(Verb.DELETE, Part.MACHINE), OperationType.DEALLOCATE)


@pytest.mark.parametrize(
    ("azure", "spec", "status", "seen", "evicted"),
    [
        pytest.param(SPOT, {}, RUNNING, everything(machine(MachinePower.DEALLOCATED)), True, id="spot-capacity-gone"),
        pytest.param(SPOT, {}, RUNNING, nothing(), True, id="spot-machine-gone"),
        pytest.param({}, {}, RUNNING, everything(machine(MachinePower.DEALLOCATED)), False, id="not-a-spot-host"),
        pytest.param(SPOT, OFF, RUNNING, everything(machine(MachinePower.DEALLOCATED)), False, id="asked-for"),
        pytest.param(
            SPOT,
            {},
            RUNNING
            | {
                "operation": {
                    "type": "Reallocate",
                    "startedAt": to_timestamp(EARLIER),
                    "deadline": to_timestamp(NOW),
                    "generation": 1,
                }
            },
            everything(machine(MachinePower.DEALLOCATED)),
            False,
            id="moved-on-request",
        ),
        pytest.param(SPOT, {}, {}, nothing(), False, id="never-made"),
    ],
)
def test_an_eviction_is_told_apart(
    azure: dict[str, Any], spec: dict[str, Any], status: dict[str, Any], seen: Any, evicted: bool
) -> None:
    wanted = host(azure=azure, spec=spec, status=status)
    told = report(wanted, Pass(observation=seen, action=decide(wanted, OWNER, seen, now=NOW)), now=NOW)
    assert (told.evicted_at is not None) is evicted
    assert any(condition.type == "Evicted" for condition in told.conditions) is evicted


def test_an_evicted_host_is_asked_for_again_and_comes_back_on_a_new_epoch() -> None:
    wanted = host(azure=SPOT, status=RUNNING | {"powerState": "Deallocated", "evictedAt": to_timestamp(EARLIER)})
    assert decide(wanted, OWNER, everything(machine(MachinePower.DEALLOCATED)), now=NOW) == Do(
        Step(Verb.START, Part.MACHINE), OperationType.START
    )
    back = report(wanted, Pass(observation=everything(), action=Settled("", Reason.RUNNING)), now=NOW)
    assert back.placement is not None
    assert (back.placement.epoch, back.placement.reason) == (2, PlacementReason.EVICTED)
    assert back.evicted_at is None
