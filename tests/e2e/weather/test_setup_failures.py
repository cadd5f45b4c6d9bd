"""A host that does not come up ends the experiment with a reason, and is released as ``onSetupFailure`` says."""

from support.experiment import Experiment

MACHINES = "Microsoft.Compute/virtualMachines"


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
    experiment.disturb_cloud("faults", "add", "--method", "PUT", "--type", MACHINES, "--refuse", "503")
    run = experiment.start(pollTimeout=5)
    experiment.assert_ended(run, 1, r"did not come to its Provision within 5 s \(pollTimeout\): Ready is False, .*503")
    experiment.assert_nothing_left()
    experiment.disturb_cloud("faults", "clear")
    experiment.assert_works_again()
