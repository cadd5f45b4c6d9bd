"""A tree of environments as people have them for AzureVMService, on our service: only the class and its config differ.

VMEnv, OSEnv, RemoteEnv that waits for the boot, LocalFileShareEnv before and after a RemoteEnv.
"""

import sys
from pathlib import Path

from benchhost.mlos.workspace import prepare_workspace
from e2e.conftest import KeyPair
from support.processes import Command
from support.stack import Stack

LAUNCHER = Path(sys.executable).parent / "benchhost-mlos-bench"
FILES = Path(__file__).parent / "trees"


def test_a_whole_tree_measures_on_the_host_and_leaves_nothing(
    stack_with_guests: Stack, ssh_key: KeyPair, tmp_path: Path
) -> None:
    stack = stack_with_guests
    folder = prepare_workspace(FILES, tmp_path / "experiment")
    values = {
        "subscriptionId": stack.emulator.connection["subscriptionId"],
        "kubeconfig": stack.kubectl.kubeconfig,
        "namespace": stack.kubectl.namespace,
        "sshPublicKeys": ssh_key.public,
        "sshPrivateKeyFile": ssh_key.file,
    }
    options = [f"--{key}={value}" for key, value in values.items()]
    with Command([str(LAUNCHER), "--config", "cli.jsonc", *options], tmp_path / "log", folder=folder) as command:
        assert command.wait(timeout=180) == 0, command.output
    with Command(
        [sys.executable, "-m", "benchhost.mlos.results", "--config", "cli.jsonc"], tmp_path / "results", folder=folder,
        environment={"COLUMNS": "160"},
    ) as results:  # fmt: skip
        assert results.wait() == 0, results.output
    rows = [line.split("│") for line in results.output.splitlines() if line.startswith("│")]
    measured = [(cells[2].strip(), cells[-3].strip()) for cells in rows]
    assert measured
    header = next(line for line in results.output.splitlines() if "threads" in line)
    assert "score" in header
    for threads, score in measured:
        assert float(score) == float(threads), results.output
    assert "tree-vm is off" in command.output
    assert "tree-vm is gone" in command.output
    assert stack.kubectl.get("benchhosts")["items"] == []
    assert stack.emulator.resources() == []
