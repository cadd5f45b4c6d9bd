"""Which placement each trial ran on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from benchhost.mlos.results import Results
from benchhost.report.analysis import analyse
from benchhost.report.experiment import ReportError, to_experiment
from benchhost.report.history import History, Placed
from support.stored_experiment import MINUTE, Ran, analysed, results, start_of

TRIAL = results([Ran(100, 1.0, 1)])


def placed(minutes: float, epoch: int, *, uid: str = "u") -> Placed:
    return Placed(start_of(1) + minutes * MINUTE, "1", uid, epoch, "default", "h")


@pytest.mark.parametrize(
    ("events", "epoch"),
    [
        pytest.param([placed(1, 1)], 1, id="one"),
        pytest.param([placed(1, 1), placed(3, 2)], 2, id="moved-before-it-measured"),
        pytest.param([placed(3, 2), placed(1, 1)], 2, id="in-any-order"),
        pytest.param([placed(-60, 1)], None, id="of-an-earlier-run"),
        pytest.param([placed(2, 1), placed(60, 7)], 1, id="and-of-a-later-run"),
        pytest.param([placed(-0.01, 1)], 1, id="of-a-storage-that-keeps-whole-seconds"),
        pytest.param([], None, id="none"),
    ],
)
def test_the_last_placement_while_the_trial_ran(events: list[Placed], epoch: int | None) -> None:
    trial = to_experiment(TRIAL, History(tuple(events))).trials[0]
    assert (trial.placement.epoch if trial.placement else None) == epoch


def test_without_times_the_last_one_counts() -> None:
    timeless = replace(TRIAL, trials=[replace(TRIAL.trials[0], ts_start=None, ts_end=None)])
    trial = to_experiment(timeless, History((placed(-99, 1), placed(99, 2)))).trials[0]
    assert trial.placement is not None
    assert trial.placement.epoch == 2


def test_hosts_that_had_one_name_after_each_other_are_told_apart() -> None:
    found = analysed([Ran(100, 1.0, 1, uid="a"), Ran(100, 2.0, 2, uid="a"), Ran(100, 2.0, 1, uid="b")]).experiment
    assert [placement.label for placement in found.placements] == ["h (1) epoch 1", "h (1) epoch 2", "h (2) epoch 1"]


@pytest.mark.parametrize("score", ["fast", float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_a_failure(score: object) -> None:
    odd = replace(TRIAL, trials=[replace(TRIAL.trials[0], scores={"ops_per_second": score})])
    trial = to_experiment(odd, History()).trials[0]
    assert trial.score is None
    assert trial.has_failed


def test_a_trial_that_still_runs_has_not_failed() -> None:
    running = replace(TRIAL, trials=[replace(TRIAL.trials[0], status="RUNNING", scores={}, ts_end=None)])
    assert not to_experiment(running, History()).trials[0].has_failed


def test_the_means_are_over_placements() -> None:
    found = analysed([Ran(100, 1.0, 1), Ran(100, 3.0, 1), Ran(100, 8.0, 2), Ran(5, 4.0, None), Ran(5, 6.0, None)])
    assert found.experiment.means == {1: 5.0, 2: 5.0}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param(Results("tuning", {}, TRIAL.trials), "has no objective", id="no-objective"),
        pytest.param(Results("tuning", {"x": "max"}, []), "has no trials yet", id="no-trials"),
    ],
)
def test_nothing_to_report_on_is_one_sentence(broken: Results, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        analyse(broken, None)


def test_an_unknown_baseline_is_one_sentence() -> None:
    with pytest.raises(ReportError, match="has no trial 9; give --baseline"):
        analyse(TRIAL, None, baseline_trial=9)


def test_an_earlier_runs_hosts_cost_this_one_nothing() -> None:
    long_ago = start_of(1) - timedelta(days=30)
    old = replace(placed(0, 1), time=long_ago, uid="old")
    assert [row.uid for row in analyse(TRIAL, History((old, placed(1, 1)))).vm_hours] == ["u"]
