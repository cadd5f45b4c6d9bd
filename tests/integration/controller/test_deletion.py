"""Deletions at the worst moments: each ends with nothing left, or says what it waits for and goes on by itself."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchhost.api.names import FINALIZER
from support.arm import Arm, until
from support.stack import BENCHHOST, Kubectl, Stack, credentials_secret, running_emulator, running_stack

MACHINES = "Microsoft.Compute/virtualMachines"
INTERFACES = "Microsoft.Network/networkInterfaces"
TIMED = ("--latency", "recorded", "--time-scale", "0.1", "--seed", "7")
"""A creation takes four seconds, and an interface a quarter of one."""
SCALED = ("--poll-interval", "0.5")
"""As the cloud is: Azure's limit of looks at one operation, which the controller keeps to, is not faster."""


def delete(kubectl: Kubectl, *names: str) -> None:
    """Ask for the end of these hosts, and do not wait for it."""
    kubectl.run("delete", "bh", *names, "--wait=false")


def blocked(stack: Stack, name: str) -> str:
    """What a host says whose deletion cannot go on."""
    reason = '{.status.conditions[?(@.type=="Stalled")].reason}'
    stack.kubectl.wait(f"benchhost/{name}", f"jsonpath={reason}=DeletionBlocked")
    told = stack.condition(name, "Stalled")
    assert told is not None
    return str(told["message"])


def gone(stack: Stack, *, seconds: float = 60) -> bool:
    """Whether every host goes within this time, and nothing of any is left."""
    stack.kubectl.run("wait", "benchhosts", "--all", "--for=delete", f"--timeout={seconds}s")
    return stack.emulator.resources() == []


def test_without_its_credentials_it_says_which_secret_and_goes_on_when_that_is_back(stack: Stack) -> None:
    stack.create_ready("pg-1")
    before = stack.emulator.resources()
    stack.kubectl.run("delete", "secret", "azure-credentials")
    delete(stack.kubectl, "pg-1")
    message = blocked(stack, "pg-1")
    secret = f"Secret {stack.kubectl.namespace}/azure-credentials, which spec.credentialsRef names, does not exist"
    assert f"{secret}; create it with AZURE_TENANT_ID" in message
    assert "the next is at" in message
    assert stack.emulator.resources() == before
    stack.kubectl.apply(credentials_secret(stack.emulator, stack.kubectl.namespace))
    assert gone(stack)


def test_behind_a_lock_it_says_so_and_goes_on_when_the_lock_is_taken_away(stack: Stack) -> None:
    stack.create_ready("pg-1")
    before, arm = stack.emulator.resources(), Arm(stack.emulator)
    arm.lock_group()
    delete(stack.kubectl, "pg-1")
    message = blocked(stack, "pg-1")
    assert "ScopeLocked" in message
    assert "Please remove the lock and try again." in message
    assert "the next is at" in message
    assert stack.emulator.resources() == before
    arm.unlock_group()
    assert gone(stack)


def test_when_somebody_has_deleted_the_whole_resource_group_all_hosts_go(stack: Stack) -> None:
    names = [f"pg-{number}" for number in range(6)]
    stack.kubectl.apply(*map(stack.host, names))
    stack.kubectl.run("wait", "benchhosts", "--all", "--for=condition=Ready", "--timeout=60s")
    stack.kill_controller()
    Arm(stack.emulator).delete_group()
    delete(stack.kubectl, *names)
    stack.start_controller()
    assert gone(stack)
    told = stack.kubectl.get("events")["items"]
    assert [event["message"] for event in told if event["reason"] == "DeletionBlocked"] == []


def test_what_never_reached_the_cloud_goes_without_it(stack: Stack) -> None:
    stack.kill_controller()
    stack.kubectl.run("delete", "secret", "azure-credentials")
    taken_on = stack.host("pg-2")
    taken_on["metadata"]["finalizers"] = [FINALIZER]
    stack.kubectl.apply(stack.host("pg-1"), taken_on)
    delete(stack.kubectl, "pg-1", "pg-2")
    assert [body["metadata"]["name"] for body in stack.kubectl.get("benchhosts")["items"]] == ["pg-2"]
    stack.start_controller()
    assert gone(stack)


