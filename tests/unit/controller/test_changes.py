"""Which Events a change of status makes."""

from datetime import timedelta
from typing import Any

import pytest

from benchhost.api.status import BenchHostStatus
from benchhost.controller.changes import Event, Severity, events_of, finished_since
from support.builders import EARLIER, LATER, NOW, host, placed

NORMAL, WARNING = Severity.NORMAL, Severity.WARNING


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message or f"{kind} is {status}.",
        "lastTransitionTime": NOW.isoformat(),
    }


def entry(kind: str, result: str = "Succeeded", minutes: int = 0) -> dict[str, Any]:
    start = EARLIER + timedelta(minutes=minutes)
    return {
        "type": kind,
        "startTime": start.isoformat(),
        "endTime": (start + timedelta(seconds=42.5)).isoformat(),
        "seconds": 42.5,
        "result": result,
    }


def failure(count: int = 1, reason: str = "CapacityUnavailable") -> dict[str, Any]:
    return {
        "reason": reason,
        "message": "No room for Standard_D2s_v5 (SkuNotAvailable).",
        "class": "Capacity",
        "count": count,
        "since": EARLIER.isoformat(),
        "nextAttemptAt": LATER.isoformat(),
    }


PENDING = {"conditions": [condition("Ready", "Unknown", "Pending")]}
PROVISIONING = {
    "conditions": [
        condition("Ready", "False", "Provisioning", "The cloud is at work."),
        condition("Synced", "False", "Provisioning", "The cloud is at work."),
        condition("Reconciling", "True", "Provisioning", "The cloud is at work."),
    ]
}
RUNNING = {
    "conditions": [
        condition("Ready", "True", "Running", "The host runs."),
        condition("Synced", "True", "Running", "The host runs."),
    ],
    "placement": placed(1),
    "history": [entry("Provision")],
}


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        pytest.param(RUNNING, RUNNING, [], id="nothing-new-says-nothing"),
        pytest.param(
            PENDING,
            PROVISIONING,
            [Event(NORMAL, "Provisioning", "The cloud is at work.")],
            id="one-reason-in-three-conditions-is-one-event",
        ),
        pytest.param(
            PROVISIONING,
            RUNNING,
            [
                Event(NORMAL, "ProvisionSucceeded", "Provision took 42.5 s."),
                Event(NORMAL, "Placed", "Epoch 1: the host got hardware anew (Created)."),
                Event(NORMAL, "Running", "The host runs."),
            ],
            id="a-finished-provision-tells-its-time-the-hardware-and-the-state",
        ),
        pytest.param(
            RUNNING,
            RUNNING | {"history": [entry("Provision"), entry("Restart", minutes=5)]},
            [Event(NORMAL, "RestartSucceeded", "Restart took 42.5 s.")],
            id="a-restart-within-one-pass-is-told-though-no-condition-changed",
        ),
        pytest.param(
            PROVISIONING,
            {
                "conditions": [
                    condition("Ready", "False", "CapacityUnavailable", "No room. Attempt 1 failed; the next is at 12."),
                    condition("Stalled", "True", "CapacityUnavailable", "No room."),
                ],
                "failure": failure(),
                "history": [entry("Provision", "Failed")],
            },
            [Event(WARNING, "CapacityUnavailable", "No room for Standard_D2s_v5 (SkuNotAvailable).")],
            id="a-failure-is-one-warning-without-its-next-attempt",
        ),
        pytest.param(
            {"failure": failure(1)},
            {"failure": failure(2)},
            [Event(WARNING, "CapacityUnavailable", "No room for Standard_D2s_v5 (SkuNotAvailable).")],
            id="a-failure-that-repeats-is-told-in-the-same-words",
        ),
        pytest.param({"failure": failure(2)}, {"failure": failure(2)}, [], id="an-old-failure-is-not-told-again"),
        pytest.param({"failure": failure(2)}, {}, [], id="the-end-of-a-failure-is-told-by-the-conditions"),
        pytest.param(
            RUNNING,
            RUNNING | {"conditions": [condition("Synced", "True", "Expired", "Its time is over.")]},
            [Event(WARNING, "Expired", "Its time is over.")],
            id="what-is-not-ordinary-is-a-warning",
        ),
        pytest.param(
            RUNNING,
            RUNNING | {"conditions": [*RUNNING["conditions"], condition("Evicted", "True", "Evicted", "Taken back.")]},
            [Event(WARNING, "Evicted", "Taken back.")],
            id="an-eviction-is-a-warning",
        ),
        pytest.param(
            RUNNING,
            RUNNING
            | {
                "conditions": [
                    condition("Ready", "True", "Running", "The host runs. Attempt 3."),
                    condition("Synced", "True", "Running", "Other words."),
                ]
            },
            [],
            id="other-words-for-the-same-state-are-no-event",
        ),
    ],
)
def test_events_of_a_change(before: dict[str, Any], after: dict[str, Any], events: list[Event]) -> None:
    assert events_of(host(status=before), BenchHostStatus.model_validate(after)) == events


def test_finished_operations_are_found_though_the_oldest_fall_out_of_the_history() -> None:
    old = [entry("Start", minutes=number) for number in range(20)]
    new = [*old[1:], entry("Stop", minutes=30)]
    before, after = (BenchHostStatus.model_validate({"history": history}) for history in (old, new))
    assert [found.type for found in finished_since(before, after)] == ["Stop"]
