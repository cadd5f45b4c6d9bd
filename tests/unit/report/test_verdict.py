"""The words of the report, as they stand on the page and the terminal."""

import pytest

from benchhost.report.comparison import Outcome
from benchhost.report.verdict import describe_variance
from support.stored_experiment import Ran, analysed

NOISE = (0.0, 4.0, -3.0, 1.0, -2.0)
"""Of five placements."""
REPEATS = (0.5, -0.7, 0.4, -0.1, 0.2, 0.6, -0.3, -0.5, 0.1, -0.2)
HOW = (
    "To find out, run both configurations on at least three placements each: with placementPolicy NewPerTrial and a "
    "trial_config_repeat_count of three or more, see examples/sqlite-tuning/cli-placements.jsonc."
)


def in_blocks(*effects: float, placements: int = 5) -> list[Ran]:
    """Every configuration once on every placement; the first is the default."""
    return [
        Ran(100 * (number + 1), 100 + effect + NOISE[place] + REPEATS[(place + 3 * number) % 10], place + 1)
        for place in range(placements)
        for number, effect in enumerate(effects)
    ]


def apart(*effects: float, placements: int = 5) -> list[Ran]:
    """Every trial on a placement of its own, as NewPerTrial with repeats runs them."""
    return [
        Ran(100 * (number + 1), 100 + effect + NOISE[(place + number) % 5], 1 + place + placements * number)
        for number, effect in enumerate(effects)
        for place in range(placements)
    ]


def test_better_on_the_same_placements() -> None:
    verdict = analysed(in_blocks(0, 5)).verdict
    assert verdict.outcome is Outcome.BETTER
    assert verdict.sentence == (
        "Configuration 2 is better than the default, configuration 1, beyond placement noise: ops_per_second is 105.0 "
        "against 100.1, a difference of +4.92, 95 % interval +4.11 to +5.73; that is +4.9 % of the baseline, +4.1 to "
        "+5.7 % (paired t-test on 5 placements that both were measured on, t(4) = 16.84, p < 0.001; Hedges' g 6.01, "
        "95 % interval 2.52 to 12.63)."
    )
    assert verdict.details == ("It was the better one on 5 of the 5 placements.",)


def test_not_shown_to_be_better_on_placements_apart() -> None:
    verdict = analysed(apart(0, 2, -1)).verdict
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert verdict.sentence == (
        "Configuration 2 is not shown to be better than the default, configuration 1, beyond placement noise: "
        "ops_per_second is 102.0 against 100.0, a difference of +2, 95 % interval -2.77 to +6.77; that is +2.0 % of the "
        "baseline, -2.8 to +6.8 % (Welch's t-test on 5 and 5 placements, t(8) = 1.15, p = 0.56 corrected for 2 "
        "comparisons; Hedges' g 0.66, 95 % interval -0.76 to 2.18). This does not show that they are alike."
    )
    picked, needed = verdict.details
    assert picked == (
        "It was picked as the best of several, and the best of several looks better than it is. So the p value is "
        "multiplied by 2, and the intervals hold for all 2 comparisons at once (Bonferroni). An experiment of these two "
        "alone needs no such correction."
    )
    assert needed == (
        "If the true difference is as large as the one seen, about 46 placements for each would show it with a power of "
        "80 %."
    )


def test_the_baseline_itself_is_the_best() -> None:
    verdict = analysed(in_blocks(5, 0)).verdict
    assert verdict.outcome is Outcome.NOT_SHOWN
    assert verdict.sentence.startswith(
        "The default, configuration 1, has the better mean itself, and configuration 2, the best of the others, is not "
        "shown to be better beyond placement noise: ops_per_second is "
    )


def test_the_second_best_where_there_is_no_default() -> None:
    trials = [Ran(ran.cache + 1, ran.score, ran.epoch) for ran in in_blocks(0, 5, 9)]
    verdict = analysed(trials).verdict
    assert "Configuration 3 is better than the second best, configuration 2, beyond" in verdict.sentence
    assert "corrected for 3 comparisons" in verdict.sentence


def test_a_baseline_that_was_named() -> None:
    verdict = analysed(in_blocks(0, 5, 9), baseline=2).verdict
    assert "Configuration 3 is better than the baseline, configuration 2, beyond" in verdict.sentence


def test_lower_is_better() -> None:
    verdict = analysed(in_blocks(0, -5), direction="min").verdict
    assert verdict.outcome is Outcome.BETTER
    assert "a difference of -5.08" in verdict.sentence


