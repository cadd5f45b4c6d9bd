"""The API server or the controller is away, forgets, or is asked by somebody else for the same host."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from benchhost.local import ControlPlane
from integration.client.tcp_proxy import TcpProxy
from support.control_plane import compact
from support.experiment import Experiment, until
from support.stack import Kubectl

IN_THE_WAIT = "Ready is False"
"""What is logged when the controller has taken the host up and the wait goes on."""


@pytest.fixture
def proxy(kubectl: Kubectl, tmp_path: Path) -> Iterator[TcpProxy]:
    """A bad network between the experiment and the API server; the controller has a good one."""
    with TcpProxy(kubectl.kubeconfig, tmp_path / "proxied-kubeconfig") as running:
        yield running


def test_a_controller_that_is_away_for_the_whole_wait_is_named(experiment: Experiment) -> None:
    experiment.stack.kill_controller()
    run = experiment.start(pollTimeout=5)
    experiment.assert_ended(run, 1, r"did not come to its Provision within 5 s \(pollTimeout\): .*controller")
    experiment.assert_nothing_left()
    experiment.stack.start_controller()
    experiment.assert_works_again()


def test_a_controller_that_is_away_at_the_end_leaves_a_host_that_is_told_of(experiment: Experiment) -> None:
    run = experiment.start_trial(pollTimeout=5)
    experiment.stack.kill_controller()
    experiment.revoke("wait")
    experiment.assert_ended(
        run, 0, r"has succeeded, but a host is left: .* Deprovision within 5 s .*kubectl delete benchhost weather-host"
    )
    experiment.stack.start_controller()
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_an_api_server_that_restarts_during_the_wait_is_waited_for(
    experiment: Experiment, control_plane: ControlPlane
) -> None:
    experiment.withhold_machines()
    run = experiment.start()
    run.wait_for(IN_THE_WAIT, timeout=60)
    control_plane.restart_api_server()
    experiment.give_machines()
    experiment.assert_succeeded(run)
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_a_history_that_the_api_server_has_forgotten_during_the_wait_is_listed_anew(
    experiment: Experiment, control_plane: ControlPlane, proxy: TcpProxy
) -> None:
    """The version to watch from is too old: 410."""
    experiment.withhold_machines()
    run = experiment.start(kubeconfig=proxy.kubeconfig)
    run.wait_for(IN_THE_WAIT, timeout=60)
    proxy.take_down()
    experiment.give_machines()
    until(lambda: experiment.epoch() == 1, "the host runs")
    compact(control_plane)
    control_plane.restart_api_server()
    proxy.bring_up()
    experiment.assert_succeeded(run)
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_a_token_that_expires_ends_the_experiment_and_the_controller_gives_the_host_back(
    experiment: Experiment, kubectl: Kubectl, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "token-kubeconfig"
    log_in(kubectl, kubeconfig)
    experiment.withhold_machines()
    run = experiment.start(kubeconfig=kubeconfig, leaseDurationSeconds=4)
    run.wait_for(IN_THE_WAIT, timeout=60)
    kubectl.run("delete", "serviceaccount", "bench")
    experiment.assert_ended(run, 1, "log in again")
    experiment.assert_nothing_left()
    experiment.give_machines()
    log_in(kubectl, kubeconfig)
    experiment.assert_works_again()


def test_a_host_that_somebody_else_deletes_during_the_wait_fails_the_trial(experiment: Experiment) -> None:
    experiment.withhold_machines()
    run = experiment.start()
    run.wait_for(IN_THE_WAIT, timeout=60)
    experiment.stack.kubectl.run("delete", "benchhost", experiment.host, "--wait=false")
    experiment.assert_ended(run, 1, "deleted by somebody else")
    experiment.assert_nothing_left()
    experiment.give_machines()
    experiment.assert_works_again()


def test_a_host_that_somebody_else_makes_anew_during_the_wait_is_not_touched(
    experiment: Experiment, proxy: TcpProxy
) -> None:
    kubectl = experiment.stack.kubectl
    experiment.withhold_machines()
    run = experiment.start(kubeconfig=proxy.kubeconfig)
    run.wait_for(IN_THE_WAIT, timeout=60)
    proxy.take_down()
    kubectl.run("delete", "benchhost", experiment.host)
    experiment.give_machines()
    theirs = experiment.stack.create_ready(experiment.host)
    proxy.bring_up()
    experiment.assert_ended(run, 1, "deleted .*by somebody else")
    experiment.assert_ended(experiment.start(), 1, "choose another name")
    assert experiment.stack.get(experiment.host)["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert experiment.machine()
    kubectl.run("delete", "benchhost", experiment.host)
    experiment.assert_works_again()


def test_ctrl_c_without_an_api_server_tells_which_host_is_left_until_its_lease_runs_out(
    experiment: Experiment, proxy: TcpProxy
) -> None:
    run = experiment.start_trial(kubeconfig=proxy.kubeconfig, leaseDurationSeconds=3, pollTimeout=5)
    proxy.take_down()
    run.interrupt()
    run.wait_for("Scheduler END", timeout=60)
    run.interrupt()  # nobody likes to wait
    experiment.assert_ended(run, 130, "interrupted; .*weather-host is not released: .*kubectl delete benchhost")
    experiment.assert_nothing_left()
    proxy.bring_up()
    experiment.assert_works_again()


def log_in(kubectl: Kubectl, kubeconfig: Path) -> None:
    """Write a kubeconfig with a token that stops to be accepted when its ServiceAccount is deleted."""
    kubectl.run("create", "serviceaccount", "bench")
    binding = ("--clusterrole=cluster-admin", f"--serviceaccount={kubectl.namespace}:bench")
    kubectl.run("create", "rolebinding", "bench", *binding, check=False)
    content = yaml.safe_load(kubectl.kubeconfig.read_text())
    content["users"][0]["user"] = {"token": kubectl.run("create", "token", "bench").stdout.strip()}
    kubeconfig.write_text(yaml.safe_dump(content))
