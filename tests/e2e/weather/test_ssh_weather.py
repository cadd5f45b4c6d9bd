"""Hosts that cannot be reached over SSH, or are lost while they work: the trial fails, and the experiment ends well."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchhost.mlos.ssh_library import asyncssh
from e2e.conftest import KeyPair
from e2e.weather.conftest import FILES
from support.experiment import PATIENCE, Experiment, until
from support.processes import Command
from support.stack import Stack

GUEST_PORT, DEAF_PORT = 2222, 2223
TRIAL_RUNS = "Run script remotely on"


class RemoteExperiment(Experiment):
    """As ``Experiment``, but the trial runs on the host."""

    def __init__(self, stack: Stack, key: KeyPair, folder: Path) -> None:
        super().__init__(stack, FILES, folder)
        work = f"while [ -e {self.folder}/orders/wait ]; do sleep 0.05; done; echo score=1"
        self._rewrite("trial-environment.jsonc", {
            "name": "trial",
            "class": "mlos_bench.environments.remote.RemoteEnv",
            "config": {
                "tunable_params": ["$trial_tunables"],
                "run": [work], "teardown": ["echo bye"], "results_stdout_pattern": r"(\w+)=(\d+)",
            },
        })  # fmt: skip
        config: dict[str, Any] = {
            "kubeconfig": None, "namespace": None, "name": "$experiment_id-host", "template": "benchhost.yaml",
            "parameters": {
                "vmSize": "spec.azure.sizes[0]", "sshPublicKeys": "spec.azure.admin.sshPublicKeys",
                "sshPort": "spec.azure.admin.sshPort",
            },
            "sshPrivateKeyFile": None, "sshHostKeys": None, "sshConnectTimeout": 30, "pollTimeout": 120,
        }  # fmt: skip
        self._rewrite("service.jsonc", {"class": "benchhost.mlos.BenchHostService", "config": config})
        self._values |= {"sshPublicKeys": key.public, "sshPrivateKeyFile": key.file, "sshPort": GUEST_PORT}

    def start_trial(self, **values: Any) -> Command:
        self.order("wait")
        run = self.start(**values)
        run.wait_for(TRIAL_RUNS, timeout=PATIENCE)
        return run

    def _rewrite(self, name: str, content: dict[str, Any]) -> None:
        (self.folder / name).write_text(json.dumps(content))


@pytest.fixture
def experiment(stack_with_guests: Stack, ssh_key: KeyPair, tmp_path: Path) -> Iterator[RemoteExperiment]:
    prepared = RemoteExperiment(stack_with_guests, ssh_key, tmp_path / "experiment")
    try:
        yield prepared
    finally:
        prepared.end()


def test_a_host_that_does_not_answer_ssh_fails_the_trial_with_its_address(experiment: RemoteExperiment) -> None:
    run = experiment.start(sshPort=DEAF_PORT, sshHostKeys="AcceptAny", sshConnectTimeout=2)
    experiment.assert_ended(
        run, 1, rf"1 out of 1; .*weather-host at 127\.\S+ port {DEAF_PORT} cannot be reached over SSH"
    )
    experiment.assert_nothing_left()
    experiment.start(sshPort=GUEST_PORT, sshHostKeys="Published", sshConnectTimeout=30).wait(timeout=PATIENCE)
    experiment.assert_works_again()


def test_a_host_that_lets_nobody_in_says_whose_key_it_wants(experiment: RemoteExperiment, tmp_path: Path) -> None:
    mine = experiment._values["sshPrivateKeyFile"]
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other")
    run = experiment.start(sshPrivateKeyFile=tmp_path / "other")
    experiment.assert_ended(run, 1, r"1 out of 1; .*does not let 'bench' in")
    experiment.assert_nothing_left()
    experiment._values["sshPrivateKeyFile"] = mine
    experiment.assert_works_again()


def test_a_spot_host_that_is_evicted_while_it_works_fails_that_trial_alone(experiment: RemoteExperiment) -> None:
    experiment.change_template(spot={})
    run = experiment.start_trial(max_suggestions=2)
    experiment.disturb_cloud("evict", experiment.machine(), "--notice", "0")
    run.wait_for("cannot be reached over SSH", timeout=PATIENCE)
    experiment.revoke("wait")
    experiment.assert_ended(run, 1, "Too many trials failed: 1 out of 2; .*cannot be reached over SSH")
    assert "Trial 2 runs on" in run.output
    assert "placement epoch 2" in run.output
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_ctrl_c_while_the_host_works_releases_it(experiment: RemoteExperiment) -> None:
    run = experiment.start_trial()
    run.interrupt()
    experiment.assert_ended(run, 130, "interrupted; .* released as 'onSetupFailure' says$")
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_a_host_that_is_switched_off_by_somebody_else_while_it_works_fails_that_trial(
    experiment: RemoteExperiment,
) -> None:
    run = experiment.start_trial(max_suggestions=2)
    experiment.stack.kubectl.patch(experiment.host, {"powerState": "Stopped"})
    run.wait_for("cannot be reached over SSH", timeout=PATIENCE)
    until(lambda: experiment.stack.get(experiment.host)["status"].get("powerState") is not None, "it is told")
    experiment.revoke("wait")
    experiment.assert_ended(run, 1, "Too many trials failed: 1 out of 2; .*cannot be reached over SSH")
    assert "Trial 2 runs on" in run.output
    experiment.assert_nothing_left()
