"""The ladder of decisions, one row a sentence."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchhost.api import BenchHost, OperationType, Reason
from benchhost.api.model import to_timestamp
from benchhost.cloud import MachinePower, Observation, Part, PartState, Verb
from benchhost.lifecycle import Action, Do, Hold, Release, Remove, Settled, Wait, decide
from support.builders import (
    EARLIER,
    LATER,
    NOW,
    OWNER,
    deleting,
    everything,
    host,
    machine,
    nothing,
    part,
    placed,
    shared_network,
)

STRANGER = replace(OWNER, uid="another-uid")


def kind_of(action: Action) -> tuple[Any, ...]:
    """An action without its sentence, which people may reword."""
    match action:
        case Do():
            return (Do, action.step.verb, action.step.part, action.operation, action.write_ahead)
        case Wait():
            return (Wait, action.operation)
        case Settled():
            return (Settled, action.reason, action.wake_at)
        case Hold():
            return (Hold, action.reason, action.stalled, action.wake_at)
        case Remove():
            return (Remove, action.reason)
        case Release():
            return (Release,)


def only(**parts: PartState) -> Observation:
    seen = {Part[name]: part(state) for name, state in parts.items() if name != "NETWORK"}
    if "NETWORK" in parts:
        seen[Part.NETWORK] = replace(shared_network(), state=parts["NETWORK"])
    return Observation(parts=seen)


PROVISIONING = {
    "operation": {
        "type": "Provision",
        "startedAt": to_timestamp(EARLIER),
        "deadline": to_timestamp(LATER),
        "generation": 1,
    }
}
STARTED = {
    "type": "Start",
    "startTime": to_timestamp(EARLIER),
    "endTime": to_timestamp(EARLIER),
    "seconds": 0,
    "result": "Succeeded",
}
NO_ROOM = {
    "failure": {
        "reason": "CapacityUnavailable",
        "message": "No room.",
        "class": "Capacity",
        "since": to_timestamp(EARLIER),
        "nextAttemptAt": to_timestamp(EARLIER),
        "generation": 1,
        "tried": [{"size": "Standard_D2s_v5"}],
    }
}
MINUTE = timedelta(minutes=1)
NAMED = {"name": "db-1"}
"""A name that the spec gives: interface and address are made before the machine."""
READY, PENDING = PartState.READY, PartState.PENDING
ENSURE = (Do, Verb.ENSURE)
DELETE = (Do, Verb.DELETE)


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        pytest.param(
            host(),
            nothing(),
            (*ENSURE, Part.NETWORK, OperationType.PROVISION, True),
            id="nothing-there-starts-network-first-and-writes-it-ahead",
        ),
        pytest.param(
            host(status=PROVISIONING),
            nothing(),
            (*ENSURE, Part.NETWORK, OperationType.PROVISION, False),
            id="an-intent-on-record-is-not-written-again",
        ),
        pytest.param(
            host(
                azure={"network": {"subnetId": "/subscriptions/s/resourceGroups/r/providers/n"}, **NAMED},
                status=PROVISIONING,
            ),
            nothing(),
            (*ENSURE, Part.INTERFACE, OperationType.PROVISION, False),
            id="an-existing-subnet-without-address-needs-only-the-interface",
        ),
        pytest.param(
            host(status=PROVISIONING),
            only(NETWORK=PENDING),
            (Wait, OperationType.PROVISION),
            id="a-network-being-made-is-waited-for",
        ),
        pytest.param(
            host(azure=NAMED, status=PROVISIONING),
            only(NETWORK=READY, ADDRESS=READY, INTERFACE=READY),
            (*ENSURE, Part.MACHINE, OperationType.PROVISION, False),
            id="with-everything-else-there-the-machine-is-made",
        ),
        pytest.param(
            host(status=PROVISIONING),
            only(NETWORK=READY),
            (*ENSURE, Part.MACHINE, OperationType.PROVISION, False),
            id="a-machine-that-brings-its-interface-needs-nothing-but-the-network",
        ),
        pytest.param(
            host(status=PROVISIONING),
            only(NETWORK=READY, ADDRESS=READY, INTERFACE=READY),
            (*DELETE, Part.INTERFACE, OperationType.PROVISION, False),
            id="the-interface-that-an-earlier-machine-brought-makes-way",
        ),
        pytest.param(
            host(status=PROVISIONING),
            Observation(parts={Part.NETWORK: shared_network(), Part.INTERFACE: part(in_use=True)}),
            (Hold, Reason.NOT_OWNED, True, None),
            id="the-interface-of-an-earlier-machine-that-another-one-has-is-left-alone",
        ),
        pytest.param(
            host(status=PROVISIONING),
            only(NETWORK=READY, ADDRESS=READY),
            (*DELETE, Part.ADDRESS, OperationType.PROVISION, False),
            id="the-address-that-an-earlier-machine-brought-makes-way",
        ),
        pytest.param(
            host(azure=NAMED, status=PROVISIONING),
            only(NETWORK=READY, ADDRESS=READY, INTERFACE=READY, DISK=READY),
            (*DELETE, Part.DISK, OperationType.PROVISION, False),
            id="the-disk-of-an-earlier-machine-makes-way",
        ),
        pytest.param(
            host(azure=NAMED, status=PROVISIONING),
            replace(only(NETWORK=READY, ADDRESS=READY, INTERFACE=READY), data_disks={1: part(owner=STRANGER)}),
            (Hold, Reason.NOT_OWNED, True, None),
            id="a-disk-of-somebody-else-in-the-way-is-left-alone",
        ),
        pytest.param(
            host(azure=NAMED, status=PROVISIONING),
            only(NETWORK=READY, ADDRESS=PartState.FAILED),
            (*ENSURE, Part.ADDRESS, OperationType.PROVISION, False),
            id="a-failed-address-is-put-again",
        ),
        pytest.param(
            host(status=PROVISIONING),
            Observation(parts={Part.NETWORK: shared_network(), Part.ADDRESS: part(owner=STRANGER)}),
            (Hold, Reason.NOT_OWNED, True, None),
            id="an-address-of-somebody-else-is-never-used",
        ),
        pytest.param(
            host(spec={"powerState": "Deallocated"}),
            nothing(),
            (Settled, Reason.DEALLOCATED, None),
            id="a-host-that-shall-not-run-is-not-made",
        ),
        pytest.param(host(), everything(), (Settled, Reason.RUNNING, None), id="a-running-host-is-settled"),
        pytest.param(host(), everything(state=PENDING), (Wait, None), id="an-update-by-somebody-else-is-waited-for"),
        pytest.param(
            host(),
            everything(machine(MachinePower.STARTING)),
            (Wait, None),
            id="a-starting-machine-is-waited-for",
        ),
        pytest.param(
            host(),
            everything(machine(MachinePower.UNKNOWN)),
            (Wait, None),
            id="an-unknown-power-state-is-never-acted-on",
        ),
        pytest.param(
            host(),
            everything(machine(MachinePower.DEALLOCATED)),
            (Do, Verb.START, Part.MACHINE, OperationType.START, True),
            id="a-host-that-was-not-known-to-be-deallocated-is-started-once-status-says-so",
        ),
        pytest.param(
            host(status={"powerState": "Deallocated"}),
            everything(machine(MachinePower.DEALLOCATED)),
            (Do, Verb.START, Part.MACHINE, OperationType.START, False),
            id="deallocated-host-wanted-running-is-started",
        ),
        pytest.param(
            host(spec={"powerState": "Stopped"}),
            everything(),
            (Do, Verb.STOP, Part.MACHINE, OperationType.STOP, False),
            id="running-host-wanted-stopped-is-stopped",
        ),
        pytest.param(
            host(spec={"powerState": "Stopped"}, status={"powerState": "Deallocated"}),
            everything(machine(MachinePower.DEALLOCATED)),
            (Do, Verb.START, Part.MACHINE, OperationType.START, False),
            id="deallocated-host-wanted-stopped-is-started-first",
        ),
        pytest.param(
            host(spec={"powerState": "Stopped"}),
            everything(machine(MachinePower.STOPPED)),
            (Settled, Reason.STOPPED, None),
            id="stopped-host-wanted-stopped-is-settled",
        ),
        pytest.param(
            host(spec={"powerState": "Deallocated"}),
            everything(machine(MachinePower.STOPPED)),
            (Do, Verb.DEALLOCATE, Part.MACHINE, OperationType.DEALLOCATE, False),
            id="stopped-host-wanted-deallocated-is-deallocated",
        ),
        pytest.param(
            host(),
            everything(owner=STRANGER),
            (Hold, Reason.NOT_OWNED, True, None),
            id="a-machine-of-another-host-is-left-alone",
        ),
        pytest.param(
            host(),
            everything(owner=None),
            (Hold, Reason.NOT_OWNED, True, None),
            id="a-machine-of-nobody-is-left-alone-without-adopt",
        ),
        pytest.param(
            host(spec={"adopt": True}),
            everything(owner=None),
            (Do, Verb.TAG, Part.MACHINE, OperationType.UPDATE, True),
            id="a-machine-of-nobody-is-taken-with-adopt-after-that-was-put-on-record",
        ),
        pytest.param(
            host(spec={"adopt": True}),
            everything(owner=STRANGER),
            (Hold, Reason.NOT_OWNED, True, None),
            id="a-machine-of-another-host-is-left-alone-even-with-adopt",
        ),
        pytest.param(
            host(),
            everything(machine(size="Standard_B2s")),
            (Do, Verb.RESIZE, Part.MACHINE, OperationType.RESIZE, False),
            id="a-size-that-is-not-in-the-list-is-changed",
        ),
        pytest.param(
            host(),
            everything(machine(size="Standard_D4s_v5")),
            (Settled, Reason.RUNNING, None),
            id="the-second-size-of-the-list-is-fine",
        ),
        pytest.param(
            host(azure={"tags": {"team": "db"}}),
            everything(machine(tags={"policy": "x"})),
            (Do, Verb.TAG, Part.MACHINE, OperationType.UPDATE, False),
            id="a-missing-tag-is-set",
        ),
        pytest.param(
            host(azure={"tags": {"team": "db"}}),
            everything(machine(tags={"team": "db", "policy": "x"})),
            (Settled, Reason.RUNNING, None),
            id="a-tag-that-a-policy-added-is-no-drift",
        ),
        pytest.param(
            host(spec={"paused": True}),
            nothing(),
            (Hold, Reason.PAUSED, False, None),
            id="a-paused-host-is-not-made",
        ),
        pytest.param(
            host(azure=NAMED),
            everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED),
            (*ENSURE, Part.MACHINE, OperationType.PROVISION, False),
            id="a-machine-whose-creation-failed-is-put-again",
        ),
        pytest.param(
            host(),
            everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED),
            (*DELETE, Part.MACHINE, OperationType.CLEAN_UP, False),
            id="a-failed-creation-that-brought-its-interface-is-taken-away-first",
        ),
        pytest.param(
            host(status={"history": [STARTED]}),
            everything(machine(MachinePower.UNKNOWN, created_at=EARLIER - MINUTE), state=PartState.FAILED),
            (*ENSURE, Part.MACHINE, OperationType.UPDATE, False),
            id="a-failed-machine-that-has-run-is-never-taken-away",
        ),
        pytest.param(
            host(status={"placement": placed()} | NO_ROOM),
            everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED),
            (*ENSURE, Part.MACHINE, OperationType.UPDATE, False),
            id="a-failed-machine-that-was-placed-is-not-taken-away-for-another-size",
        ),
        pytest.param(
            host(spec={"powerState": "Deallocated"}, status={"placement": placed()}),
            everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED),
            (Wait, None),
            id="a-failed-machine-that-was-placed-is-not-deleted-when-it-shall-not-run",
        ),
        pytest.param(
            host(spec={"powerState": "Deallocated", "adopt": True}, azure=NAMED),
            everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED),
            (Wait, None),
            id="a-failed-machine-that-may-be-adopted-is-not-deleted-when-it-shall-not-run",
        ),
        pytest.param(
            host(spec={"powerState": "Deallocated"}),
            everything(machine(MachinePower.RUNNING), state=PartState.FAILED),
            (Do, Verb.DEALLOCATE, Part.MACHINE, OperationType.DEALLOCATE, False),
            id="a-failed-machine-can-be-deallocated",
        ),
    ],
)
def test_living_host(wanted: BenchHost, seen: Observation, expected: tuple[Any, ...]) -> None:
    assert kind_of(decide(wanted, OWNER, seen, now=NOW)) == expected


RESTART = (Do, Verb.RESTART, Part.MACHINE, OperationType.RESTART, True)
REALLOCATE = (Do, Verb.DEALLOCATE, Part.MACHINE, OperationType.REALLOCATE, True)
RUNNING = (Settled, Reason.RUNNING, None)
ASKED = NOW.replace(minute=0, hour=11, second=30)


@pytest.mark.parametrize(
    ("field", "status", "expected"),
    [
        pytest.param("restartAt", {"placement": placed()}, RESTART, id="a-due-restart-is-started-and-written-ahead"),
        pytest.param(
            "restartAt",
            {"placement": placed(), "lastRestartTime": to_timestamp(NOW)},
            RUNNING,
            id="an-answered-restart-is-not-repeated",
        ),
        pytest.param(
            "restartAt",
            {"placement": placed(since=NOW)},
            RUNNING,
            id="a-host-allocated-since-needs-no-restart",
        ),
        pytest.param("reallocateAt", {"placement": placed()}, REALLOCATE, id="a-due-reallocation-deallocates"),
        pytest.param(
            "reallocateAt",
            {"placement": placed(), "lastReallocateTime": to_timestamp(NOW)},
            RUNNING,
            id="an-answered-reallocation-is-not-repeated",
        ),
    ],
)
def test_request_with_a_time(field: str, status: dict[str, Any], expected: tuple[Any, ...]) -> None:
    wanted = host(spec={field: to_timestamp(ASKED)}, status=status)
    assert kind_of(decide(wanted, OWNER, everything(), now=NOW)) == expected


def test_restart_in_the_future_wakes_the_host_then() -> None:
    wanted = host(spec={"restartAt": to_timestamp(LATER)})
    assert kind_of(decide(wanted, OWNER, everything(), now=NOW)) == (Settled, Reason.RUNNING, LATER)


def test_restart_that_went_through_before_a_crash_is_not_repeated() -> None:
    intent = {"operation": PROVISIONING["operation"] | {"type": "Restart"}, "placement": placed()}
    wanted = host(spec={"restartAt": to_timestamp(ASKED)}, status=intent)
    unseen = everything(machine(changed_at=EARLIER.replace(second=5)))
    lost = everything(machine(changed_at=EARLIER.replace(hour=1)))
    assert kind_of(decide(wanted, OWNER, unseen, now=NOW)) == RUNNING
    assert kind_of(decide(wanted, OWNER, lost, now=NOW)) == RESTART


def failing(failure_class: str, *, generation: int = 1, next_attempt: Any = LATER) -> dict[str, Any]:
    failure = {
        "reason": "CapacityUnavailable",
        "message": "No room.",
        "class": failure_class,
        "since": to_timestamp(EARLIER),
        "generation": generation,
    }
    if next_attempt is not None:
        failure["nextAttemptAt"] = to_timestamp(next_attempt)
    return {"failure": failure, **PROVISIONING}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(
            failing("Capacity"),
            (Hold, Reason.CAPACITY_UNAVAILABLE, False, LATER),
            id="too-early-holds-until-the-next-attempt",
        ),
        pytest.param(
            failing("Terminal", next_attempt=None),
            (Hold, Reason.CAPACITY_UNAVAILABLE, True, None),
            id="a-terminal-failure-stays",
        ),
        pytest.param(
            failing("Terminal", next_attempt=None, generation=0),
            (*ENSURE, Part.NETWORK, OperationType.PROVISION, False),
            id="a-new-generation-starts-anew",
        ),
        pytest.param(
            failing("Transient", next_attempt=EARLIER),
            (*ENSURE, Part.NETWORK, OperationType.PROVISION, False),
            id="when-the-time-has-come-it-is-tried-again",
        ),
    ],
)
def test_failure_on_record(status: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert kind_of(decide(host(status=status), OWNER, nothing(), now=NOW)) == expected


RETAIN = {"deletionPolicy": "Retain"}


@pytest.mark.parametrize(
    ("wanted", "seen", "expected"),
    [
        pytest.param(
            deleting(),
            everything(),
            (*DELETE, Part.MACHINE, OperationType.DELETE, False),
            id="the-machine-goes-first",
        ),
        pytest.param(
            deleting(),
            everything(state=PENDING),
            (*DELETE, Part.MACHINE, OperationType.DELETE, False),
            id="a-create-under-way-is-preempted",
        ),
        pytest.param(
            deleting(),
            everything(state=PartState.DELETING),
            (Wait, OperationType.DELETE),
            id="a-deletion-under-way-is-waited-for",
        ),
        pytest.param(
            deleting(),
            everything(machine(MachinePower.UNKNOWN), state=PartState.FAILED),
            (*DELETE, Part.MACHINE, OperationType.DELETE, False),
            id="a-machine-whose-creation-failed-takes-along-what-it-brought",
        ),
        pytest.param(
            deleting(),
            only(INTERFACE=READY, DISK=READY, ADDRESS=READY),
            (*DELETE, Part.INTERFACE, OperationType.DELETE, False),
            id="then-the-interface",
        ),
        pytest.param(
            deleting(),
            only(DISK=READY, ADDRESS=READY),
            (*DELETE, Part.DISK, OperationType.DELETE, False),
            id="then-the-disk",
        ),
        pytest.param(
            deleting(),
            replace(only(ADDRESS=READY), data_disks={3: part()}),
            (*DELETE, Part.DATA_DISK, OperationType.DELETE, False),
            id="then-the-data-disks",
        ),
        pytest.param(
            deleting(),
            replace(only(ADDRESS=READY), data_disks={3: part(owner=STRANGER)}),
            (*DELETE, Part.ADDRESS, OperationType.DELETE, False),
            id="a-disk-of-somebody-else-is-never-deleted",
        ),
        pytest.param(
            deleting(),
            only(ADDRESS=READY),
            (*DELETE, Part.ADDRESS, OperationType.DELETE, False),
            id="then-the-address",
        ),
        pytest.param(
            deleting(),
            Observation(parts={Part.NETWORK: shared_network()}),
            (*DELETE, Part.NETWORK, OperationType.DELETE, False),
            id="then-the-network-if-it-was-the-last-host",
        ),
        pytest.param(
            deleting(),
            Observation(parts={Part.NETWORK: shared_network(in_use=True)}),
            (Release,),
            id="a-network-with-other-hosts-stays",
        ),
        pytest.param(
            deleting(),
            Observation(parts={Part.NETWORK: part(owner=None)}),
            (Release,),
            id="a-network-that-was-there-before-stays",
        ),
        pytest.param(
            deleting(),
            Observation(parts={Part.NETWORK: shared_network(cluster="other")}),
            (Release,),
            id="a-network-of-another-cluster-stays",
        ),
        pytest.param(deleting(), nothing(), (Release,), id="with-nothing-left-the-object-goes"),
        pytest.param(
            deleting(),
            everything(owner=STRANGER),
            (*DELETE, Part.INTERFACE, OperationType.DELETE, False),
            id="a-machine-of-somebody-else-is-never-deleted",
        ),
        pytest.param(
            deleting(spec=RETAIN),
            everything(),
            (Do, Verb.RELEASE, Part.MACHINE, OperationType.DELETE, False),
            id="retain-takes-the-owner-tags-off",
        ),
        pytest.param(
            deleting(spec=RETAIN),
            everything(owner=None),
            (Do, Verb.RELEASE, Part.INTERFACE, OperationType.DELETE, False),
            id="retain-takes-them-off-each-part",
        ),
        pytest.param(
            deleting(spec=RETAIN),
            Observation(parts={Part.NETWORK: shared_network()}),
            (Release,),
            id="retain-leaves-the-network",
        ),
        pytest.param(
            deleting(status=failing("Admin", generation=2)),
            everything(),
            (Hold, Reason.DELETION_BLOCKED, False, LATER),
            id="a-refused-deletion-is-tried-again-later",
        ),
        pytest.param(
            deleting(status=failing("Terminal", next_attempt=None)),
            everything(),
            (*DELETE, Part.MACHINE, OperationType.DELETE, False),
            id="what-failed-before-the-deletion-does-not-hold-it",
        ),
        pytest.param(
            deleting(spec={"paused": True}),
            everything(),
            (Hold, Reason.PAUSED, False, None),
            id="a-paused-host-is-not-deleted",
        ),
    ],
)
def test_deletion(wanted: BenchHost, seen: Observation, expected: tuple[Any, ...]) -> None:
    assert kind_of(decide(wanted, OWNER, seen, now=NOW)) == expected
