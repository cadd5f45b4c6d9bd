from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from mlos_bench.environments.status import Status

from benchhost.api import BenchHost
from benchhost.mlos.calls import HostCall, HostHandle, HostOperation
from benchhost.mlos.outcome import decide_deallocation, decide_deletion, decide_setup, describe_placement, to_info
from support.builders import EARLIER, LATER, NOW, OWNER, UID, deleting, host, placed

CALL = HostCall(
    operation=HostOperation.PROVISION, namespace=OWNER.namespace, name=OWNER.name, uid=UID, generation=3, started=NOW
)
OTHER_UID = "5f0c2a4e-0000-4000-8000-000000000002"


def condition(kind: str, value: str = "True", *, generation: int = 3, message: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "status": value,
        "observedGeneration": generation,
        "reason": "Reason",
        "message": message,
        "lastTransitionTime": EARLIER.isoformat(),
    }


def seen(*conditions: dict[str, Any], uid: str = UID, **status: Any) -> BenchHost:
    return host(metadata={"uid": uid, "generation": 3}, status={"conditions": list(conditions), **status})


def failure(kind: str, *, generation: int = 3) -> dict[str, Any]:
    since = EARLIER.isoformat()
    return {"reason": "R", "message": "no such image", "class": kind, "since": since, "generation": generation}


SETUP = [
    pytest.param(seen(condition("Ready")), Status.SUCCEEDED, "", id="ready-for-this-generation-is-success"),
    pytest.param(seen(condition("Ready", generation=4)), Status.SUCCEEDED, "", id="ready-for-a-later-one-is-success"),
    pytest.param(seen(condition("Ready", generation=2)), None, "", id="ready-for-an-older-generation-is-not-yet"),
    pytest.param(seen(condition("Ready", "False")), None, "", id="not-ready-is-not-yet"),
    pytest.param(seen(), None, "", id="no-status-is-not-yet"),
    pytest.param(
        seen(condition("Stalled", message="raise the quota")), Status.FAILED, "raise the quota", id="stalled-is-failure"
    ),
    pytest.param(seen(condition("Stalled", generation=2)), None, "", id="stalled-at-an-older-generation-is-old-news"),
    pytest.param(seen(failure=failure("Terminal")), Status.FAILED, "no such image", id="terminal-failure-is-failure"),
    pytest.param(seen(failure=failure("Terminal", generation=2)), None, "", id="older-terminal-failure-is-old-news"),
    pytest.param(seen(failure=failure("Capacity")), None, "", id="capacity-is-waited-for"),
    pytest.param(seen(failure=failure("Admin")), None, "", id="admin-failure-is-waited-for"),
    pytest.param(None, Status.FAILED, "deleted by somebody else", id="gone-is-failure"),
    pytest.param(
        seen(condition("Ready"), uid=OTHER_UID), Status.FAILED, "created anew", id="another-object-is-failure"
    ),
    pytest.param(deleting(), Status.FAILED, "is being deleted", id="going-away-is-failure"),
]


@pytest.mark.parametrize(("found", "status", "words"), SETUP)
def test_setup(found: BenchHost | None, status: Status | None, words: str) -> None:
    outcome = decide_setup(found, CALL)
    assert (outcome.status if outcome else None) == status
    assert words in (outcome.message if outcome else "")


@pytest.mark.parametrize(
    ("done", "is_ready"),
    [(None, False), (EARLIER, False), (NOW, True), (LATER, True)],
    ids=["never-moved", "moved-before", "moved-as-asked", "moved-later"],
)
def test_other_hardware_is_waited_for(done: Any, is_ready: bool) -> None:
    status = {"lastReallocateTime": done.isoformat()} if done else {}
    outcome = decide_setup(seen(condition("Ready"), **status), replace(CALL, reallocate_at=NOW))
    assert (outcome is not None) == is_ready


