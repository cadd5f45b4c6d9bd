"""When the guest counts as reachable, and when it is asked."""

from datetime import timedelta
from typing import Any

import pytest

from benchhost.api import Address, AddressType, BenchHost, Reason
from benchhost.api.model import to_timestamp
from benchhost.cloud import MachinePower
from benchhost.lifecycle import Circumstances, Pass, Settled, boot_of, is_awaited, overdue_at, report
from support.builders import EARLIER, NOW, everything, host, machine, placed

READINESS = {"readiness": {"tcpPort": 2222, "timeoutSeconds": 60}}
ADDRESS = Address(type=AddressType.EXTERNAL_IP, address="203.0.113.7")
SEEN = everything(machine(addresses=(ADDRESS,)))
SETTLED = Settled("The host runs.", Reason.RUNNING)


def started(ago: timedelta, **status: Any) -> BenchHost:
    """A running host whose last start ended that long ago."""
    end = to_timestamp(NOW - ago)
    entry = {"type": "Start", "startTime": end, "endTime": end, "seconds": 0.0, "result": "Succeeded"}
    known = {"powerState": "Running", "placement": placed(), "size": "Standard_D2s_v5", "history": [entry]}
    return host(spec=READINESS, status=known | status)


def rows(wanted: BenchHost, answered: bool = False, seen: Any = SEEN) -> dict[str, tuple[str, str]]:
    known = Circumstances(answered_at=NOW if answered else None)
    told = report(wanted, Pass(observation=seen, action=SETTLED, circumstances=known), now=NOW)
    return {c.type: (c.status.value, c.reason) for c in told.conditions if c.type in ("Ready", "Reachable", "Synced")}


def test_a_running_host_is_ready_only_when_its_port_has_answered() -> None:
    fresh = started(timedelta(seconds=5))
    assert rows(fresh) == {
        "Ready": ("False", "Pending"),
        "Reachable": ("False", "Pending"),
        "Synced": ("True", "Running"),
    }
    assert rows(fresh, answered=True) == {
        "Ready": ("True", "Running"),
        "Reachable": ("True", "Reachable"),
        "Synced": ("True", "Running"),
    }


def test_one_answer_is_enough_until_the_next_start() -> None:
    assert rows(started(timedelta(0), reachedAt=to_timestamp(EARLIER)))["Ready"] == ("True", "Running")
    stopped = everything(machine(MachinePower.STOPPED, addresses=(ADDRESS,)))
    told = report(
        started(timedelta(0), reachedAt=to_timestamp(EARLIER)), Pass(observation=stopped, action=SETTLED), now=NOW
    )
    assert told.reached_at is None


def test_past_its_time_the_message_says_what_to_check() -> None:
    late = started(timedelta(seconds=61))
    told = report(late, Pass(observation=SEEN, action=SETTLED), now=NOW)
    reason, message = next((c.reason, c.message) for c in told.conditions if c.type == "Reachable")
    assert reason == "Unreachable"
    assert "203.0.113.7" in message
    assert "60 s" in message
    assert "network security group" in message


def test_the_message_stays_the_same_while_nothing_changes() -> None:
    fresh = started(timedelta(seconds=5))
    first = report(fresh, Pass(observation=SEEN, action=SETTLED), now=NOW)
    again = report(
        fresh.model_copy(update={"status": first}),
        Pass(observation=SEEN, action=SETTLED),
        now=NOW + timedelta(seconds=20),
    )
    assert again == first


@pytest.mark.parametrize(
    ("status", "awaited"),
    [
        pytest.param({}, True, id="a-running-host"),
        pytest.param({"reachedAt": to_timestamp(NOW)}, False, id="one-that-has-answered"),
        pytest.param({"powerState": "Stopped"}, False, id="one-that-is-stopped"),
        pytest.param(
            {
                "operation": {
                    "type": "Restart",
                    "startedAt": to_timestamp(NOW),
                    "deadline": to_timestamp(NOW),
                    "generation": 1,
                }
            },
            False,
            id="one-that-is-being-restarted",
        ),
        pytest.param({"sshEndpoint": None}, False, id="one-without-an-address"),
    ],
)
def test_the_port_is_tried_for(status: dict[str, Any], awaited: bool) -> None:
    known = {"sshEndpoint": {"host": "203.0.113.7"}, **status}
    wanted = started(timedelta(seconds=5), **{name: value for name, value in known.items() if value is not None})
    assert is_awaited(wanted, wanted.status) is awaited
    assert (overdue_at(wanted, wanted.status) == NOW + timedelta(seconds=55)) is awaited


def test_an_answer_from_before_a_start_does_not_count() -> None:
    assert boot_of(started(timedelta(seconds=5)).status) != boot_of(started(timedelta(seconds=4)).status)
