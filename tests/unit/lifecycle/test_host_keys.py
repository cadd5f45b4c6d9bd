"""When host keys are read, what status says of them, and how long they hold."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from benchhost.api import Address, AddressType, BenchHost, BenchHostStatus, Reason, get_condition
from benchhost.api.conditions import ConditionType
from benchhost.api.model import to_timestamp
from benchhost.cloud import Machine, MachinePower
from benchhost.lifecycle import Circumstances, Pass, Settled, are_keys_awaited, overdue_at, report, wait_of
from support.builders import EARLIER, LATER, NOW, deleting, everything, host, machine, nothing, placed
from support.consoles import ED25519, OTHER_ED25519

ADDRESS = Address(type=AddressType.EXTERNAL_IP, address="203.0.113.7")
READINESS = {"readiness": {"hostKeys": True, "timeoutSeconds": 60}}
SETTLED = Settled("The host runs.", Reason.RUNNING)
AWAITED = {"vmId": "vm-guid", "epoch": 1, "awaitedSince": to_timestamp(NOW - timedelta(seconds=30))}
KNOWN = {"vmId": "vm-guid", "epoch": 1, "keys": [ED25519]}
EPHEMERAL = {"osDisk": {"ephemeral": True}}


def reached(
    record: dict[str, Any] | None = None, /, *, spec: Any = None, azure: Any = None, **status: Any
) -> BenchHost:
    """A running host whose port has answered."""
    known = {
        "powerState": "Running",
        "size": "Standard_D2s_v5",
        "placement": placed(),
        "reachedAt": to_timestamp(EARLIER),
        "sshEndpoint": {"host": ADDRESS.address},
        **({"sshHostKeys": record} if record is not None else {}),
    }
    return host(spec=READINESS if spec is None else spec, azure=azure, status=known | status)


def looked(
    wanted: BenchHost, *found: str, seen: Machine | None = None, now: datetime = NOW, answered: bool = False
) -> BenchHostStatus:
    """The status after a look at the machine, with what the console has shown."""
    around = Circumstances(host_keys=found, answered_at=now if answered else None)
    shown = seen if seen is not None else machine()
    observation = everything(replace(shown, addresses=(ADDRESS,)))
    return report(wanted, Pass(observation=observation, action=SETTLED, circumstances=around), now=now)


def published(status: BenchHostStatus) -> list[str]:
    assert status.ssh_endpoint is not None
    return status.ssh_endpoint.host_keys


def told(status: BenchHostStatus, kind: ConditionType = ConditionType.REACHABLE) -> tuple[str, str, str]:
    found = get_condition(status.conditions, kind)
    assert found is not None
    return found.status.value, found.reason, found.message


def after(wanted: BenchHost, status: BenchHostStatus) -> BenchHost:
    return BenchHost.from_dict({**wanted.to_dict(), "status": status.to_dict()})


def test_the_ssh_port_is_published_and_is_the_readiness_port_where_none_is_given() -> None:
    admin = host().to_dict()["spec"]["azure"]["admin"] | {"sshPort": 2222}
    status = looked(host(spec={"readiness": {}}, azure={"admin": admin}, status={"placement": placed(since=NOW)}))
    assert status.ssh_endpoint is not None
    assert (status.ssh_endpoint.host, status.ssh_endpoint.port) == (ADDRESS.address, 2222)
    assert told(status) == ("False", "Pending", "Port 2222 at 203.0.113.7 has not answered yet.")


def test_keys_are_awaited_once_the_port_has_answered_and_the_host_is_ready_with_them() -> None:
    silent = reached(reachedAt=None)
    assert looked(silent).ssh_host_keys is None
    awaiting = after(silent, looked(silent, answered=True))
    assert are_keys_awaited(awaiting, awaiting.status)
    assert told(awaiting.status)[:2] == ("False", "Pending")
    assert "SSH keys are not on its serial console yet" in told(awaiting.status, ConditionType.READY)[2]
    known = looked(awaiting, ED25519, now=LATER)
    assert published(known) == [ED25519]
    assert told(known)[:2] == ("True", "Reachable")
    assert told(known, ConditionType.READY)[:2] == ("True", "Running")
    assert not are_keys_awaited(awaiting, known)


@pytest.mark.parametrize("record", [None, AWAITED, KNOWN], ids=["not-begun", "awaited", "known"])
def test_looking_again_writes_nothing(record: dict[str, Any] | None) -> None:
    wanted = reached(record)
    first = looked(wanted)
    again = looked(after(wanted, first), now=NOW + timedelta(seconds=20))
    assert again.to_dict() == first.to_dict()


def test_past_their_time_the_message_says_what_to_do() -> None:
    wanted = reached(AWAITED)
    due = NOW + timedelta(seconds=30)
    assert overdue_at(wanted, wanted.status) == due
    assert told(looked(wanted, now=due - timedelta(seconds=1)))[1] == "Pending"
    late = looked(wanted, now=due)
    status, reason, message = told(late)
    assert (status, reason) == ("False", "Unreachable")
    for words in ("Port 22 answers", "serial console", "60 s", "set spec.readiness.hostKeys: false"):
        assert words in message
    assert are_keys_awaited(after(wanted, late), late)
    assert published(looked(after(wanted, late), ED25519, now=LATER)) == [ED25519]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(machine(MachinePower.STOPPED), id="while-it-is-stopped"),
        pytest.param(machine(MachinePower.DEALLOCATED), id="while-it-is-deallocated"),
        pytest.param(machine(size="Standard_D4s_v5"), id="when-it-has-another-size"),
        pytest.param(machine(MachinePower.UNKNOWN), id="while-nobody-knows-its-power"),
    ],
)
def test_known_keys_stay(seen: Machine) -> None:
    assert published(looked(reached(KNOWN), seen=seen)) == [ED25519]


def test_known_keys_outlive_addresses_and_looks_that_show_nothing() -> None:
    wanted = reached(KNOWN)
    for seen in (everything(machine(addresses=())), nothing()):
        blind = report(wanted, Pass(observation=seen, action=SETTLED), now=NOW)
        assert blind.ssh_endpoint is None
        assert published(looked(after(wanted, blind))) == [ED25519]


def test_keys_go_with_their_machine() -> None:
    wanted = reached(KNOWN)
    other = looked(wanted, seen=machine(vm_id="another"), answered=True)
    assert published(other) == []
    assert other.ssh_host_keys is None  # what answered may have been the old one
    fresh = looked(after(wanted, other), seen=machine(vm_id="another"), answered=True, now=LATER)
    assert fresh.ssh_host_keys is not None
    assert (fresh.ssh_host_keys.vm_id, fresh.ssh_host_keys.keys) == ("another", [])


def test_what_the_console_of_another_machine_showed_is_not_taken() -> None:
    status = looked(reached(AWAITED), ED25519, seen=machine(vm_id="another"))
    assert published(status) == []


def test_keys_of_an_ephemeral_disk_do_not_outlive_it() -> None:
    wanted = reached(KNOWN, azure=EPHEMERAL)
    assert published(looked(wanted)) == [ED25519]
    larger = machine(size="Standard_D4s_v5")
    moved = after(wanted, looked(wanted, OTHER_ED25519, seen=larger))
    assert published(moved.status) == []
    assert moved.status.ssh_host_keys is not None
    assert moved.status.ssh_host_keys.keys == [ED25519]  # so that they are known again as the old ones
    waiting = after(moved, looked(moved, seen=larger, answered=True))
    assert are_keys_awaited(waiting, waiting.status)
    assert published(looked(waiting, OTHER_ED25519, seen=larger)) == [OTHER_ED25519]


def test_a_host_that_is_restarted_while_its_keys_are_awaited_has_all_its_time_again() -> None:
    restarted = reached(AWAITED, reachedAt=None)
    silent = after(restarted, looked(restarted))
    assert silent.status.ssh_host_keys is None
    record = looked(silent, answered=True, now=LATER).ssh_host_keys
    assert record is not None
    assert record.awaited_since == LATER


def test_a_host_that_runs_already_gets_its_keys_when_somebody_asks_for_them() -> None:
    wanted = reached()
    awaiting = after(wanted, looked(wanted))
    assert are_keys_awaited(awaiting, awaiting.status)
    assert told(awaiting.status)[1] == "Pending"


def test_keys_that_nobody_asks_for_any_more_are_forgotten() -> None:
    status = looked(reached(KNOWN, spec={"readiness": {}}))
    assert status.ssh_host_keys is None
    assert published(status) == []
    assert told(status)[:2] == ("True", "Reachable")


@pytest.mark.parametrize(
    ("wanted", "awaited"),
    [
        pytest.param(reached(AWAITED), True, id="a-running-host"),
        pytest.param(reached(KNOWN), False, id="one-whose-keys-are-known"),
        pytest.param(reached(AWAITED, spec={"readiness": {}}), False, id="one-of-which-nobody-asks-for-them"),
        pytest.param(reached(AWAITED, spec=READINESS | {"powerState": "Stopped"}), False, id="one-that-is-to-stop"),
        pytest.param(reached(AWAITED, reachedAt=None), False, id="one-that-has-not-answered"),
        pytest.param(reached(AWAITED, powerState="Stopped"), False, id="one-that-is-off"),
        pytest.param(deleting(spec=READINESS, status=reached(AWAITED).status.to_dict()), False, id="one-that-goes"),
    ],
)
def test_the_console_is_read_for(wanted: BenchHost, awaited: bool) -> None:
    assert are_keys_awaited(wanted, wanted.status) is awaited
    assert (overdue_at(wanted, wanted.status) is not None) is (awaited or wanted.status.reached_at is None)


def test_each_wait_is_told_from_the_others() -> None:
    records = [AWAITED, AWAITED | {"vmId": "another"}, AWAITED | {"awaitedSince": to_timestamp(NOW)}, KNOWN, None]
    waits = [wait_of(reached(record).status) for record in records]
    assert len(set(waits[:4])) == 4
    assert waits[3:] == ["", ""]
