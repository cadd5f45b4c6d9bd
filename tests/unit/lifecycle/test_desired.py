"""Whether a host's time is over or its holder is lost, and what that does to it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from benchhost.api import BenchHost, OperationType, Reason
from benchhost.api.model import to_timestamp
from benchhost.api.spec import PowerState
from benchhost.cloud import MachinePower, Observation, Part, Step, TerminalError, Verb
from benchhost.lifecycle import Circumstances, Do, HolderState, Pass, Remove, Settled, decide, desired, next_end, report
from benchhost.lifecycle.backoff import FailedAttempt, next_failure
from support.builders import EARLIER, LATER, NOW, OWNER, everything, host, machine, nothing, part

HOLDER = {"holder": {"leaseName": "trial-1", "gracePeriodSeconds": 60}}
DEALLOCATE = Step(Verb.DEALLOCATE, Part.MACHINE)
DEALLOCATED = everything(machine(MachinePower.DEALLOCATED))
"""The builders' host was created at EARLIER, an hour ago."""


def held(expires_at: datetime | None) -> Circumstances:
    return Circumstances(holder=HolderState(expires_at))


@pytest.mark.parametrize(
    ("spec", "circumstances", "ended", "end"),
    [
        pytest.param({}, Circumstances(), None, None, id="without-a-limit-it-never-ends"),
        pytest.param({"expiresAt": to_timestamp(LATER)}, Circumstances(), None, LATER, id="before-its-time"),
        pytest.param({"expiresAt": to_timestamp(NOW)}, Circumstances(), Reason.EXPIRED, None, id="at-its-time"),
        pytest.param({"lifetime": "30m"}, Circumstances(), Reason.EXPIRED, None, id="after-its-lifetime"),
        pytest.param({"lifetime": "2h"}, Circumstances(), None, LATER, id="within-its-lifetime"),
        pytest.param(
            {"lifetime": "30m", "expiresAt": to_timestamp(LATER)},
            Circumstances(),
            Reason.EXPIRED,
            None,
            id="the-earlier-limit-counts",
        ),
        pytest.param(HOLDER, held(NOW), None, NOW + timedelta(seconds=60), id="a-holder-in-its-grace-period"),
        pytest.param(HOLDER, held(EARLIER), Reason.HOLDER_LOST, None, id="a-holder-that-stopped-to-renew"),
        pytest.param(HOLDER, held(None), None, NOW + timedelta(seconds=60), id="a-lease-that-is-seen-to-be-gone-now"),
        pytest.param(HOLDER, Circumstances(), None, None, id="a-lease-that-could-not-be-read-proves-nothing"),
    ],
)
def test_when_a_host_ends(
    spec: dict[str, Any], circumstances: Circumstances, ended: Reason | None, end: datetime | None
) -> None:
    wanted = host(spec=spec)
    found = desired(wanted, circumstances, now=NOW)
    assert found.ended is ended
    assert found.power is (PowerState.RUNNING if ended is None else PowerState.DEALLOCATED)
    assert next_end(wanted, circumstances, now=NOW) == end


def seen_with(circumstances: Circumstances, at: datetime, before: BenchHost | None = None) -> BenchHost:
    """A host with a holder, as a pass at this moment leaves it."""
    wanted = before or host(spec=HOLDER)
    outcome = Pass(observation=everything(), action=Settled("", Reason.RUNNING), circumstances=circumstances)
    return host(spec=HOLDER, status=report(wanted, outcome, now=at).to_dict())


@pytest.mark.parametrize(
    ("before", "ended"),
    [
        pytest.param(seen_with(held(None), NOW - timedelta(seconds=59)), None, id="is-kept-for-its-grace-period"),
        pytest.param(seen_with(held(None), NOW - timedelta(seconds=60)), Reason.HOLDER_LOST, id="is-lost-after-it"),
        pytest.param(
            seen_with(held(LATER), NOW - timedelta(seconds=5)), None, id="is-kept-if-the-lease-was-held-before"
        ),
        pytest.param(
            seen_with(held(LATER), NOW - timedelta(seconds=5), seen_with(held(None), EARLIER)),
            None,
            id="is-kept-if-the-lease-was-gone-before-and-came-back",
        ),
        pytest.param(seen_with(held(EARLIER), NOW - timedelta(seconds=5)), Reason.HOLDER_LOST, id="stays-lost"),
    ],
)
def test_a_host_whose_lease_is_gone(before: BenchHost, ended: Reason | None) -> None:
    assert desired(before, held(None), now=NOW).ended is ended