@pytest.mark.parametrize(
    ("found", "status"),
    [
        pytest.param(
            seen(condition("Synced"), powerState="Deallocated"), Status.SUCCEEDED, id="deallocated-and-synced"
        ),
        pytest.param(
            seen(condition("Synced", generation=2), powerState="Deallocated"), None, id="synced-before-the-call"
        ),
        pytest.param(seen(condition("Synced"), powerState="Deallocating"), None, id="on-the-way"),
        pytest.param(seen(condition("Synced")), Status.SUCCEEDED, id="no-machine-holds-no-hardware"),
        pytest.param(seen(condition("Stalled")), Status.FAILED, id="stalled"),
        pytest.param(None, Status.SUCCEEDED, id="gone-holds-no-hardware"),
        pytest.param(seen(uid=OTHER_UID), Status.SUCCEEDED, id="another-object-has-the-name"),
    ],
)
def test_deallocation(found: BenchHost | None, status: Status | None) -> None:
    outcome = decide_deallocation(found, CALL)
    assert (outcome.status if outcome else None) == status


def going(generation: int) -> BenchHost:
    stalled = condition("Stalled", generation=generation, message="a lock forbids it")
    return deleting(metadata={"generation": 4}, status={"conditions": [stalled]})


@pytest.mark.parametrize(
    ("found", "status"),
    [
        pytest.param(None, Status.SUCCEEDED, id="gone"),
        pytest.param(seen(uid=OTHER_UID), Status.SUCCEEDED, id="another-object-has-the-name"),
        pytest.param(deleting(), None, id="held-by-its-finalizer"),
        pytest.param(seen(condition("Ready")), None, id="not-yet-asked"),
        pytest.param(going(4), Status.FAILED, id="stalled-while-deleting"),
        pytest.param(going(3), None, id="stalled-before-deleting"),
    ],
)
def test_deletion(found: BenchHost | None, status: Status | None) -> None:
    outcome = decide_deletion(found, CALL)
    assert (outcome.status if outcome else None) == status


def entry(kind: str) -> dict[str, Any]:
    times = {"startTime": EARLIER.isoformat(), "endTime": NOW.isoformat()}
    return {"type": kind, **times, "seconds": 3600.0, "result": "Succeeded", "epoch": 2}


def test_info_has_the_clouds_own_times_and_where_the_host_is() -> None:
    found = seen(
        history=[entry("Provision"), entry("Reallocate")],
        placement=placed(epoch=2),
        size="Standard_D2s_v5",
        zone="1",
        providerId="azure:///x",
        addresses=[{"type": "ExternalIP", "address": "203.0.113.7"}],
    )
    assert to_info(found, CALL, LATER) == {
        "operation": "Reallocate",
        "startTime": "2026-03-01T11:00:00Z",
        "endTime": "2026-03-01T12:00:00Z",
        "durationSeconds": 3600.0,
        "namespace": OWNER.namespace,
        "name": OWNER.name,
        "uid": UID,
        "providerId": "azure:///x",
        "vmId": "vm-guid",
        "size": "Standard_D2s_v5",
        "zone": "1",
        "placementEpoch": 2,
        "addresses": [{"type": "ExternalIP", "address": "203.0.113.7"}],
    }


@pytest.mark.parametrize(
    ("found", "operation"),
    [
        pytest.param(None, HostOperation.DEPROVISION, id="an-object-that-is-gone"),
        pytest.param(seen(history=[entry("Provision")]), HostOperation.DEALLOCATE, id="a-history-of-something-else"),
        pytest.param(seen(), HostOperation.PROVISION, id="an-empty-history"),
    ],
)
def test_info_falls_back_to_the_calls_own_times(found: BenchHost | None, operation: HostOperation) -> None:
    info = to_info(found, replace(CALL, operation=operation), NOW + timedelta(seconds=2.5))
    assert (info["operation"], info["startTime"], info["durationSeconds"]) == (operation, "2026-03-01T12:00:00Z", 2.5)
    assert info["uid"] == UID


def test_placement_is_told_in_one_line() -> None:
    line = describe_placement(seen(placement=placed(epoch=7), size="Standard_D2s_v5", zone="2"))
    assert line == "bench/pg-1: placement epoch 7 since 2026-03-01T11:00:00Z (Standard_D2s_v5, zone 2)"


def test_handle_is_the_empty_dictionary_that_remembers_the_call() -> None:
    handle = HostHandle(CALL)
    assert handle == {}
    assert isinstance(handle, dict)
    assert (handle.namespace, handle.name, handle.uid, handle.generation) == (OWNER.namespace, OWNER.name, UID, 3)
    assert handle.operation is HostOperation.PROVISION