def test_a_field_at_fault_that_a_deletion_does_not_need_does_not_hold_it_up(stack: Stack) -> None:
    stack.create_ready("pg-1")
    stack.kubectl.patch("pg-1", {"expiresAt": "9999-12-31T23:59:59-12:00"})
    stack.kubectl.wait("benchhost/pg-1", "condition=Stalled")
    told = stack.condition("pg-1", "Stalled")
    assert told is not None
    assert told["reason"] == "InvalidObject"
    assert "spec.expiresAt" in told["message"]
    delete(stack.kubectl, "pg-1")
    assert gone(stack)


@pytest.fixture
def timed(kubectl: Kubectl, tmp_path: Path) -> Iterator[Stack]:
    """A stack whose cloud takes its time, with an access log."""
    options = (*TIMED, "--access-log", str(tmp_path / "access.log"))
    with (
        running_emulator(tmp_path / "cloud", *options) as emulator,
        running_stack(kubectl, emulator, tmp_path, *SCALED) as running,
    ):
        yield running


def answer_late(stack: Stack, name: str, *, seconds: int) -> None:
    """Let the cloud make this resource at once and say so later."""
    match = ["--method", "PUT", "--name", name, "--delay", str(seconds), "--times", "1"]
    argv = [*BENCHHOST, "emulator", "faults", "add", "--directory", str(stack.emulator.directory), *match]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def under_way(stack: Stack, name: str, operation: str) -> None:
    """Wait until the cloud has taken on an operation on the machine."""
    stack.kubectl.wait(f"benchhost/{name}", f"jsonpath={{.status.operation.type}}={operation}", seconds=60)
    until(lambda: "pollUrl" in (stack.get(name)["status"].get("operation") or {}))


def creations(stack: Stack) -> Counter[str]:
    """How often the cloud has accepted the creation of each machine."""
    lines = (stack.directory / "access.log").read_text().splitlines()
    made = [entry for entry in map(json.loads, lines) if (entry["method"], entry["status"]) == ("PUT", 201)]
    paths = [entry["path"].split("?")[0] for entry in made]
    return Counter(path.rsplit("/", 1)[-1] for path in paths if f"/providers/{MACHINES}/".lower() in path.lower())


def test_in_the_middle_of_any_operation_it_leaves_nothing_and_makes_nothing_twice(timed: Stack) -> None:
    names = ("interface", "creation", "start", "deallocation")
    answer_late(timed, "db-interface-nic", seconds=3)
    timed.kubectl.apply(*(timed.host(name, name=f"db-{name}") for name in names))
    arm = Arm(timed.emulator)
    until(lambda: arm.state_of(INTERFACES, "db-interface-nic") is not None)
    delete(timed.kubectl, "interface")
    until(lambda: arm.state_of(MACHINES, "db-creation") == "Creating")
    delete(timed.kubectl, "creation")
    for name in ("start", "deallocation"):
        timed.kubectl.wait(f"benchhost/{name}", "condition=Ready", seconds=60)
        timed.kubectl.patch(name, {"powerState": "Deallocated"})
    under_way(timed, "deallocation", "Deallocate")
    delete(timed.kubectl, "deallocation")
    timed.kubectl.wait("benchhost/start", "jsonpath={.status.powerState}=Deallocated", seconds=60)
    timed.kubectl.patch("start", {"powerState": "Running"})
    under_way(timed, "start", "Start")
    delete(timed.kubectl, "start")
    assert gone(timed)
    # A pass that has begun ends: the machine whose interface was being made may still be asked for, once.
    assert creations(timed) <= Counter(f"db-{name}" for name in names)
