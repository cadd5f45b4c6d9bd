"""What tools take a host for that wait by the rules of kstatus, as Flux does.

The rules are those of ``kstatus/status`` in sigs.k8s.io/cli-utils, for a kind that it has no rules of its own for.
"""

from typing import Any, Final

import pytest

from benchhost.api import BenchHost, BenchHostStatus
from benchhost.api.crd import custom_resource_definition
from benchhost.cloud import (
    AdminError,
    CapacityError,
    CloudError,
    MachinePower,
    Observation,
    TerminalError,
    TransientError,
)
from benchhost.lifecycle import Circumstances, HolderState, Pass, decide, report
from support.builders import EARLIER, NOW, OWNER, deleting, everything, host, machine, nothing, placed

CURRENT: Final = "Current"
IN_PROGRESS: Final = "InProgress"
FAILED: Final = "Failed"
TERMINATING: Final = "Terminating"

LOST: Final = Circumstances(holder=HolderState(expires_at=EARLIER))
DEALLOCATED: Final = everything(machine(MachinePower.DEALLOCATED))
RAN: Final = {"placement": placed(), "powerState": "Running", "size": "Standard_D2s_v5"}


def kstatus(body: dict[str, Any]) -> str:
    """The rules in their order: each is asked only when those before it say nothing."""
    meta, status = body["metadata"], body.get("status", {})
    if meta.get("deletionTimestamp"):
        return TERMINATING
    if status.get("observedGeneration", meta["generation"]) != meta["generation"]:
        return IN_PROGRESS
    conditions = [(condition["type"], condition["status"]) for condition in status.get("conditions", [])]
    for condition in conditions:
        if condition == ("Reconciling", "True"):
            return IN_PROGRESS
        if condition == ("Stalled", "True"):
            return FAILED
    return CURRENT if dict(conditions).get("Ready", "True") == "True" else IN_PROGRESS


def with_status(wanted: BenchHost, status: BenchHostStatus) -> dict[str, Any]:
    """The object as the API server has it after a pass."""
    return wanted.to_dict() | {"status": status.to_dict()}


def after_look(wanted: BenchHost, seen: Observation, around: Circumstances) -> BenchHostStatus:
    """What a pass reports that has seen this."""
    action = decide(wanted, OWNER, seen, now=NOW, circumstances=around)
    return report(wanted, Pass(observation=seen, action=action, circumstances=around), now=NOW)


@pytest.mark.parametrize(
    ("wanted", "seen", "around", "taken_for"),
    [
        pytest.param(host(), nothing(), Circumstances(), IN_PROGRESS, id="a-host-that-is-made"),
        pytest.param(host(status=RAN), everything(), Circumstances(), CURRENT, id="a-host-that-runs"),
        pytest.param(
            host(spec={"readiness": {}}, status=RAN), everything(), Circumstances(), IN_PROGRESS,
            id="a-host-whose-guest-has-not-answered",
        ),
        pytest.param(
            host(spec={"readiness": {}}, status=RAN), everything(), Circumstances(answered_at=NOW), CURRENT,
            id="a-host-whose-guest-has-answered",
        ),
        pytest.param(
            host(spec={"powerState": "Stopped"}, status=RAN), everything(), Circumstances(), IN_PROGRESS,
            id="a-host-that-is-stopped",
        ),
        pytest.param(
            host(spec={"powerState": "Stopped"}), everything(machine(MachinePower.STOPPED)), Circumstances(), CURRENT,
            id="a-host-that-is-off-as-it-shall-be",
        ),
        pytest.param(
            host(spec={"powerState": "Deallocated"}), DEALLOCATED, Circumstances(), CURRENT,
            id="a-host-that-is-put-aside-as-it-shall-be",
        ),
        pytest.param(host(status=RAN), DEALLOCATED, Circumstances(), IN_PROGRESS, id="a-host-that-somebody-put-aside"),
        pytest.param(
            host(spec={"expiresAt": EARLIER.isoformat()}, status=RAN), everything(), Circumstances(), IN_PROGRESS,
            id="a-host-whose-time-has-just-ended",
        ),
        pytest.param(
            host(spec={"expiresAt": EARLIER.isoformat()}), DEALLOCATED, Circumstances(), FAILED,
            id="a-host-whose-time-is-over",
        ),
        pytest.param(
            host(spec={"holder": {"leaseName": "a"}}), DEALLOCATED, LOST, FAILED, id="a-host-whose-holder-is-lost"
        ),
        pytest.param(
            host(spec={"paused": True}), nothing(), Circumstances(), IN_PROGRESS, id="a-host-that-is-paused-too-early"
        ),
        pytest.param(
            host(spec={"paused": True}, status=RAN), everything(), Circumstances(), CURRENT, id="a-paused-host-that-runs"
        ),
        pytest.param(
            host(), everything(owner=None), Circumstances(), FAILED, id="a-host-whose-machine-is-somebody-else-s"
        ),
        pytest.param(deleting(), everything(), Circumstances(), TERMINATING, id="a-host-that-is-deleted"),
    ],
)  # fmt: skip
def test_what_is_seen_is_taken_for(wanted: BenchHost, seen: Observation, around: Circumstances, taken_for: str) -> None:
    assert kstatus(with_status(wanted, after_look(wanted, seen, around))) == taken_for


@pytest.mark.parametrize(
    ("error", "taken_for"),
    [
        pytest.param(TransientError("A blip."), IN_PROGRESS, id="what-passes-by-itself"),
        pytest.param(CapacityError("No room."), IN_PROGRESS, id="no-room"),
        pytest.param(AdminError("No role."), FAILED, id="what-an-administrator-has-to-change"),
        pytest.param(TerminalError("No such image."), FAILED, id="what-the-spec-has-to-change"),
    ],
)
def test_a_failure_is_taken_for(error: CloudError, taken_for: str) -> None:
    assert kstatus(with_status(host(), report(host(), Pass(error=error), now=NOW))) == taken_for


def test_a_host_that_no_controller_has_seen_is_not_taken_for_finished() -> None:
    schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    body = host().to_dict() | {"status": schema["properties"]["status"]["default"]}
    assert kstatus(body) == IN_PROGRESS


def test_what_a_newer_spec_wants_is_not_taken_for_done() -> None:
    status = after_look(host(status=RAN), everything(), Circumstances())
    assert kstatus(with_status(host(metadata={"generation": 2}), status)) == IN_PROGRESS
