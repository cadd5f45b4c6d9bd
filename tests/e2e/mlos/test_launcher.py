"""The command as users type it: everything that ends it early. The shipped examples are run by ``test_examples``."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchhost.client import BenchHostClient, ConnectionSettings, Deadline
from benchhost.mlos.workspace import prepare_workspace
from integration.mlos.standin_controller import Answer, StandInController
from support.processes import Command
from support.stack import ROOT, Kubectl

LAUNCHER = [str(Path(sys.executable).with_name("benchhost-mlos-bench"))]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The example where mlos_bench can run it."""
    return prepare_workspace(ROOT / "examples" / "sqlite-tuning", tmp_path / "workspace")


@pytest.fixture
def controller(kubectl: Kubectl) -> Iterator[StandInController]:
    with StandInController(kubectl.kubeconfig, kubectl.namespace) as running:
        yield running


@pytest.fixture
def client(kubectl: Kubectl) -> Iterator[BenchHostClient]:
    settings = ConnectionSettings(kubeconfig=str(kubectl.kubeconfig), namespace=kubectl.namespace)
    with BenchHostClient(settings) as running:
        yield running


def arguments(kubectl: Kubectl, *more: str) -> list[str]:
    cluster = ["--kubeconfig", str(kubectl.kubeconfig), "--namespace", kubectl.namespace]
    return [*LAUNCHER, "--config", "cli.jsonc", *cluster, *more]


def run(folder: Path, argv: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The command's own last words; there must be no traceback anywhere."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("benchhost-mlos-bench: ")
    return last


def change(workspace: Path, **config: object) -> None:
    """Write the service config anew with other keys."""
    service = {
        "class": "benchhost.mlos.BenchHostService",
        "config": {"template": "benchhost.yaml", "name": "x", "fileShare": True, **config},
    }
    (workspace / "service.jsonc").write_text(json.dumps(service))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param({"pollTimout": 5}, "pollTimout", id="unknown-key"),
        pytest.param({"pollTimeout": 0}, "config.pollTimeout", id="bad-value"),
        pytest.param({"template": "absent.yaml"}, "absent.yaml cannot be read", id="missing-template"),
        pytest.param({"parameters": {"vmSize": "spec.azure.size"}}, "spec.azure.size", id="unknown-field"),
        pytest.param({"name": "bh-$trial_runner_id"}, "trial_runner_id", id="variable-left"),
        pytest.param({"kubeconfig": "/nowhere/k"}, "there is no kubeconfig", id="missing-kubeconfig"),
    ],
)
def test_bad_configuration_ends_with_one_sentence(workspace: Path, config: dict[str, object], words: str) -> None:
    change(workspace, **config)
    assert words in one_sentence(run(workspace, [*LAUNCHER, "--config", "cli.jsonc"]))


def test_unreachable_server_ends_with_one_sentence(kubectl: Kubectl, workspace: Path, tmp_path: Path) -> None:
    copy = tmp_path / "kubeconfig"
    text = kubectl.kubeconfig.read_text()
    start = text.index("https://")
    copy.write_text(text[:start] + "https://127.0.0.1:9" + text[text.index("\n", start) :])
    done = run(workspace, arguments(kubectl, "--kubeconfig", str(copy), "--pollTimeout", "2"))
    assert "cannot be reached" in one_sentence(done)


def test_files_outside_git_end_with_one_sentence(kubectl: Kubectl, workspace: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for file in workspace.iterdir():
        if file.is_file():
            (outside / file.name).write_text(file.read_text())
    done = run(outside, arguments(kubectl), GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert "python -m benchhost.mlos.workspace" in one_sentence(done)


def test_hosts_that_never_come_up_fail_the_run_and_are_released(
    kubectl: Kubectl, workspace: Path, controller: StandInController, client: BenchHostClient
) -> None:
    controller.answer("sqlite-tuning-host", Answer.STALL)
    done = run(workspace, arguments(kubectl))
    assert "Too many trials failed" in one_sentence(done)
    assert "QuotaExceeded" in done.stderr
    assert client.list() == []


@pytest.mark.parametrize("ending", [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminated"])
def test_a_run_that_is_ended_releases_its_host(
    kubectl: Kubectl, workspace: Path, controller: StandInController, client: BenchHostClient, ending: tuple[int, int]
) -> None:
    sign, code = ending
    controller.answer("sqlite-tuning-host", Answer.SILENCE)
    with Command(arguments(kubectl), workspace.parent / "launcher.log", folder=workspace) as launcher:
        there = lambda host: True if host is not None else None  # noqa: E731 - a condition
        client.wait_for("sqlite-tuning-host", there, deadline=Deadline.after(60))
        launcher.process.send_signal(sign)
        assert launcher.wait(timeout=60) == code, launcher.output
    assert "Traceback" not in launcher.output
    found = client.get("sqlite-tuning-host")
    assert found is None or found.is_deleting
