"""A host that does not come up ends the experiment with a reason, and is released as ``onSetupFailure`` says."""

from support.experiment import MACHINES, Experiment, until


def test_a_cloud_that_fails_the_creation_for_good_fails_the_trial_with_its_words(experiment: Experiment) -> None:
    experiment.disturb_cloud("faults", "add", "--method", "PUT", "--type", MACHINES, "--refuse", "400",
                             "--code", "InvalidParameter", "--message", "The image cannot boot on this size.")  # fmt: skip
    run = experiment.start()
    experiment.assert_ended(
        run, 1, r"Too many trials failed: 1 out of 1; .*BenchHost \S+/weather-host .*The image cannot boot on this size"
    )
    experiment.assert_nothing_left()
    experiment.disturb_cloud("faults", "clear")
    experiment.assert_works_again()


def test_a_host_that_is_not_up_in_time_is_told_of_with_what_held_it_up(experiment: Experiment) -> None:
    experiment.withhold_machines()
    run = experiment.start(pollTimeout=5)
    experiment.assert_ended(
        run, 1, r"did not come to its Provision within 5 s \(pollTimeout\): Ready is False, .*ServiceUnavailable"
    )
    experiment.assert_nothing_left()
    experiment.give_machines()
    experiment.assert_works_again()


def test_a_host_that_is_to_be_kept_stays_unheld_and_is_used_by_the_next_run(experiment: Experiment) -> None:
    experiment.withhold_machines()
    run = experiment.start(pollTimeout=5, onSetupFailure="Keep")
    experiment.assert_ended(run, 1, "did not come to its Provision within 5 s")
    assert "weather-host is kept (onSetupFailure Keep); to remove the host: kubectl delete" in run.output
    kept = experiment.stack.get(experiment.host)
    assert "holder" not in kept["spec"]
    assert experiment.leases() == []
    experiment.give_machines()
    experiment.stack.kubectl.wait(f"benchhost/{experiment.host}", "condition=Ready", seconds=60)
    assert kept["metadata"]["uid"] == experiment.stack.get(experiment.host)["metadata"]["uid"]
    assert experiment.machine()
    experiment.assert_works_again()


def test_a_host_that_is_to_be_deallocated_keeps_its_disk_and_is_started_by_the_next_run(experiment: Experiment) -> None:
    """What the trial was doing has failed, not the host: it is up when it is released."""
    experiment.order("no-results")
    run = experiment.start(onSetupFailure="Deallocate")
    experiment.assert_ended(run, 1, r"results\.csv")
    until(
        lambda: experiment.stack.get(experiment.host)["status"].get("powerState") == "Deallocated", "it is deallocated"
    )
    assert experiment.leases() == []
    assert experiment.machine()
    experiment.revoke("no-results")
    assert "placement epoch 2 since" in experiment.assert_works_again().output