def over(**spec: Any) -> BenchHost:
    return host(spec={"expiresAt": to_timestamp(EARLIER), **spec})


def test_a_running_host_whose_time_is_over_is_deallocated() -> None:
    assert decide(over(), OWNER, everything(), now=NOW) == Do(
        Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.DEALLOCATE
    )


def test_a_host_whose_time_is_over_is_not_made() -> None:
    action = decide(over(), OWNER, nothing(), now=NOW)
    assert isinstance(action, Settled)
    assert action.reason is Reason.EXPIRED


def test_with_expiry_action_delete_the_object_goes() -> None:
    action = decide(over(expiryAction="Delete"), OWNER, everything(), now=NOW)
    assert isinstance(action, Remove)
    assert action.reason is Reason.EXPIRED


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(everything(), Do(DEALLOCATE, OperationType.DEALLOCATE), id="gives-its-hardware-back-first"),
        pytest.param(DEALLOCATED, Remove, id="goes-once-nothing-runs"),
        pytest.param(nothing(), Remove, id="goes-at-once-without-a-machine"),
        pytest.param(everything(owner=replace(OWNER, uid="another")), Remove, id="goes-past-a-machine-of-another-host"),
    ],
)
def test_a_host_that_ends_by_deletion_and_keeps_its_machine(seen: Observation, expected: Any) -> None:
    action = decide(over(expiryAction="Delete", deletionPolicy="Retain"), OWNER, seen, now=NOW)
    assert action == expected if isinstance(expected, Do) else isinstance(action, expected)


def test_what_is_left_of_a_machine_that_is_not_wanted_is_told_because_it_has_its_price() -> None:
    left = Observation(parts={Part.DISK: part(), Part.ADDRESS: part()})
    for wanted in (over(), host(spec={"powerState": "Deallocated"})):
        action = decide(wanted, OWNER, left, now=NOW)
        assert isinstance(action, Settled)
        assert "still paid for: /subscriptions/s/x" in action.message


def test_a_paused_host_is_not_ended() -> None:
    assert not isinstance(decide(over(paused=True), OWNER, everything(), now=NOW), Do | Remove)


def test_a_failure_that_nobody_mends_does_not_keep_an_expired_host_running() -> None:
    failure = next_failure(
        TerminalError("No such size."), None, FailedAttempt(1, OperationType.RESIZE), seed="uid", now=EARLIER
    )
    stuck = over().model_copy(update={"status": over().status.model_copy(update={"failure": failure})})
    action = decide(stuck, OWNER, everything(machine(size="Standard_B2s")), now=NOW)
    assert action == Do(Step(Verb.DEALLOCATE, Part.MACHINE), OperationType.DEALLOCATE)


def test_an_expired_host_says_so_and_waits_for_somebody() -> None:
    wanted = over()
    outcome = Pass(observation=DEALLOCATED, action=decide(wanted, OWNER, DEALLOCATED, now=NOW))
    rows = {c.type: (c.status.value, c.reason) for c in report(wanted, outcome, now=NOW).conditions}
    assert rows["Ready"] == ("False", "Expired")
    assert rows["Synced"] == ("True", "Expired")
    assert rows["Stalled"] == ("True", "Expired")


def test_a_renewed_lease_gives_the_host_back() -> None:
    wanted = host(spec=HOLDER, status={"powerState": "Deallocated"})
    action = decide(wanted, OWNER, DEALLOCATED, now=NOW, circumstances=held(LATER))
    assert action == Do(Step(Verb.START, Part.MACHINE), OperationType.START)


def test_a_running_host_wakes_when_its_holder_would_be_lost() -> None:
    action = decide(host(spec=HOLDER), OWNER, everything(), now=NOW, circumstances=held(NOW))
    assert isinstance(action, Settled)
    assert action.wake_at == NOW + timedelta(seconds=60)
