"""The cloud has no room, no quota, or takes a machine back: the experiment says so, and nothing is left of it."""

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
    experiment.change_template(spot={})
    run = experiment.start_trial(max_suggestions=2)
    machine = experiment.machine()
    experiment.disturb_cloud("evict", machine, "--notice", "0")
    until(lambda: experiment.epoch() == 2, "the host runs on other hardware")
    experiment.revoke("wait")
    experiment.assert_succeeded(run)
    assert run.output.count(TRIAL_RUNS) == 2
    assert "Trial 1 runs on" in run.output
    run.wait_for(r"Trial 2 runs on \S+: placement epoch 2 ")
    experiment.assert_nothing_left()
    experiment.assert_works_again()
