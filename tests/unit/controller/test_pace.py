from datetime import timedelta

import pytest

from benchhost.controller.pace import next_look

FIVE, NOTHING = timedelta(seconds=5), timedelta(0)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("wish", "looks", "elapsed", "took", "under_way", "expected"),
    [
        pytest.param(10, 0, 0, 3, 1, 10, id="the-clouds-wish-counts-for-the-first-look"),
        pytest.param(None, 0, 0, 0, 1, 1, id="without-a-wish-the-first-look-is-soon"),
        pytest.param(35, 1, 10, 0, 1, 1, id="a-later-wish-does-not-while-few-are-under-way"),
        pytest.param(None, 1, 10, 0.4, 1, 0.6, id="an-answer-that-takes-long-does-not-slow-the-beat"),
        pytest.param(None, 1, 10, 2, 1, 0, id="one-that-takes-longer-is-followed-at-once"),
        pytest.param(None, 35, 40, 0, 1, 1.8, id="what-takes-long-is-looked-at-less-often"),
        pytest.param(None, 35, 300, 0, 1, 5, id="but-not-less-often-than-the-interval"),
        pytest.param(None, 60, 70, 0, 1, 6, id="unless-it-has-been-looked-at-too-often"),
        pytest.param(None, 5, 15, 0, 12, 1, id="a-dozen-is-few"),
        pytest.param(None, 5, 15, 0, 24, 2, id="more-of-them-share-what-arm-allows"),
        pytest.param(35, 5, 15, 2, 33, 35, id="in-a-crowd-the-clouds-wish-counts"),
        pytest.param(None, 5, 15, 2, 500, 5, id="in-a-crowd-the-interval-counts"),
    ],
)
def test_how_soon_an_operation_is_looked_at_again(
    wish: int | None, looks: int, elapsed: int, took: float, *, under_way: int, expected: float
) -> None:
    pause = next_look(
        FIVE,
        wish=None if wish is None else seconds(wish),
        looks=looks,
        elapsed=seconds(elapsed),
        took=seconds(took),
        under_way=under_way,
    )
    assert pause == seconds(expected)


@pytest.mark.parametrize("interval", [seconds(count) for count in (5, 1, 0.5)])
@pytest.mark.parametrize("wish", [None, seconds(10)])
def test_no_operation_is_looked_at_more_often_than_azure_allows(interval: timedelta, wish: timedelta | None) -> None:
    """45 at once and 15 a minute, at its end: Compute throttling, policy Get operation."""
    elapsed, looks = NOTHING, 0
    while elapsed < timedelta(minutes=30):
        elapsed += next_look(interval, wish=wish, looks=looks, elapsed=elapsed, took=NOTHING, under_way=1)
        looks += 1
        assert looks <= 45 + 15 * (elapsed // timedelta(minutes=1))
