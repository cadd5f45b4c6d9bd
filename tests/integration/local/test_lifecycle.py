"""Starts, stops and crashes: what is left, and what is said."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchhost.local import Binaries, ControlPlaneError, InstanceError, LocalControlPlane, StartError
from benchhost.local.components import Ports
from benchhost.local.ports import choose_ports
from integration.local.process_table import descendants, is_running, wait_for_end
from support.processes import Command

STANDALONE = """
import sys, time
from pathlib import Path
from benchhost.local import Binaries, LocalControlPlane
with LocalControlPlane(Binaries.from_folder(Path(sys.argv[1]))) as control_plane:
    print("ready", control_plane.directory, flush=True)
    time.sleep(600)
"""


def fake_component(folder: Path, name: str, script: str) -> Path:
    executable = folder / name
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return executable


@pytest.fixture
def standalone(binaries: Binaries, tmp_path: Path) -> Iterator[Command]:
    """A program of its own that uses a control plane, to be killed."""
    command = [sys.executable, "-c", STANDALONE, str(binaries.etcd.parent)]
    with Command(command, tmp_path / "standalone.log") as running:
        yield running


def test_two_instances_run_side_by_side_and_leave_nothing(binaries: Binaries, tmp_path: Path) -> None:
    named = tmp_path / "second"
    with LocalControlPlane(binaries) as first, LocalControlPlane(binaries, directory=named) as second:
        first.run_kubectl("create", "namespace", "only-in-the-first")
        assert second.run_kubectl("get", "namespace", "only-in-the-first", "--ignore-not-found") == ""
        assert first.server != second.server
        pids = [*first.processes.values(), *second.processes.values()]
        assert len(set(pids)) == 8
        temporary, ports = first.directory, [int(each.server.rpartition(":")[2]) for each in (first, second)]
    assert wait_for_end(pids, seconds=0) == []
    assert not temporary.exists()
    assert {entry.name for entry in named.iterdir()} == {"cleaning.lock", "instance.lock", "logs"}
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_sigkill_of_the_parent_leaves_no_process_and_no_folder(standalone: Command) -> None:
    directory = Path(standalone.wait_for(r"ready (\S+)")[1])
    children = descendants(standalone.process.pid)
    assert sorted(children.values()) == sorted(
        ["etcd", "kube-apiserver", "kube-controller-manager", Path(sys.executable).name]
    )
    standalone.kill()
    assert wait_for_end(children) == []
    assert not directory.exists()


def test_sigkill_of_the_supervisor_leaves_no_process_and_is_told(binaries: Binaries) -> None:
    with LocalControlPlane(binaries) as control_plane:
        pids = dict(control_plane.processes)
        os.kill(pids["supervisor"], signal.SIGKILL)
        assert control_plane.wait_for_failure(20) is not None
        assert wait_for_end(pids.values()) == []
        directory = control_plane.directory
    assert not directory.exists()


def test_a_component_that_dies_is_named_with_its_log(binaries: Binaries) -> None:
    with LocalControlPlane(binaries) as control_plane:
        os.kill(control_plane.processes["kube-controller-manager"], signal.SIGKILL)
        told = control_plane.wait_for_failure(20)
        log = control_plane.directory / "logs" / "kube-controller-manager.log"
        assert told is not None
        assert told.startswith("kube-controller-manager was ended by signal 9")
        assert str(log) in told


def test_a_lost_race_for_a_port_is_run_again_with_others(binaries: Binaries) -> None:
    with socket.create_server(("127.0.0.1", 0)) as quicker:
        taken = quicker.getsockname()[1]
        free = choose_ports()
        choices = iter(
            [
                Ports(etcd=taken, api_server=free.api_server, controller_manager=free.controller_manager),
                Ports(etcd=free.etcd, api_server=taken, controller_manager=free.controller_manager),
                choose_ports(),
            ]
        )
        with LocalControlPlane(binaries, choose_ports=lambda: next(choices)) as control_plane:
            assert control_plane.run_kubectl("get", "--raw=/readyz") == "ok"
        assert next(choices, None) is None


def test_a_start_that_fails_says_which_component_and_why_and_keeps_only_its_log(
    binaries: Binaries, tmp_path: Path
) -> None:
    etcd = fake_component(tmp_path, "etcd", "echo 'Error: the disk is made of cheese' >&2; exit 3")
    broken = Binaries(etcd=etcd, kube_apiserver=binaries.kube_apiserver, kubectl=binaries.kubectl)
    directory = tmp_path / "instance"
    control_plane = LocalControlPlane(broken, directory=directory)
    with pytest.raises(StartError) as refused:
        control_plane.start()
    log = directory / "logs" / "etcd.log"
    assert str(refused.value) == (
        "The control plane did not start: etcd ended with exit code 3, "
        f"its last word: Error: the disk is made of cheese (log: {log})."
    )
    assert log.exists()
    assert {entry.name for entry in directory.iterdir()} == {"cleaning.lock", "instance.lock", "logs"}
    assert control_plane.processes == {}


def test_a_component_that_never_answers_is_named_and_ended(binaries: Binaries, tmp_path: Path) -> None:
    etcd = fake_component(tmp_path, "etcd", "exec sleep 600")
    silent = Binaries(etcd=etcd, kube_apiserver=binaries.kube_apiserver, kubectl=binaries.kubectl)
    control_plane = LocalControlPlane(silent, directory=tmp_path / "instance", start_seconds=0.5)
    before = descendants(os.getpid())  # other tests of the session have a control plane of their own
    with pytest.raises(StartError, match="etcd did not answer /health in time"):
        control_plane.start()
    assert descendants(os.getpid()) == before


def test_a_component_that_cannot_be_run_is_named(binaries: Binaries, tmp_path: Path) -> None:
    absent = Binaries(etcd=tmp_path / "etcd", kube_apiserver=binaries.kube_apiserver, kubectl=binaries.kubectl)
    with pytest.raises(StartError, match=r"etcd cannot be run \(No such file or directory"):
        LocalControlPlane(absent, directory=tmp_path / "instance").start()


def test_a_folder_in_use_is_refused(local_control_plane: LocalControlPlane, binaries: Binaries) -> None:
    second = LocalControlPlane(binaries, directory=local_control_plane.directory)
    with pytest.raises(InstanceError, match=r"A control plane runs in .* already"):
        second.start()
    assert is_running(local_control_plane.processes["etcd"])


def test_a_folder_with_other_files_is_refused_and_left_alone(binaries: Binaries, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("three years of work")
    with pytest.raises(ControlPlaneError, match="holds other files"):
        LocalControlPlane(binaries, directory=tmp_path).start()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_without_a_controller_manager_pods_can_still_be_made(binaries: Binaries) -> None:
    fewer = Binaries(etcd=binaries.etcd, kube_apiserver=binaries.kube_apiserver, kubectl=binaries.kubectl)
    with LocalControlPlane(fewer) as control_plane:
        assert set(control_plane.processes) == {"etcd", "kube-apiserver", "supervisor"}
        assert "no kube-controller-manager" in control_plane.limits[0]
        control_plane.run_kubectl("run", "idle", "--image=example.invalid/none")
        assert "idle" in control_plane.run_kubectl("get", "pods")


def test_a_folder_is_used_again_right_after_a_crash(binaries: Binaries, tmp_path: Path) -> None:
    directory = tmp_path / "again"
    command = [sys.executable, "-m", "benchhost.cli.main", "dev", "up", f"--directory={directory}"]
    with Command(command, tmp_path / "first.log") as first:
        first.wait_for("is ready after")
        first.kill()
    with LocalControlPlane(binaries, directory=directory) as second:
        assert second.run_kubectl("get", "--raw=/readyz") == "ok"
        assert second.kubeconfig.exists()
