"""An experiment that is ended from inside or outside gives its host back, and can be run again."""

import signal

from support.experiment import TRIAL_RUNS, Experiment


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


def test_a_benchmark_that_fails_ends_the_experiment_in_order(experiment: Experiment) -> None:
    experiment.order("fail")
    run = experiment.start()
    experiment.assert_ended(run, 1, "Too many trials failed: 1 out of 1")
    assert "the benchmark has failed as it was ordered to" in run.output
    experiment.assert_nothing_left()
    experiment.revoke("fail")
    experiment.assert_works_again()


def test_a_rerun_takes_over_the_host_of_a_run_that_was_killed(experiment: Experiment) -> None:
    experiment.start_trial().kill()
    since = experiment.stack.get(experiment.host)["status"]["placement"]["since"]
    again = experiment.assert_works_again()
    assert f"placement epoch 1 since {since}" in again.output


def test_the_stock_command_with_validation_off_runs_and_releases_the_host_after_ctrl_c(experiment: Experiment) -> None:
    experiment.order("wait")
    run = experiment.start(stock=True)
    run.wait_for(TRIAL_RUNS, timeout=60)
    run.interrupt()
    assert run.wait(timeout=60) == -signal.SIGINT
    assert run.output.rstrip().endswith("KeyboardInterrupt")
    experiment.assert_nothing_left()
    experiment.revoke("wait")
    again = experiment.start(stock=True)
    assert again.wait(timeout=60) == 0, again.output
    experiment.assert_nothing_left()
