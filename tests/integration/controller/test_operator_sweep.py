"""Orphans and metrics as an administrator meets them: the commands, on real API server, real SDK and emulated Azure."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from typing import Any

import pytest

from benchhost.local import ControlPlane, ServiceAccount
from support.stack import BENCHHOST, RESOURCE_GROUP, Stack, start_controller

OWN_KINDS = ["disk", "machine", "network interface", "public address"]


def lose(stack: Stack, name: str) -> None:
    """The object goes and nobody cleans up, as when somebody removes the finalizer by hand."""
    assert stack.controller is not None
    stack.controller.stop()
    stack.controller = None
    stack.kubectl.run("delete", "benchhost", name, "--wait=false")
    stack.kubectl.run("patch", "benchhost", name, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    stack.kubectl.run("wait", f"benchhost/{name}", "--for=delete", "--timeout=30s")


def scope(stack: Stack) -> str:
    return f"{stack.emulator.connection['subscriptionId']}/{RESOURCE_GROUP}"


def sweep(stack: Stack, *options: str) -> subprocess.CompletedProcess[str]:
    argv = [*BENCHHOST, "operator", "sweep", "--kubeconfig", str(stack.kubectl.kubeconfig)]
    argv += ["--namespace", stack.kubectl.namespace, "--sweep-scope", scope(stack), *options]
    environment = {**os.environ, **stack.emulator.environment, **stack.emulator.credentials}
    return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False, env=environment)


def found(stack: Stack, *options: str) -> dict[str, Any]:
    done = sweep(stack, "-o", "json", *options)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def test_orphans_are_listed_and_deleted_when_asked_for(stack: Stack) -> None:
    stack.create_ready("pg-1")
    lost = stack.create_ready("pg-2")["metadata"]
    lose(stack, "pg-2")

    assert found(stack)["orphans"] == []  # too young
    table = sweep(stack, "--orphan-age", "0")
    assert (
        sorted(line.split(f" {stack.kubectl.namespace}/pg-2 ")[0].strip() for line in table.stdout.splitlines())
        == OWN_KINDS
    )
    assert f"4 orphans; looked at {scope(stack)}." in table.stderr

    deleted = found(stack, "--orphan-age", "0", "--delete-orphans")["orphans"]
    assert sorted(orphan["kind"] for orphan in deleted) == OWN_KINDS
    owner = {"namespace": stack.kubectl.namespace, "name": "pg-2", "uid": lost["uid"]}
    assert all(orphan["owner"] == owner and orphan["createdAt"] and orphan["deleted"] for orphan in deleted)
    kinds = [row.split("/")[0] for row in stack.emulator.resources()]
    assert kinds == ["disks", "networkInterfaces", "publicIPAddresses", "virtualMachines", "virtualNetworks"]
    stack.start_controller()
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready")


def test_a_scope_that_cannot_be_listed_is_told_and_is_a_failure(stack: Stack) -> None:
    stack.kubectl.apply(stack.host("pg-1", spec={"credentialsRef": {"name": "nowhere"}}, resourceGroup="other"))
    done = sweep(stack)
    assert done.returncode == 1
    assert "Secret" in done.stderr
    assert "/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_running_controller_deletes_orphans_where_it_may_with_its_own_role(
    stack: Stack, control_plane: ControlPlane
) -> None:
    stack.create_ready("pg-1")
    lose(stack, "pg-1")
    controller = stack.start_controller(
        "--sweep-interval", "1", "--orphan-age", "0", "--delete-orphans", "--sweep-scope", scope(stack),
        kubeconfig=control_plane.kubeconfig_for(ServiceAccount("benchhost-controller", "benchhost-system")),
        environment=stack.emulator.credentials,
    )  # fmt: skip
    controller.wait_for(r"orphans: The machine .* is an orphan, as BenchHost .*/pg-1 is gone; it is deleted")
    deadline = time.monotonic() + 30
    while stack.emulator.resources() != ["virtualNetworks/bench-net"]:
        assert time.monotonic() < deadline, stack.emulator.resources()
    told = stack.kubectl.get("events", "--field-selector", "reason=OrphanFound")["items"]
    assert {event["involvedObject"]["name"] for event in told} == {"pg-1"}
    assert "Traceback" not in controller.output


def test_metrics_are_served_where_the_administrator_says(stack: Stack, free_port: int) -> None:
    stack.kill_controller()
    url = f"http://127.0.0.1:{free_port}/metrics"
    stack.start_controller("--metrics", url)
    stack.create_ready("pg-1")
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    for line in (
        'benchhost_hosts{phase="Running"} 1.0',
        'benchhost_cloud_requests_total{operation="ensure_machine",result="Succeeded"} 1.0',
        'benchhost_build_info{version="',
        "benchhost_work_seconds_count",
    ):
        assert line in text
    assert stack.emulator.credentials["AZURE_CLIENT_SECRET"] not in text


def test_metrics_that_cannot_be_served_end_the_controller_with_a_sentence(stack: Stack) -> None:
    url = "http://192.0.2.1:8081/metrics"
    command = start_controller(stack.kubectl.kubeconfig, stack.emulator, stack.directory / "bad.log", "--metrics", url)
    assert command.wait() == 1
    assert f"The metrics cannot be served at {url}" in command.output
    assert "Traceback" not in command.output
