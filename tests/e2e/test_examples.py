"""The examples as they are, with the real mlos_bench command on the real controller: hosts come, trials run, hosts go."""

import sys
from pathlib import Path

import pytest

from benchhost.mlos.workspace import prepare_workspace
from e2e.conftest import KeyPair
from support.processes import Command
from support.stack import BENCHHOST, RESOURCE_GROUP, ROOT, Stack

BIN = Path(sys.executable).parent
GUEST_PORT = 2222


class Example:
    """One of the experiments, in a folder of its own."""

    def __init__(self, stack: Stack, key: KeyPair, folder: Path) -> None:
        self.stack = stack
        self.folder = prepare_workspace(ROOT / "examples" / "sqlite-tuning", folder / "experiment")
        self._key = key
        self._log = folder / "mlos.log"

    def start(self, config: str, *, program: str = "benchhost-mlos-bench", **values: object) -> Command:
        """Begin it as the README says."""
        known = {
            "subscriptionId": self.stack.emulator.connection["subscriptionId"],
            "resourceGroup": RESOURCE_GROUP,
            "kubeconfig": self.stack.kubectl.kubeconfig,
            "namespace": self.stack.kubectl.namespace,
            "sshPublicKeys": self._key.public,
            "sshPrivateKeyFile": self._key.file,
            "sshPort": GUEST_PORT,
        }
        options = [f"--{key}={value}" for key, value in (known | values).items()]
        environment = {"MLOS_BENCH_SKIP_SCHEMA_VALIDATION": "true"} if program == "mlos_bench" else {}
        return Command(
            [str(BIN / program), "--config", config, *options], self._log, environment=environment, folder=self.folder
        )

    def results(self, config: str) -> str:
        """The table of trials."""
        argv = [sys.executable, "-m", "benchhost.mlos.results", "--config", config]
        with Command(
            argv, self._log.with_name("results.log"), environment={"COLUMNS": "160"}, folder=self.folder
        ) as command:
            assert command.wait() == 0, command.output
            return command.output

    def report(self, config: str) -> str:
        """What ``benchhost report`` says."""
        argv = [*BENCHHOST, "report", "--config", config]
        with Command(argv, self._log.with_name("report.log"), folder=self.folder) as command:
            assert command.wait(timeout=120) == 0, command.output
            return command.output

    def assert_nothing_is_left(self) -> None:
        """Neither in the cluster nor in the subscription."""
        assert self.stack.kubectl.get("benchhosts")["items"] == []
        assert self.stack.kubectl.get("leases")["items"] == []
        assert self.stack.emulator.resources() == []


@pytest.fixture
def example(stack_with_guests: Stack, ssh_key: KeyPair, tmp_path: Path) -> Example:
    return Example(stack_with_guests, ssh_key, tmp_path)


def test_tuning_on_one_host(example: Example) -> None:
    command = example.start("cli.jsonc")
    assert command.wait(timeout=180) == 0, command.output
    assert command.output.count("placement epoch 1 since") == 5
    assert "sqlite-tuning-host is gone" in command.output
    assert "best" in example.results("cli.jsonc")
    example.assert_nothing_is_left()


def test_the_size_of_the_host_as_a_tunable(example: Example) -> None:
    command = example.start("cli-sizes.jsonc")
    assert command.wait(timeout=180) == 0, command.output
    sizes = {line.rsplit("(", 1)[-1].rstrip(")\n") for line in command.output.splitlines() if " runs on " in line}
    assert len(sizes) > 1, command.output
    assert all(size in example.results("cli-sizes.jsonc") for size in sizes)
    example.assert_nothing_is_left()


def test_one_configuration_on_several_placements_and_what_the_report_says(example: Example) -> None:
    command = example.start("cli-placements.jsonc")
    assert command.wait(timeout=300) == 0, command.output
    for epoch in (1, 2, 3, 4):
        assert command.output.count(f"placement epoch {epoch} since") == 3
    example.assert_nothing_is_left()
    report = example.report("cli-placements.jsonc")
    assert "Wrote report.html and report.png" in report
    page = (example.folder / "report.html").read_text()
    for words in ("4 known placements", "of the variance is between placements", "Reallocate", "VM-hours"):
        assert words in page


def test_a_host_that_cannot_be_had_ends_the_experiment_with_a_reason_and_leaves_nothing(example: Example) -> None:
    command = example.start("cli.jsonc", vmSize="Standard_Nope")
    assert command.wait(timeout=180) != 0
    assert "Standard_Nope" in command.output
    assert command.output.rstrip().splitlines()[-1].startswith("benchhost-mlos-bench: ")
    example.assert_nothing_is_left()


def test_the_stock_command_runs_it_too(example: Example) -> None:
    command = example.start("cli.jsonc", program="mlos_bench", max_suggestions=2)
    assert command.wait(timeout=180) == 0, command.output
    example.assert_nothing_is_left()