def test_a_better_mean_on_too_few_placements_is_told_of() -> None:
    verdict = analysed([*in_blocks(0, 5), Ran(7, 150.0, 6)]).verdict
    assert verdict.best == 2
    assert (
        "Configuration 3 has a better mean still, but was measured on 1 placement: too few to count." in verdict.details
    )


@pytest.mark.parametrize(
    ("trials", "reason"),
    [
        pytest.param([Ran(100, None, 1)], f"no trial has a score. {HOW}", id="no-scores"),
        pytest.param(
            [Ran(100, 1.0, None)],
            f"the hosts' history tells of no trial with a score on which placement it ran. {HOW}",
            id="no-placements",
        ),
        pytest.param(
            in_blocks(0),
            "only one configuration has a score, and there is none to compare it with. To find out, measure another one, "
            "each on at least three placements, see examples/sqlite-tuning/cli-placements.jsonc.",
            id="one-configuration",
        ),
        pytest.param(
            [Ran(100 * number, 1.0 * number, 1) for number in range(1, 6)],
            "the default, configuration 1, was measured on 1 known placement, and it takes at least 3. " + HOW,
            id="one-placement",
        ),
        pytest.param(
            [*apart(0), Ran(7, 1.0, 6), Ran(7, 1.0, 7), Ran(8, 1.0, 8)],
            "no other configuration was measured on at least 3 known placements (the most that one has is 2 known "
            f"placements). {HOW}",
            id="only-the-default-repeated",
        ),
        pytest.param(
            [*(Ran(7, 1.0 * number, number) for number in range(1, 4)), Ran(8, 1.0, 4)],
            f"only configuration 1 was measured on at least 3 known placements. {HOW}",
            id="no-second-one",
        ),
        pytest.param(
            [Ran(cache, 5.0 * cache, epoch) for cache in (100, 200) for epoch in (1, 2, 3)],
            "the scores do not vary at all from placement to placement, so that there is no noise to compare with. To "
            "find out, check that the benchmark measures something that varies.",
            id="no-noise",
        ),
    ],
)
def test_too_little_data(trials: list[Ran], reason: str) -> None:
    verdict = analysed(trials).verdict
    assert verdict.outcome is Outcome.TOO_LITTLE
    assert verdict.sentence == (
        f"Too little data to say whether the best configuration is better beyond placement noise: {reason}"
    )


def test_the_default_without_a_score_cannot_be_compared_with() -> None:
    verdict = analysed([Ran(100, None, 1), *(Ran(200, float(epoch), epoch) for epoch in (2, 3, 4))]).verdict
    assert verdict.outcome is Outcome.TOO_LITTLE
    assert "the default, configuration 1, was measured on no known placements" in verdict.sentence


def test_where_the_noise_is_known_the_next_experiment_is_planned() -> None:
    noisy = [
        Ran(300, 100 + NOISE[place] + REPEATS[2 * place + turn], place + 1) for place in range(5) for turn in (0, 1)
    ]
    verdict = analysed([*noisy, Ran(100, 98.0, 1), Ran(200, 101.0, 2)]).verdict
    assert " ".join(verdict.details) == (
        "With the noise seen, a difference as large as that between configurations 3 and 2 (3) would be found with a "
        "power of 80 % by 14 placements for each of them, or by 3 placements on which both are measured. It rests on few "
        "placements, so plan for more."
    )


def test_the_variance_in_words() -> None:
    trials = [
        Ran(100, 100 + NOISE[place] + REPEATS[2 * place + turn], place + 1) for place in range(5) for turn in (0, 1)
    ]
    assert describe_variance(analysed(trials).variance) == (
        "97 % of the variance is between placements (95 % CI 81-100 %), 3 % within: standard deviation 2.653 between "
        "placements and 0.445 within one."
    )
    assert describe_variance(analysed(trials[:4]).variance) == (
        "Too little data to say how much of the variance is between placements: there are measurements on 2 known "
        "placements, and it takes at least 3 to tell the variance between placements. To find out, measure one "
        "configuration at least twice on each of three or more placements, see examples/sqlite-tuning/cli-placements.jsonc."
    )
    wild = [Ran(100, score, place) for place in (1, 2, 3) for score in (0.0 + place, 20.0 - place)]
    assert describe_variance(analysed(wild).variance).endswith(
        "The estimate between placements came out below zero and is given as 0: repeats on one placement lie at least as "
        "far apart as placements do."
    )


@pytest.mark.parametrize("trials", [in_blocks(0, 5), apart(0, 2), in_blocks(5, 0), in_blocks(0)])
def test_it_is_never_said_that_there_is_no_difference(trials: list[Ran]) -> None:
    verdict = analysed(trials).verdict
    assert "no difference" not in " ".join([verdict.sentence, *verdict.details]).lower()
