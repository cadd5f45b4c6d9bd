"""The cloud has no room, no quota, or takes a machine back: the experiment says so, and nothing is left of it."""

import json
import socket

from support.experiment import TRIAL_RUNS, Experiment, until

SIZE, OTHER_SIZE = "Standard_D2s_v5", "Standard_D4s_v5"


def take_capacity(experiment: Experiment) -> None:
    experiment.disturb_cloud("capacity", "set", "eastus", SIZE, "0")


def test_capacity_that_is_gone_for_one_size_is_taken_of_the_next(experiment: Experiment) -> None:
    take_capacity(experiment)
    experiment.change_template(sizes=[SIZE, OTHER_SIZE])
    run = experiment.start()
    experiment.assert_succeeded(run)
    assert f"({OTHER_SIZE})" in run.output
    experiment.assert_nothing_left()
    experiment.disturb_cloud("capacity", "lift", "eastus", SIZE)
    assert f"({SIZE})" in experiment.assert_works_again().output


def test_capacity_that_is_gone_for_the_only_size_ends_the_experiment_with_the_reason(experiment: Experiment) -> None:
    take_capacity(experiment)
    run = experiment.start(pollTimeout=5)
    experiment.assert_ended(run, 1, rf"Too many trials failed: 1 out of 1; .*{SIZE}")
    experiment.assert_nothing_left()
    experiment.disturb_cloud("capacity", "lift", "eastus", SIZE)
    experiment.assert_works_again()


def test_a_quota_that_is_used_up_ends_the_experiment_with_the_reason(experiment: Experiment) -> None:
    experiment.disturb_cloud("quotas", "set", "eastus", "cores", "1")
    run = experiment.start(pollTimeout=5)
    experiment.assert_ended(run, 1, r"Too many trials failed: 1 out of 1; .*[Qq]uota")
    experiment.assert_nothing_left()
    experiment.disturb_cloud("quotas", "set", "eastus", "cores", "100")
    experiment.assert_works_again()


def test_a_spot_host_that_is_evicted_in_the_middle_of_a_trial_is_replaced_for_the_next(experiment: Experiment) -> None:
    experiment.stack.kill_controller()
    experiment.stack.start_controller("--resync-interval", "1")
    experiment.change_template(spot={})
    run = experiment.start_trial(max_suggestions=2)
    machine = experiment.machine()
    experiment.disturb_cloud("evict", machine, "--notice", "0")
    until(lambda: experiment.epoch() == 2, "the host runs on other hardware")
    experiment.revoke("wait")
    experiment.assert_succeeded(run)
    assert run.output.count(TRIAL_RUNS) == 2
    run.wait_for(r"Trial 1 runs on \S+: placement epoch 1 ")
    run.wait_for(r"Trial 2 runs on \S+: placement epoch 2 ")
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_a_host_that_cannot_be_reached_over_ssh_ends_the_experiment_with_its_address(experiment: Experiment) -> None:
    run = experiment.start_trial(environment="environment-remote.jsonc", sshHostKeys="AcceptAny", sshConnectTimeout=2)
    experiment.stack.kill_controller()  # it would set the address right
    port = move_ssh_to_nobody(experiment)
    experiment.revoke("wait")
    run.wait_for("cannot be reached over SSH", timeout=60)
    experiment.stack.start_controller()
    experiment.assert_ended(
        run,
        1,
        rf"Too many trials failed: 1 out of 1; .*weather-host at 127\.0\.0\.1 port {port} cannot be reached over SSH",
    )
    experiment.assert_nothing_left()
    experiment.use(environment="environment.jsonc")  # an emulated host runs no commands
    experiment.assert_works_again()


def move_ssh_to_nobody(experiment: Experiment) -> int:
    """Let status name a port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    patch = {"status": {"sshEndpoint": {"host": "127.0.0.1", "port": port}}}
    experiment.stack.kubectl.run(
        "patch", "benchhost", experiment.host, "--subresource=status", "--type=merge", "-p", json.dumps(patch)
    )
    return port
