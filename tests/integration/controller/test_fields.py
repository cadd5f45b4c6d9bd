"""What the fields of a host do, from kubectl to the emulated subscription and back."""

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.stack import BENCHHOST, Stack

SMALL, LARGE = "Standard_D2s_v5", "Standard_D4s_v5"
DISK = {"lun": 0, "sizeGiB": 32}


def emulator(stack: Stack, *arguments: str) -> None:
    """One of the emulator's own commands."""
    argv = [*BENCHHOST, "emulator", *arguments, "--directory", str(stack.emulator.directory)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def until(stack: Stack, name: str, path: str, value: str, *, seconds: int = 60) -> None:
    stack.kubectl.wait(f"benchhost/{name}", f"jsonpath={{{path}}}={value}", seconds=seconds)


def test_the_first_size_and_zone_with_room_is_used_and_the_way_there_is_told(stack: Stack) -> None:
    emulator(stack, "capacity", "set", "eastus", SMALL, "0", "--zone", "1")
    emulator(stack, "capacity", "set", "eastus", SMALL, "0", "--zone", "2", "--failure", "AllocationFailed")
    host = stack.create_ready("pg-1", sizes=[SMALL, LARGE], zones=["1", "2"])
    assert (host["status"]["size"], host["status"]["zone"]) == (LARGE, "1")
    results = [(entry["type"], entry["result"]) for entry in host["status"]["history"]]
    assert results == [("Provision", "Failed"), ("CleanUp", "Succeeded"), ("Provision", "Succeeded")]
    assert host["status"]["placement"]["epoch"] == 1


def test_no_room_anywhere_tells_what_was_tried(stack: Stack) -> None:
    for size in (SMALL, LARGE):
        emulator(stack, "capacity", "set", "eastus", size, "0")
    stack.kubectl.apply(stack.host("pg-1", sizes=[SMALL, LARGE]))
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.failure.count}=2", seconds=60)
    condition = stack.condition("pg-1", "Ready")
    assert condition is not None
    assert condition["reason"] == "CapacityUnavailable"
    assert f"{SMALL} (SkuNotAvailable), {LARGE} (SkuNotAvailable)" in condition["message"]
    emulator(stack, "capacity", "lift", "eastus", SMALL)
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready", seconds=60)


def test_disks_are_added_and_go_while_the_host_runs(stack: Stack) -> None:
    host = stack.create_ready("pg-1", dataDisks=[DISK])
    machine = str(host["status"]["providerId"]).rsplit("/", 1)[1]
    for disks, luns in (([DISK, {"lun": 5, "sizeGiB": 64}], [0, 5]), ([{"lun": 5, "sizeGiB": 128}], [5])):
        stack.kubectl.patch("pg-1", {"azure": {"dataDisks": disks}})
        synced(stack, "pg-1")
        found = [name for name in stack.emulator.resources() if "-data-" in name]
        assert found == [f"disks/{machine}-data-{lun}" for lun in luns]
    assert stack.get("pg-1")["status"]["placement"]["epoch"] == host["status"]["placement"]["epoch"]


def synced(stack: Stack, name: str) -> None:
    """Wait until the whole spec, as it is now, is met."""
    generation = stack.get(name)["metadata"]["generation"]
    stack.kubectl.wait(f"benchhost/{name}", f"jsonpath={{.status.observedGeneration}}={generation}", seconds=60)
    stack.kubectl.wait(f"benchhost/{name}", "condition=Synced", seconds=60)


def test_a_host_ends_when_its_time_is_over_and_comes_back_with_more(stack: Stack) -> None:
    stack.create_ready("pg-1")
    soon = datetime.now(UTC) + timedelta(seconds=1)
    stack.kubectl.patch("pg-1", {"expiresAt": soon.isoformat()})
    until(stack, "pg-1", ".status.powerState", "Deallocated")
    condition = stack.condition("pg-1", "Ready")
    assert condition is not None
    assert (condition["status"], condition["reason"]) == ("False", "Expired")
    assert "set a later one" in condition["message"]
    stack.kubectl.patch("pg-1", {"expiresAt": None})
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready", seconds=60)
    assert stack.get("pg-1")["status"]["placement"]["epoch"] == 2


def lease(stack: Stack, renewed: datetime) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "trial-1", "namespace": stack.kubectl.namespace},
        "spec": {
            "holderIdentity": "a-trial",
            "leaseDurationSeconds": 8,
            "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def test_a_host_goes_with_everything_when_its_holder_is_lost(stack: Stack) -> None:
    stack.kubectl.apply(lease(stack, datetime.now(UTC)))
    holder = {"leaseName": "trial-1", "gracePeriodSeconds": 1, "onLost": "Delete"}
    stack.create_ready("pg-1", spec={"holder": holder})
    stack.kubectl.run("wait", "benchhost/pg-1", "--for=delete", "--timeout=60s")
    assert stack.emulator.resources() == []
    events = stack.kubectl.run("get", "events", "-o", "jsonpath={.items[*].reason}").stdout
    assert "HolderLost" in events


def test_an_eviction_is_told_and_the_host_asked_for_again(stack: Stack) -> None:
    stack.kill_controller()
    stack.start_controller("--resync-interval", "1")  # nobody tells of an eviction
    stack.create_ready("pg-1", spot={"evictionPolicy": "Deallocate"})
    # No room for it to come back at once, so that the eviction can be seen.
    emulator(stack, "capacity", "set", "eastus", "*", "0", "--spot")
    stack.kubectl.wait("benchhost/pg-1", "condition=Evicted", seconds=60)
    emulator(stack, "capacity", "lift", "eastus", "*")
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready", seconds=60)
    placement = stack.get("pg-1")["status"]["placement"]
    assert (placement["epoch"], placement["reason"]) == (2, "Evicted")
    assert stack.condition("pg-1", "Evicted") is None


def test_a_host_that_does_not_come_up_shows_the_end_of_its_console(stack: Stack) -> None:
    emulator(
        stack, "faults", "add", "--operation", "createMachine", "--fail-operation", "OSProvisioningTimedOut", "--times", "1"
    )  # fmt: skip
    stack.kubectl.apply(stack.host("pg-1"))
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.failure.count}=1", seconds=60)
    condition = stack.condition("pg-1", "Ready")
    assert condition is not None
    assert "OSProvisioningTimedOut" in condition["message"]
    assert "The serial console ends with:" in condition["message"]
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready", seconds=60)


@pytest.mark.parametrize("field", ["zone", "size"])
def test_what_was_got_is_shown_beside_the_host(field: str, stack: Stack) -> None:
    stack.create_ready("pg-1", zones=["2"], sizes=[LARGE])
    shown = stack.kubectl.run("get", "bh", "pg-1", "-o", "wide").stdout
    assert {"zone": "2", "size": LARGE}[field] in shown.split()
