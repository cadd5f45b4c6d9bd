"""The controller is killed while the cloud is at work: nothing is lost, doubled or left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.stack import Kubectl, Stack, running_emulator, running_stack

SLOW = ("--latency", "recorded", "--time-scale", "0.1", "--seed", "7")
"""A creation takes more than three seconds: long enough to be in the middle of it."""


@pytest.fixture
def slow_stack(kubectl: Kubectl, tmp_path: Path) -> Iterator[Stack]:
    with (
        running_emulator(tmp_path / "cloud", *SLOW) as emulator,
        running_stack(kubectl, emulator, tmp_path, "--poll-interval", "0.5") as running,
    ):
        yield running


def machines(stack: Stack) -> list[str]:
    return [row for row in stack.emulator.resources() if row.startswith("virtualMachines/")]


def test_killed_during_the_creation_it_goes_on_with_the_same_machine(slow_stack: Stack) -> None:
    slow_stack.kubectl.apply(slow_stack.host("pg-1"))
    slow_stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.operation.pollUrl}")
    slow_stack.kill_controller()
    slow_stack.start_controller()
    slow_stack.kubectl.wait("benchhost/pg-1", "condition=Ready")
    host = slow_stack.get("pg-1")
    assert len(machines(slow_stack)) == 1
    assert [entry["type"] for entry in host["status"]["history"]] == ["Provision"]
    assert host["status"]["history"][0]["seconds"] > 2
    assert host["status"]["placement"]["epoch"] == 1


def test_deleted_while_the_controller_is_down_nothing_is_left_when_it_is_back(slow_stack: Stack) -> None:
    slow_stack.kubectl.apply(slow_stack.host("pg-1"))
    slow_stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.operation.pollUrl}")
    slow_stack.kill_controller()
    slow_stack.kubectl.run("delete", "bh", "pg-1", "--wait=false")
    slow_stack.start_controller()
    slow_stack.kubectl.run("wait", "bh/pg-1", "--for=delete", "--timeout=40s")
    assert slow_stack.emulator.resources() == []


def test_deleted_during_the_creation_it_does_not_wait_for_its_end(slow_stack: Stack) -> None:
    slow_stack.kubectl.apply(slow_stack.host("pg-1"))
    slow_stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.operation.pollUrl}")
    slow_stack.kubectl.run("delete", "bh", "pg-1", "--timeout=40s")
    assert slow_stack.emulator.resources() == []


def test_when_the_operation_record_is_lost_the_machine_itself_tells(slow_stack: Stack) -> None:
    slow_stack.kubectl.apply(slow_stack.host("pg-1"))
    slow_stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.operation.pollUrl}")
    slow_stack.kill_controller()
    slow_stack.kubectl.run(
        "patch", "bh", "pg-1", "--subresource=status", "--type=merge", "-p", '{"status":{"operation":null}}'
    )
    slow_stack.start_controller()
    slow_stack.kubectl.wait("benchhost/pg-1", "condition=Ready")
    assert len(machines(slow_stack)) == 1


def test_a_polling_url_of_another_server_is_never_called(slow_stack: Stack) -> None:
    slow_stack.kubectl.apply(slow_stack.host("pg-1"))
    slow_stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.operation.pollUrl}")
    slow_stack.kill_controller()
    slow_stack.kubectl.run(
        "patch", "bh", "pg-1", "--subresource=status", "--type=merge",
        "-p", '{"status":{"operation":{"pollUrl":"https://127.0.0.1:9/steal"}}}',
    )  # fmt: skip
    slow_stack.start_controller()
    slow_stack.kubectl.wait("benchhost/pg-1", "condition=Ready")


def test_the_api_server_restarts_in_the_middle(slow_stack: Stack, control_plane: object) -> None:
    slow_stack.kubectl.apply(slow_stack.host("pg-1"))
    slow_stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.operation.pollUrl}")
    control_plane.restart_api_server()  # type: ignore[attr-defined]
    slow_stack.kubectl.wait("benchhost/pg-1", "condition=Ready")
    assert len(machines(slow_stack)) == 1
