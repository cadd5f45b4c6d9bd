"""What holds of every decision and every report, whatever the object says and whatever the cloud shows."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from benchhost.api import BenchHost, is_true
from benchhost.api.conditions import ConditionType
from benchhost.api.spec import PowerState
from benchhost.api.status import FailureClass, Operation, OperationType, Placement
from benchhost.cloud import (
    CapacityError,
    CloudError,
    MachinePower,
    Observation,
    Part,
    PartState,
    TerminalError,
    TransientError,
    Verb,
)
from benchhost.lifecycle import (
    Action,
    Circumstances,
    Do,
    Hold,
    Pass,
    Release,
    Remove,
    Settled,
    Wait,
    choose,
    decide,
    report,
)
from support.builders import LATER, NOW, OWNER, everything, machine
from unit.lifecycle.obedient import come_to_rest, obey
from unit.lifecycle.worlds import SHARED, circumstances, hosts, observations

MANY = settings(max_examples=100, deadline=None, derandomize=True)
MOST_STEPS = 25
"""More than the parts of a host, each made, changed and removed once."""

errors = st.sampled_from(
    [
        TerminalError("No such image.", code="PlatformImageNotFound"),
        CapacityError("No room.", code="SkuNotAvailable"),
        TransientError("Busy.", code="Conflict"),
    ]
)


def reported(host: BenchHost, outcome: Pass) -> BenchHost:
    """The object after the pass, as the API server gives it back."""
    status = report(host, outcome, now=NOW)
    return BenchHost.from_dict({**host.to_dict(), "status": status.to_dict()})


def outcome_of(host: BenchHost, seen: Observation, around: Circumstances, action: Action) -> Pass:
    """A pass that starts nothing; one that settles has closed what was under way."""
    operation = None if isinstance(action, Settled | Release) else host.status.operation
    return Pass(observation=seen, action=action, operation=operation, circumstances=around)


def refused(host: BenchHost, seen: Observation, around: Circumstances, action: Do, error: CloudError) -> Pass:
    """A pass whose one step the cloud has refused."""
    turn = choose(host, None if action.operation is OperationType.PROVISION else seen.machine)
    operation = Operation(
        type=action.operation,
        started_at=NOW,
        deadline=LATER,
        generation=host.metadata.generation,
        size=turn.size,
        zone=turn.zone,
    )
    return Pass(
        observation=seen,
        action=action,
        operation=operation,
        error=error,
        failed=operation,
        circumstances=around,
    )


@MANY
@given(hosts(), observations(), circumstances)
def test_it_always_decides_one_thing_and_can_always_tell_of_it(
    host: BenchHost, seen: Observation, around: Circumstances
) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    assert isinstance(action, Do | Wait | Settled | Hold | Remove | Release)
    after = reported(host, outcome_of(host, seen, around, action))
    assert is_true(after.status.conditions, ConditionType.SYNCED) is isinstance(action, Settled)
    assert all(condition.message for condition in after.status.conditions)


@MANY
@given(hosts(), observations(), circumstances)
def test_nothing_of_anybody_else_is_ever_touched(host: BenchHost, seen: Observation, around: Circumstances) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    if not isinstance(action, Do):
        return
    target = seen.get(action.step.part, action.step.lun)
    if target is None or (action.step.verb is Verb.ENSURE and action.step.part is Part.NETWORK):
        return
    if action.step.part is Part.NETWORK:
        assert (target.owner, target.in_use, action.step.verb) == (SHARED, False, Verb.DELETE)
    elif action.step.verb is Verb.TAG:
        assert target.owner == OWNER or (target.owner is None and host.spec.adopt)
    else:
        assert target.owner == OWNER


@MANY
@given(hosts(), observations(), circumstances)
def test_a_paused_host_changes_nothing(host: BenchHost, seen: Observation, around: Circumstances) -> None:
    paused = host.model_copy(update={"spec": host.spec.model_copy(update={"paused": True})})
    assert not isinstance(decide(paused, OWNER, seen, now=NOW, circumstances=around), Do | Remove)


@MANY
@given(hosts(), observations(), circumstances)
def test_what_is_settled_stays_settled_and_is_written_once(
    host: BenchHost, seen: Observation, around: Circumstances
) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    if not isinstance(action, Settled):
        return
    once = reported(host, Pass(observation=seen, action=action, circumstances=around))
    again = decide(once, OWNER, seen, now=NOW, circumstances=around)
    assert isinstance(again, Settled)
    # The console was read for what the object said before.
    later = replace(around, host_keys=())
    twice = reported(once, Pass(observation=seen, action=again, circumstances=later))
    assert twice.status == once.status


@MANY
@given(hosts(), observations(), circumstances)
def test_host_keys_are_told_of_the_machine_that_is_seen_and_of_no_other(
    host: BenchHost, seen: Observation, around: Circumstances
) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    status = reported(host, outcome_of(host, seen, around, action)).status
    endpoint, record, placement = status.ssh_endpoint, status.ssh_host_keys, status.placement
    if endpoint is None or not endpoint.host_keys:
        return
    assert seen.machine is not None
    assert record is not None
    assert (record.vm_id, record.keys, record.awaited_since) == (seen.machine.vm_id, endpoint.host_keys, None)
    assert host.spec.readiness is not None
    assert host.spec.readiness.host_keys
    assert not host.spec.azure.os_disk.ephemeral or record.epoch == (placement.epoch if placement else 0)


@MANY
@given(hosts(), observations(), circumstances)
def test_whoever_waits_for_a_moment_waits_for_one_that_is_still_to_come(
    host: BenchHost, seen: Observation, around: Circumstances
) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    if isinstance(action, Settled | Hold) and action.wake_at is not None:
        assert action.wake_at > NOW


@MANY
@given(hosts(), observations(), circumstances)
def test_the_epoch_never_shrinks_and_tells_machines_apart(
    host: BenchHost, seen: Observation, around: Circumstances
) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    before, after = host.status.placement, reported(host, outcome_of(host, seen, around, action)).status.placement
    is_made = Part.MACHINE in seen.parts and seen.parts[Part.MACHINE].state in (PartState.READY, PartState.FAILED)
    if is_made and seen.machine is not None and seen.machine.power is not MachinePower.UNKNOWN:
        assert after is not None
        assert after.vm_id == seen.machine.vm_id
    if before is None:
        return
    assert after is not None
    assert after.epoch - before.epoch in (0, 1)
    assert after.epoch > before.epoch or after == before


@MANY
@given(hosts(deleting=False), observations(), circumstances)
def test_an_error_that_cannot_pass_is_not_tried_again_and_stays_to_be_seen(
    host: BenchHost, seen: Observation, around: Circumstances
) -> None:
    action = decide(host, OWNER, seen, now=NOW, circumstances=around)
    if not isinstance(action, Do):
        return
    error = TerminalError("No such image.", code="PlatformImageNotFound")
    told = reported(host, refused(host, seen, around, action, error))
    for later in (timedelta(0), timedelta(days=30)):
        again = decide(told, OWNER, seen, now=NOW + later, circumstances=around)
        if not isinstance(again, Hold) or again.reason != "InvalidSpec":
            continue  # something else has come in the meantime: a power-down, or the host's end
        still = reported(told, outcome_of(told, seen, around, again)).status
        assert is_true(still.conditions, ConditionType.STALLED)
        assert still.failure is not None
        assert still.failure.failure_class is FailureClass.TERMINAL
        assert not isinstance(again, Do)


@MANY
@given(hosts(), observations(), circumstances, errors)
def test_what_has_just_failed_is_not_done_again_at_the_same_moment(
    host: BenchHost, seen: Observation, around: Circumstances, error: CloudError
) -> None:
    """But for another size or zone, which are as many as the spec names."""
    sizes = len(host.spec.azure.sizes)
    for _ in range(2 * sizes + 2):
        action = decide(host, OWNER, seen, now=NOW, circumstances=around)
        if not isinstance(action, Do):
            return
        host = reported(host, refused(host, seen, around, action, error))
    raise AssertionError(f"{action} is tried again and again at one moment: {host.status.failure}")


@MANY
@given(hosts(deleting=True), observations())
def test_a_deletion_ends_with_nothing_of_ours_left_where_the_cloud_obeys(host: BenchHost, seen: Observation) -> None:
    spec = host.spec.model_copy(update={"paused": False})
    host = host.model_copy(update={"spec": spec, "status": host.status.model_copy(update={"failure": None})})
    for _ in range(MOST_STEPS):
        action = decide(host, OWNER, seen, now=NOW)
        if isinstance(action, Release):
            break
        assert isinstance(action, Do | Wait)
        seen = obey(host, OWNER, seen, step=action.step, now=NOW) if isinstance(action, Do) else come_to_rest(seen)
    else:
        raise AssertionError(f"not released but {action}")
    left = [*seen.parts.values(), *seen.data_disks.values()]
    assert all(one.owner != OWNER for one in left)


@MANY
@given(hosts(deleting=False), observations(), circumstances)
def test_a_life_settles_where_the_cloud_obeys(host: BenchHost, seen: Observation, around: Circumstances) -> None:
    done = []
    host = host.model_copy(update={"status": host.status.model_copy(update={"failure": None, "operation": None})})
    for _ in range(MOST_STEPS):
        action = decide(host, OWNER, seen, now=NOW, circumstances=around)
        host = reported(host, Pass(observation=seen, action=action, circumstances=around))
        if isinstance(action, Settled | Hold | Remove):
            break
        if isinstance(action, Do):
            done.append(action)
            host = answered(host, action)
            seen = obey(host, OWNER, seen, step=action.step, now=NOW)
        seen = come_to_rest(seen)
    else:
        raise AssertionError(f"no end after {[str(one.step) for one in done]}")
    assert sum(one.step.verb is Verb.RESTART for one in done) <= 1
    assert sum(one.step.verb is Verb.ENSURE and one.step.part is Part.MACHINE for one in done) <= 2


powers = st.sampled_from([MachinePower.DEALLOCATED, MachinePower.RUNNING])


@MANY
@given(hosts(deleting=False), powers, powers, st.sets(st.integers(0, 5)))
def test_each_allocation_has_an_epoch_of_its_own_whatever_status_is_lost(
    host: BenchHost, known: MachinePower, power: MachinePower, lost: set[int]
) -> None:
    spec = {"power_state": PowerState.RUNNING, "paused": False, "expires_at": None, "holder": None}
    status = {"failure": None, "operation": None, "power_state": str(known), "placement": Placement(vm_id="vm-guid")}
    host = host.model_copy(
        update={"spec": host.spec.model_copy(update=spec), "status": host.status.model_copy(update=status)}
    )
    seen, allocations = everything(machine(power)), 0
    for number in range(MOST_STEPS):
        action = decide(host, OWNER, seen, now=NOW)
        if number not in lost or not isinstance(action, Do) or action.write_ahead:
            host = reported(host, Pass(observation=seen, action=action))
        if isinstance(action, Settled | Hold):
            break
        if isinstance(action, Do):
            allocations += action.step.verb is Verb.START and is_off(seen)
            host = answered(host, action)
            seen = obey(host, OWNER, seen, step=action.step, now=NOW)
        seen = come_to_rest(seen)
    assert host.status.placement is not None
    assert host.status.placement.epoch >= allocations


def is_off(seen: Observation) -> bool:
    return seen.machine is not None and seen.machine.power is MachinePower.DEALLOCATED


def answered(host: BenchHost, action: Do) -> BenchHost:
    """The object once the operation has ended well."""
    names = {"Restart": "last_restart_time", "Reallocate": "last_reallocate_time"}
    if action.operation not in names:
        return host
    return host.model_copy(update={"status": host.status.model_copy(update={names[action.operation]: NOW})})
