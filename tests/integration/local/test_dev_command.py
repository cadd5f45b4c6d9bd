"""`benchhost dev` as a user types it."""

import signal
import sys
from pathlib import Path

import pytest

from benchhost.local import LocalControlPlane
from integration.local.process_table import descendants, wait_for_end
from support.processes import Command

DEV = (sys.executable, "-m", "benchhost.cli.main", "dev")
TRACEBACK = "Traceback"


def run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    with Command([*DEV, *arguments], tmp_path / "run.log") as running:
        return running.wait(), running.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_ends_it_with_success_and_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    with Command([*DEV, "up"], tmp_path / "up.log") as running:
        kubeconfig = Path(running.wait_for(r"export KUBECONFIG=(\S+)")[1])
        running.wait_for("Ctrl-C stops it")
        children = descendants(running.process.pid)
        assert kubeconfig.exists()
        assert len(children) == 4
        running.process.send_signal(number)
        assert running.wait() == 0
        assert wait_for_end(children, seconds=0) == []
        assert not kubeconfig.parent.exists()
        assert TRACEBACK not in running.output


def test_ctrl_c_during_the_start_leaves_no_process(tmp_path: Path) -> None:
    with Command([*DEV, "up", f"--directory={tmp_path / 'up'}"], tmp_path / "up.log") as running:
        running.wait_for("Using ")
        log = tmp_path / "up" / "logs" / "etcd.log"
        while not log.exists():
            assert running.process.poll() is None
        children = descendants(running.process.pid)
        running.interrupt()
        assert running.wait() == 0
        assert wait_for_end(children, seconds=0) == []
        assert TRACEBACK not in running.output


def test_the_printed_lines_work_as_they_are_and_down_stops_it_from_elsewhere(tmp_path: Path) -> None:
    directory = tmp_path / "up"
    with Command([*DEV, "up", f"--directory={directory}"], tmp_path / "up.log") as instance:
        lines = instance.wait_for(r"In another terminal:\n((?:  .*\n)+)Its data")[1]
        with Command(["sh", "-c", lines], tmp_path / "shell.log") as shell:
            assert shell.wait() == 0
            assert "kube-system" in shell.output
        children = descendants(instance.process.pid)
        code, output = run(tmp_path, "down", f"--directory={directory}")
        assert (code, f"process {instance.process.pid}" in output) == (0, True)
        assert instance.wait() == 0
        assert wait_for_end(children, seconds=0) == []


def test_down_where_nothing_runs_is_told(tmp_path: Path) -> None:
    (tmp_path / "instance.lock").write_text("1\n")  # of an owner that has ended: process 1 is somebody else
    code, output = run(tmp_path, "down", f"--directory={tmp_path}")
    assert code == 1
    assert output == f"benchhost: No control plane runs in {tmp_path}; there is nothing to stop.\n"


def test_a_named_cluster_is_used_and_left_alone(local_control_plane: LocalControlPlane, tmp_path: Path) -> None:
    arguments = ["up", f"--kubeconfig={local_control_plane.kubeconfig}", "--context=benchhost-local"]
    with Command([*DEV, *arguments], tmp_path / "named.log") as running:
        running.wait_for(f"ready after .*: {local_control_plane.server}")
        assert descendants(running.process.pid) == {}
        running.interrupt()
        assert running.wait() == 0
    assert local_control_plane.run_kubectl("get", "--raw=/readyz") == "ok"


def test_a_context_that_is_not_there_is_told(local_control_plane: LocalControlPlane, tmp_path: Path) -> None:
    code, output = run(tmp_path, "up", f"--kubeconfig={local_control_plane.kubeconfig}", "--context=prod")
    assert code == 1
    assert "The cluster of context prod of kubeconfig" in output
    assert "cannot be used" in output
    assert TRACEBACK not in output


def test_a_cluster_that_does_not_answer_is_told(tmp_path: Path, local_control_plane: LocalControlPlane) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(local_control_plane.kubeconfig.read_text().replace(local_control_plane.server, CLOSED))
    code, output = run(tmp_path, "up", f"--kubeconfig={kubeconfig}")
    assert code == 1
    assert f"The cluster of kubeconfig {kubeconfig} does not answer" in output
    assert TRACEBACK not in output


CLOSED = "https://127.0.0.1:1"
"""Nothing listens on port 1 (tcpmux)."""
