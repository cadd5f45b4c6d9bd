"""The real mlos_bench command on the real controller: hosts come, trials run, hosts go."""

import json
import sys
from pathlib import Path

import pytest

from benchhost.mlos.workspace import prepare_workspace
from support.processes import Command
from support.stack import RESOURCE_GROUP, ROOT, Stack

LAUNCHER = Path(sys.executable).parent / "benchhost-mlos-bench"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = prepare_workspace(ROOT / "examples" / "sqlite-tuning", tmp_path / "experiment")
    monkeypatch.chdir(folder)
    return folder


def run(stack: Stack, tmp_path: Path, *options: str) -> Command:
    values = {
        "subscriptionId": stack.emulator.connection["subscriptionId"],
        "resourceGroup": RESOURCE_GROUP,
        "kubeconfig": str(stack.kubectl.kubeconfig),
        "namespace": stack.kubectl.namespace,
        **dict(option.split("=", 1) for option in options),
    }
    argv = [str(LAUNCHER), "--config", "cli.jsonc", *(f"--{key}={value}" for key, value in values.items())]
    return Command(argv, tmp_path / "mlos.log")


def results(workspace: Path, tmp_path: Path) -> str:
    argv = [sys.executable, "-m", "benchhost.mlos.results", "--config", str(workspace / "cli.jsonc")]
    with Command(argv, tmp_path / "results.log", environment={"COLUMNS": "160"}) as command:
        assert command.wait() == 0, command.output
        return command.output


def test_an_experiment_gets_a_host_measures_on_it_and_gives_it_back(
    stack: Stack, workspace: Path, tmp_path: Path
) -> None:
    command = run(stack, tmp_path)
    assert command.wait(timeout=120) == 0, command.output
    assert command.output.count("placement epoch 1 since") == 5
    assert "sqlite-tuning-host is gone" in command.output
    assert "best" in results(workspace, tmp_path)
    assert stack.kubectl.get("benchhosts")["items"] == []
    assert stack.emulator.resources() == []


@pytest.mark.usefixtures("workspace")
def test_new_per_trial_asks_for_other_hardware_each_time(stack: Stack, tmp_path: Path) -> None:
    command = run(stack, tmp_path, "placementPolicy=NewPerTrial", "max_suggestions=3")
    assert command.wait(timeout=120) == 0, command.output
    for epoch in (1, 2, 3):
        assert f"placement epoch {epoch} since" in command.output
    assert stack.emulator.resources() == []


@pytest.mark.usefixtures("workspace")
def test_a_host_that_cannot_be_had_ends_the_experiment_with_a_reason_and_leaves_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    command = run(stack, tmp_path, "vmSize=Standard_Nope")
    assert command.wait(timeout=120) != 0
    assert "Standard_Nope" in command.output
    assert command.output.rstrip().splitlines()[-1].startswith("benchhost-mlos-bench: ")
    assert stack.kubectl.get("benchhosts")["items"] == []
    assert stack.emulator.resources() == []


@pytest.mark.usefixtures("workspace")
def test_sigterm_releases_the_host(stack: Stack, tmp_path: Path) -> None:
    command = run(stack, tmp_path)
    command.wait_for("Trial 1 runs on", timeout=60)
    assert command.stop(timeout=30) == 143
    stack.kubectl.run("wait", "benchhosts", "--all", "--for=delete", "--timeout=30s", check=False)
    assert json.dumps(stack.emulator.resources()) == "[]"
