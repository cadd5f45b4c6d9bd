"""What status says after a pass."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchhost.api import (
    Address,
    AddressType,
    BenchHost,
    ConditionType,
    FailureClass,
    HistoryEntry,
    Operation,
    OperationResult,
    OperationType,
    Phase,
    PlacementReason,
    Reason,
    get_condition,
    is_true,
)
from benchhost.api.model import to_timestamp
from benchhost.cloud import (
    AdminError,
    CapacityError,
    CloudError,
    MachinePower,
    Part,
    PartState,
    Step,
    TerminalError,
    ThrottledError,
    TransientError,
    Verb,
)
from benchhost.controller.changes import events_of
from benchhost.lifecycle import Do, Finished, Hold, Pass, Settled, Wait, decide, report
from support.builders import EARLIER, LATER, NOW, OWNER, deleting, everything, host, machine, nothing, placed

RUNNING = Settled("The host runs.", Reason.RUNNING)
PUBLIC = Address(type=AddressType.EXTERNAL_IP, address="203.0.113.7")
PRIVATE = Address(type=AddressType.INTERNAL_IP, address="10.0.0.4")


def operation(kind: OperationType = OperationType.PROVISION, **values: Any) -> Operation:
    return Operation.model_validate({"type": kind, "started_at": EARLIER, "deadline": LATER, "generation": 1} | values)


def statuses(wanted: BenchHost, outcome: Pass) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status.value, c.reason) for c in report(wanted, outcome, now=NOW).conditions}


def test_a_settled_running_host_is_ready_and_tells_where_it_is() -> None:
    seen = everything(machine(addresses=(PRIVATE, PUBLIC)))
    status = report(host(), Pass(observation=seen, action=RUNNING), now=NOW)
    assert statuses(host(), Pass(observation=seen, action=RUNNING)) == {
        "Ready": ("True", "Running"),
        "Synced": ("True", "Running"),
        "Provisioned": ("True", "Provisioned"),
    }
    assert status.phase is Phase.RUNNING
    assert status.observed_generation == 1
    assert status.ssh_endpoint is not None
    assert status.ssh_endpoint.host == "203.0.113.7"
    assert status.placement is not None
    assert (status.placement.epoch, status.placement.reason) == (1, PlacementReason.CREATED)


def test_reporting_the_same_pass_again_changes_nothing() -> None:
    outcome = Pass(observation=everything(), action=RUNNING)
    first = report(host(), outcome, now=NOW)
    second = report(host(status=first.to_dict()), outcome, now=LATER)
    assert second.to_dict() == first.to_dict()


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(
            Pass(observation=nothing(), action=Do(Step(Verb.ENSURE, Part.INTERFACE), OperationType.PROVISION)),
            id="the-next-part",
        ),
        pytest.param(Pass(observation=nothing(), action=Wait(OperationType.PROVISION, "…")), id="waiting-for-a-part"),
        pytest.param(Pass(action=Wait(OperationType.PROVISION, "")), id="looking-at-the-operation"),
    ],
)
def test_going_on_with_an_operation_writes_nothing(later: Pass) -> None:
    under_way = operation()
    start = Do(Step(Verb.ENSURE, Part.NETWORK), OperationType.PROVISION, write_ahead=True)
    first = report(host(), Pass(observation=nothing(), action=start, operation=under_way), now=NOW)
    going_on = Pass(observation=later.observation, action=later.action, operation=under_way)
    assert report(host(status=first.to_dict()), going_on, now=LATER - timedelta(minutes=1)).to_dict() == first.to_dict()


def test_a_host_that_shall_not_run_has_no_ready_condition() -> None:
    wanted = host(spec={"powerState": "Deallocated"})
    outcome = Pass(
        observation=everything(machine(MachinePower.DEALLOCATED)), action=Settled("Off.", Reason.DEALLOCATED)
    )
    conditions = report(wanted, outcome, now=NOW).conditions
    assert get_condition(conditions, ConditionType.READY) is None
    assert is_true(conditions, ConditionType.SYNCED, generation=1)


@pytest.mark.parametrize(
    ("error", "ready", "stalled"),
    [
        pytest.param(TransientError("A blip."), True, False, id="a-blip-leaves-a-running-host-ready"),
        pytest.param(ThrottledError("Too often."), True, False, id="throttling-leaves-a-running-host-ready"),
        pytest.param(AdminError("No role."), False, True, id="a-missing-role-stalls"),
        pytest.param(TerminalError("No such image."), False, True, id="a-terminal-error-stalls"),
        pytest.param(CapacityError("No room."), False, False, id="no-room-is-tried-again"),
    ],
)
def test_an_error_is_told(error: CloudError, ready: bool, stalled: bool) -> None:
    before = report(host(), Pass(observation=everything(), action=RUNNING), now=EARLIER)
    status = report(host(status=before.to_dict()), Pass(error=error, failed=operation(OperationType.RESIZE)), now=NOW)
    assert is_true(status.conditions, ConditionType.READY) is ready
    assert is_true(status.conditions, ConditionType.STALLED) is stalled
    assert is_true(status.conditions, ConditionType.RECONCILING) is not stalled
    assert status.failure is not None
    assert (status.failure.next_attempt_at is None) is (error.failure_class is FailureClass.TERMINAL)
    synced = get_condition(status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert error.message in synced.message
    assert ("next is at" in synced.message) or ("not tried again" in synced.message)


QUEUED = Wait(None, "Waits for its turn.", Reason.QUEUED)


def test_a_running_host_that_waits_for_its_turn_stays_ready_for_what_it_was_ready_for() -> None:
    before = report(host(), Pass(observation=everything(), action=RUNNING), now=EARLIER)
    changed = host(azure={"tags": {"trial": "8"}}, metadata={"generation": 2}, status=before.to_dict())
    status = report(changed, Pass(action=QUEUED), now=NOW)
    assert is_true(status.conditions, ConditionType.READY, generation=1)
    assert not is_true(status.conditions, ConditionType.READY, generation=2)
    assert not is_true(status.conditions, ConditionType.SYNCED)
    assert [event.severity for event in events_of(changed, status)] == ["Normal"]


def test_a_host_that_was_not_ready_does_not_become_so_by_waiting_for_its_turn() -> None:
    restarting = operation(OperationType.RESTART)
    before = report(host(), Pass(observation=everything(), action=QUEUED, operation=restarting), now=EARLIER)
    assert not is_true(before.conditions, ConditionType.READY)
    after = report(host(status=before.to_dict()), Pass(action=QUEUED), now=NOW)
    assert not is_true(after.conditions, ConditionType.READY)


def test_a_failed_look_does_not_make_a_host_ready_for_a_spec_that_nobody_has_acted_on() -> None:
    before = report(host(), Pass(observation=everything(), action=RUNNING), now=EARLIER)
    changed = host(azure={"sizes": ["Standard_D8s_v5"]}, metadata={"generation": 2}, status=before.to_dict())
    status = report(changed, Pass(error=TransientError("A blip.")), now=NOW)
    assert is_true(status.conditions, ConditionType.READY, generation=1)
    assert not is_true(status.conditions, ConditionType.READY, generation=2)


def test_waiting_for_a_turn_does_not_end_a_row_of_looks_that_failed() -> None:
    failed = host(status=report(host(), Pass(error=AdminError("No role.")), now=EARLIER).to_dict())
    assert report(failed, Pass(action=QUEUED), now=NOW).failure == failed.status.failure


def test_failures_in_a_row_are_counted_and_wait_longer_up_to_a_cap() -> None:
    wanted, delays = host(), []
    for _ in range(14):
        status = report(wanted, Pass(error=TransientError("A blip.")), now=NOW)
        assert status.failure is not None
        assert status.failure.next_attempt_at is not None
        delays.append((status.failure.next_attempt_at - NOW).total_seconds())
        wanted = host(status=status.to_dict())
    assert wanted.status.failure is not None
    assert wanted.status.failure.count == 14
    assert 1.6 <= delays[0] <= 2.0
    assert all(240 <= delay <= 300 for delay in delays[-4:])


def test_the_cloud_s_wish_is_a_lower_bound_of_the_delay() -> None:
    error = TransientError("Reserved.", retry_after=timedelta(seconds=180))
    failure = report(host(), Pass(error=error), now=NOW).failure
    assert failure is not None
    assert failure.next_attempt_at == NOW + timedelta(seconds=180)


def test_success_ends_the_failure() -> None:
    failed = report(host(), Pass(error=TransientError("A blip.")), now=EARLIER)
    status = report(host(status=failed.to_dict()), Pass(observation=everything(), action=RUNNING), now=NOW)
    assert status.failure is None
    assert get_condition(status.conditions, ConditionType.RECONCILING) is None


def test_a_look_that_works_ends_a_row_of_looks_that_failed() -> None:
    failed = report(host(), Pass(error=TransientError("A gateway's page.")), now=EARLIER)
    going_on = Pass(observation=nothing(), action=Wait(OperationType.PROVISION, "The cloud works."))
    assert report(host(status=failed.to_dict()), going_on, now=NOW).failure is None


@pytest.mark.parametrize(
    ("done", "ended"),
    [
        pytest.param(OperationType.RESIZE, True, id="the-same-operation-succeeding-ends-it"),
        pytest.param(OperationType.UPDATE, False, id="another-one-does-not"),
    ],
)
def test_a_row_of_failed_operations_goes_on_until(done: OperationType, ended: bool) -> None:
    error = Pass(error=TransientError("A blip."), failed=operation(OperationType.RESIZE))
    failed = report(host(), error, now=EARLIER)
    later = Pass(observation=everything(), action=Wait(None, "x"), finished=(finished(done),))
    assert (report(host(status=failed.to_dict()), later, now=NOW).failure is None) is ended


def test_holding_because_of_a_failure_says_the_same_as_the_failure() -> None:
    failed = report(host(), Pass(error=AdminError("No role.")), now=NOW)
    held = Pass(observation=nothing(), action=Hold(Reason.AUTHORIZATION_FAILED, "No role.", stalled=True))
    again = report(host(status=failed.to_dict()), held, now=NOW)
    before, after = (get_condition(s.conditions, ConditionType.SYNCED) for s in (failed, again))
    assert before == after


def finished(kind: OperationType, **values: Any) -> Finished:
    return Finished(operation=operation(kind), result=OperationResult.SUCCEEDED, **values)


def test_history_has_the_cloud_s_own_times() -> None:
    start, end = EARLIER + timedelta(seconds=1), EARLIER + timedelta(seconds=43.5)
    outcome = Pass(
        observation=everything(),
        action=RUNNING,
        finished=(finished(OperationType.PROVISION, start_time=start, end_time=end),),
    )
    entry = report(host(), outcome, now=NOW).history[-1]
    assert (entry.start_time, entry.end_time, entry.seconds, entry.epoch) == (start, end, 42.5, 1)


def test_history_keeps_the_newest_twenty() -> None:
    old = HistoryEntry(
        type=OperationType.START, start_time=EARLIER, end_time=EARLIER, seconds=0, result=OperationResult.SUCCEEDED
    ).to_dict()
    wanted = host(status={"history": [old] * 20})
    outcome = Pass(observation=everything(), action=RUNNING, finished=(finished(OperationType.STOP, end_time=NOW),))
    history = report(wanted, outcome, now=NOW).history
    assert len(history) == 20
    assert history[-1].type is OperationType.STOP


@pytest.mark.parametrize(
    ("kind", "field"),
    [(OperationType.RESTART, "last_restart_time"), (OperationType.REALLOCATE, "last_reallocate_time")],
)
def test_a_finished_request_is_acknowledged_with_the_time_it_was_started(kind: OperationType, field: str) -> None:
    outcome = Pass(observation=everything(), action=RUNNING, finished=(finished(kind, end_time=NOW),))
    assert getattr(report(host(), outcome, now=NOW), field) == EARLIER


@pytest.mark.parametrize(
    ("name", "kind"), [("restartAt", OperationType.RESTART), ("reallocateAt", OperationType.REALLOCATE)]
)
def test_a_request_to_the_microsecond_that_is_met_within_its_millisecond_is_not_met_twice(
    name: str, kind: OperationType
) -> None:
    asked = NOW.replace(microsecond=123456)
    spec, started = {name: asked.isoformat()}, asked + timedelta(microseconds=300)
    under_way = host(spec=spec, status=seen_before("Running", operation=operation(kind, started_at=started).to_dict()))
    assert under_way.status.operation is not None
    done = Finished(under_way.status.operation, OperationResult.SUCCEEDED, end_time=LATER)
    status = report(under_way, Pass(finished=(done,)), now=LATER)
    action = decide(host(spec=spec, status=status.to_dict()), OWNER, everything(), now=LATER)
    assert isinstance(action, Settled)


def test_a_request_that_needed_nothing_is_acknowledged_once() -> None:
    wanted = host(spec={"restartAt": to_timestamp(EARLIER)})
    outcome = Pass(observation=everything(), action=RUNNING)
    first = report(wanted, outcome, now=NOW)
    assert first.last_restart_time == NOW
    settled = host(spec={"restartAt": to_timestamp(EARLIER)}, status=first.to_dict())
    assert report(settled, outcome, now=LATER).last_restart_time == NOW


def seen_before(power: str, **values: Any) -> dict[str, Any]:
    return {"powerState": power, "size": "Standard_D2s_v5", "placement": placed(), **values}


@pytest.mark.parametrize(
    ("before", "now_seen", "epoch", "reason"),
    [
        pytest.param({}, machine(), 1, "Created", id="the-first-machine-is-epoch-one"),
        pytest.param(seen_before("Running"), machine(), 1, "Created", id="a-running-host-stays"),
        pytest.param(seen_before("Stopped"), machine(), 1, "Created", id="stop-and-start-keeps-the-hardware"),
        pytest.param(seen_before("Deallocated"), machine(), 2, "Started", id="a-start-after-deallocation-is-new"),
        pytest.param(
            seen_before("Deallocating"), machine(), 2, "Started", id="a-deallocation-whose-end-was-not-seen-counts"
        ),
        pytest.param(
            seen_before("Deallocated", lastReallocateTime=to_timestamp(NOW)),
            machine(),
            2,
            "Reallocated",
            id="a-reallocation-says-so",
        ),
        pytest.param(
            seen_before("Running"), machine(vm_id="new"), 2, "DeletedOutOfBand", id="another-machine-is-new-hardware"
        ),
        pytest.param(
            seen_before("Running"), machine(size="Standard_D4s_v5"), 2, "Resized", id="a-resize-may-move-the-host"
        ),
        pytest.param(
            seen_before("Deallocated"),
            machine(MachinePower.DEALLOCATED, size="Standard_D4s_v5"),
            1,
            "Created",
            id="a-resize-while-deallocated-allocates-nothing",
        ),
        pytest.param(
            seen_before("Running"),
            machine(MachinePower.UNKNOWN),
            1,
            "Created",
            id="an-unknown-power-state-proves-nothing",
        ),
        pytest.param(
            seen_before("Running"),
            machine(size="standard_d2s_V5"),
            1,
            "Created",
            id="a-size-in-another-case-is-the-same-size",
        ),
    ],
)
def test_placement_epoch(before: dict[str, Any], now_seen: Any, epoch: int, reason: str) -> None:
    status = report(host(status=before), Pass(observation=everything(now_seen), action=RUNNING), now=NOW)
    assert status.placement is not None
    assert (status.placement.epoch, status.placement.reason) == (epoch, reason)


def test_a_machine_is_placed_once_its_creation_has_ended() -> None:
    made = everything(machine(MachinePower.STOPPED), state=PartState.PENDING)
    assert report(host(), Pass(observation=made, action=Wait(OperationType.PROVISION, "…")), now=NOW).placement is None


def test_a_look_without_power_state_does_not_hide_that_the_host_was_off() -> None:
    wanted = host(status=seen_before("Deallocated"))
    unsure = report(wanted, Pass(observation=everything(machine(MachinePower.UNKNOWN)), action=RUNNING), now=NOW)
    assert unsure.power_state == "Deallocated"
    back = report(host(status=unsure.to_dict()), Pass(observation=everything(), action=RUNNING), now=NOW)
    assert back.placement is not None
    assert (back.placement.epoch, back.placement.reason) == (2, PlacementReason.STARTED)


def test_a_vanished_machine_leaves_its_epoch_on_record() -> None:
    status = report(host(status=seen_before("Running")), Pass(observation=nothing(), action=RUNNING), now=NOW)
    assert status.power_state is None
    assert status.placement is not None
    assert status.placement.epoch == 1


def test_past_its_deadline_an_operation_is_told_to_be_late() -> None:
    late = operation(deadline=NOW - timedelta(seconds=1), poll_url="https://x")
    status = report(host(), Pass(action=Wait(OperationType.PROVISION, ""), operation=late), now=NOW)
    ready = get_condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", "TimedOut")
    assert "spec.timeouts" in ready.message


def test_a_deletion_that_is_refused_says_so() -> None:
    wanted = deleting(status=seen_before("Running"))
    status = report(wanted, Pass(error=AdminError("The scope is locked.", code="ScopeLocked")), now=NOW)
    synced = get_condition(status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert synced.reason == "DeletionBlocked"
    assert "ScopeLocked" in synced.message
    assert status.phase is Phase.DELETING


def test_a_deletion_that_is_refused_for_good_is_tried_again_all_the_same() -> None:
    wanted = deleting(status=seen_before("Running"))
    refused = Pass(error=TerminalError("No.", code="Unheard"), failed=operation(OperationType.DELETE))
    told = deleting(status=report(wanted, refused, now=NOW).to_dict())
    again = decide(told, OWNER, everything(), now=NOW + timedelta(minutes=15))
    assert again == Do(Step(Verb.DELETE, Part.MACHINE), OperationType.DELETE)


def test_a_machine_that_was_deleted_behind_our_back_is_told_while_it_is_made_again() -> None:
    before = host(status=seen_before("Running"))
    again = Do(Step(Verb.ENSURE, Part.MACHINE), OperationType.PROVISION)
    status = report(before, Pass(observation=nothing(), action=again, operation=operation()), now=NOW)
    ready = get_condition(status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", "DeletedOutOfBand")
    assert ready.message.startswith("The machine was deleted behind our back; a new one is made.")
    looking = Pass(action=Wait(OperationType.PROVISION, ""), operation=operation())
    assert report(host(status=status.to_dict()), looking, now=NOW).to_dict() == status.to_dict()
    assert [event.reason for event in events_of(before, status)] == ["DeletedOutOfBand"]


@pytest.mark.parametrize(
    ("wanted", "absent", "provisioned"),
    [
        pytest.param(host(), (), True, id="with-everything-there"),
        pytest.param(host(), (Part.ADDRESS,), False, id="not-without-its-address"),
        pytest.param(host(), (Part.INTERFACE, Part.DISK), False, id="not-without-interface-and-disk"),
        pytest.param(
            host(azure={"network": {"subnetId": "/subscriptions/s/resourceGroups/r/providers/n"}}),
            (Part.ADDRESS,),
            True,
            id="without-an-address-that-it-does-not-want",
        ),
        pytest.param(
            host(azure={"osDisk": {"ephemeral": True}}), (Part.DISK,), True, id="without-a-disk-that-is-ephemeral"
        ),
        pytest.param(
            host(spec={"adopt": True}), (Part.INTERFACE,), True, id="adopted-with-an-interface-of-another-name"
        ),
    ],
)
def test_a_host_is_provisioned(wanted: BenchHost, absent: tuple[Part, ...], provisioned: bool) -> None:
    whole = everything()
    seen = replace(whole, parts={part: one for part, one in whole.parts.items() if part not in absent})
    found = get_condition(
        report(wanted, Pass(observation=seen, action=RUNNING), now=NOW).conditions, ConditionType.PROVISIONED
    )
    assert found is not None
    assert found.status == ("True" if provisioned else "False")
    assert all(str(part) in found.message for part in absent) or provisioned


def test_a_failure_of_another_version_is_told_all_the_same() -> None:
    failure = {"reason": "NotHeardOf", "message": "It said so.", "class": "Admin", "since": to_timestamp(EARLIER)}
    wanted = host(status={"failure": failure | {"generation": 1, "nextAttemptAt": to_timestamp(LATER)}})
    action = decide(wanted, OWNER, nothing(), now=NOW)
    status = report(wanted, Pass(observation=nothing(), action=action), now=NOW)
    synced = get_condition(status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert "It said so." in synced.message


def test_a_failed_machine_tells_the_cloud_s_own_words() -> None:
    failed = machine(MachinePower.UNKNOWN, failure_code="AllocationFailed", failure_message="Allocation failed.")
    seen = everything(failed, state=PartState.FAILED)
    again = Do(Step(Verb.ENSURE, Part.MACHINE), OperationType.PROVISION)
    conditions = report(host(), Pass(observation=seen, action=again), now=NOW).conditions
    provisioned = get_condition(conditions, ConditionType.PROVISIONED)
    assert provisioned is not None
    assert provisioned.message == "The machine exists and is Failed: Allocation failed (AllocationFailed)."
