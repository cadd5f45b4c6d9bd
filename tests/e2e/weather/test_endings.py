"""An experiment that is ended from inside or outside gives its host back, and can be run again."""

from support.experiment import Experiment


def test_a_child_environment_that_raises_ends_the_experiment_and_releases_the_host(experiment: Experiment) -> None:
    experiment.order("no-results")
    run = experiment.start()
    experiment.assert_ended(run, 1, r"results\.csv")
    experiment.assert_nothing_left()
    experiment.revoke("no-results")
    experiment.assert_works_again()


def test_sigkill_lets_the_lease_run_out_and_the_controller_gives_the_host_back(experiment: Experiment) -> None:
    run = experiment.start_trial(leaseDurationSeconds=3)
    run.kill()
    assert run.process.returncode == -9
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_ctrl_c_in_the_middle_of_a_trial_releases_the_host(experiment: Experiment) -> None:
    run = experiment.start_trial()
    run.interrupt()
    experiment.assert_ended(run, 130, "interrupted; .* released as 'onSetupFailure' says$")
    experiment.assert_nothing_left()
    experiment.assert_works_again()


def test_sigterm_in_the_middle_of_a_trial_releases_the_host(experiment: Experiment) -> None:
    run = experiment.start_trial()
    run.process.terminate()
    experiment.assert_ended(run, 143, "terminated; .* released as 'onSetupFailure' says$")
    experiment.assert_nothing_left()
    experiment.assert_works_again()
