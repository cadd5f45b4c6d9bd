from datetime import timedelta

import pytest

from benchhost.controller.pace import next_look

FIVE = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("wish", "looks", "elapsed", "under_way", "seconds"),
    [
        pytest.param(10, 0, 0, 1, 10, id="the-clouds-wish-counts-for-the-first-look"),
        pytest.param(None, 0, 0, 1, 1, id="without-a-wish-the-first-look-is-soon"),
        pytest.param(35, 1, 10, 1, 1, id="a-later-wish-does-not-while-few-are-under-way"),
        pytest.param(None, 35, 60, 1, 1, id="every-second-as-long-as-there-are-tokens"),
        pytest.param(None, 60, 70, 1, 6, id="then-as-often-as-tokens-come"),
        pytest.param(None, 5, 15, 12, 1, id="a-dozen-is-few"),
        pytest.param(None, 5, 15, 24, 2, id="more-of-them-share-what-arm-allows"),
        pytest.param(35, 5, 15, 33, 35, id="in-a-crowd-the-clouds-wish-counts"),
        pytest.param(None, 5, 15, 500, 5, id="in-a-crowd-the-interval-counts"),
    ],
)
def test_how_soon_an_operation_is_looked_at_again(
    wish: int | None, looks: int, elapsed: int, *, under_way: int, seconds: int
) -> None:
    pause = next_look(
        FIVE,
        wish=None if wish is None else timedelta(seconds=wish),
        looks=looks,
        elapsed=timedelta(seconds=elapsed),
        under_way=under_way,
    )
    assert pause == timedelta(seconds=seconds)


@pytest.mark.parametrize("interval", [timedelta(seconds=5), timedelta(seconds=0.5)])
@pytest.mark.parametrize("wish", [None, timedelta(seconds=10)])
def test_no_operation_is_looked_at_more_often_than_azure_allows(interval: timedelta, wish: timedelta | None) -> None:
    """45 at once and 15 a minute, at its end: Compute throttling, policy Get operation."""
    elapsed, looks = timedelta(0), 0
    while elapsed < timedelta(minutes=30):
        elapsed += next_look(interval, wish=wish, looks=looks, elapsed=elapsed, under_way=1)
        looks += 1
        assert looks <= 45 + 15 * (elapsed // timedelta(minutes=1))
