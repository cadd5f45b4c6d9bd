"""Token buckets, to the token and to the second."""

from __future__ import annotations

import pytest

from benchhost.emulator.limits.buckets import SWEEP_AT, Buckets, BucketSize
from benchhost.emulator.limits.policies import compute_policy, documented_limits

UPDATE = "Microsoft.Compute/UpdateVMResource"
KEY = (UPDATE, "vm")
START = 1_800_000_000.0


def _buckets(factor: float = 1.0) -> Buckets:
    return Buckets(documented_limits(), factor)


def _ask(buckets: Buckets, now: float, times: int = 1) -> int:
    """Return how many of so many requests were refused."""
    return sum(buckets.take([KEY], now, enforce=True).empty is not None for _ in range(times))


def test_the_worked_example_of_azures_document() -> None:
    """``compute-throttling-limits.md``: requests, refusals and the rest in each of six minutes, 12 tokens, 4 a minute."""
    buckets = _buckets()
    buckets.take([KEY], START - 600, enforce=True)  # somebody was there before, so that minutes are counted
    seen = []
    for minute, requests in enumerate((0, 8, 0, 13, 5, 0)):
        now = START + 60 * minute
        begins = buckets.level(KEY, now)
        refused = _ask(buckets, now + 30, requests)
        seen.append((begins, requests, refused, buckets.level(KEY, now + 59.999)))
    # The document lets 8 tokens of the third minute become 12 at the fourth, and 4 of the sixth stay.
    assert seen == [(12, 0, 0, 12), (12, 8, 0, 4), (8, 0, 0, 8), (12, 13, 1, 0), (4, 5, 1, 0), (4, 0, 0, 4)]


@pytest.mark.parametrize(
    ("factor", "after", "level"),
    [
        pytest.param(1.0, 59.9, 0, id="nothing-within-the-minute"),
        pytest.param(1.0, 60.0, 4, id="four-at-its-end"),
        pytest.param(1.0, 119.9, 4, id="no-more-until-the-next"),
        pytest.param(1.0, 120.0, 8, id="four-again"),
        pytest.param(1.0, 1e6, 12, id="never-more-than-full"),
        pytest.param(0.1, 5.9, 0, id="ten-times-as-fast-not-yet"),
        pytest.param(0.1, 6.0, 4, id="ten-times-as-fast"),
        pytest.param(0.0, 0.0, 12, id="no-latency-always-full"),
    ],
)
def test_refills_come_in_steps_on_the_emulated_clock(factor: float, after: float, level: int) -> None:
    buckets = _buckets(factor)
    _ask(buckets, START, 12)
    assert buckets.level(KEY, START + after) == level


@pytest.mark.parametrize(
    ("factor", "asked_at", "wait"), [(1.0, 0.0, 60.0), (1.0, 45.5, 14.5), (0.1, 2.0, 4.0), (0.01, 0.0, 0.6)]
)
def test_a_refusal_says_how_long_until_the_next_refill(factor: float, asked_at: float, wait: float) -> None:
    buckets = _buckets(factor)
    _ask(buckets, START, 12)
    empty = buckets.take([KEY], START + asked_at, enforce=True).empty
    assert empty is not None
    assert empty.wait == pytest.approx(wait, abs=1e-6)
    assert (empty.limit, empty.measured) == (UPDATE, 13)
    assert buckets.take([KEY], START + asked_at + empty.wait, enforce=True).empty is None


def test_what_is_left_is_told_even_where_every_bucket_is_always_full() -> None:
    buckets = _buckets(factor=0.0)
    assert [buckets.take([KEY], START, enforce=True).levels for _ in range(20)] == [[11]] * 20


def test_a_request_takes_from_every_bucket_or_from_none() -> None:
    buckets = _buckets()
    region = ("Microsoft.Compute/UpdateVMSubscriptionMaximum", "eastus")
    for _ in range(20):
        buckets.take([region, KEY], START, enforce=True)
    assert buckets.level(KEY, START) == 0
    assert buckets.level(region, START) == 1500 - 12


def test_of_two_empty_buckets_the_one_that_opens_last_is_told() -> None:
    buckets = _buckets()
    other = ("subscription-reads", "somebody")
    buckets.take([KEY, other], START, enforce=True)
    buckets.fill(UPDATE, 0, START)
    buckets.fill("subscription-reads", 0, START)
    empty = buckets.take([other, KEY], START, enforce=True).empty
    assert empty is not None
    assert (empty.limit, empty.wait) == (UPDATE, 60.0)


def test_counting_without_enforcing_never_refuses_and_never_goes_below_nothing() -> None:
    buckets = _buckets()
    assert all(buckets.take([KEY], START, enforce=False).empty is None for _ in range(30))
    assert buckets.level(KEY, START) == 0


def test_buckets_of_machines_that_nobody_asks_about_are_forgotten() -> None:
    buckets = _buckets()
    for number in range(10 * SWEEP_AT):
        buckets.take([(UPDATE, f"vm{number}")], START + number, enforce=True)
    assert len(buckets) <= SWEEP_AT
    assert buckets.level((UPDATE, f"vm{10 * SWEEP_AT - 1}"), START + 10 * SWEEP_AT - 1) == 11


def test_a_bucket_that_is_not_full_is_never_forgotten() -> None:
    buckets = _buckets()
    for number in range(3 * SWEEP_AT):
        buckets.take([(UPDATE, f"vm{number}")], START, enforce=True)
    assert len(buckets) == 3 * SWEEP_AT
    assert {buckets.level((UPDATE, f"vm{number}"), START) for number in range(3 * SWEEP_AT)} == {11}


def test_a_smaller_size_takes_what_does_not_fit_and_a_larger_one_gives_nothing() -> None:
    buckets = _buckets()
    _ask(buckets, START, 2)
    buckets.resize(UPDATE, BucketSize(3, 1, 10.0), START)
    assert buckets.level(KEY, START) == 3
    assert buckets.level((UPDATE, "another"), START) == 3
    _ask(buckets, START, 1)
    buckets.resize(UPDATE, BucketSize(100, 1, 10.0), START)
    assert buckets.level(KEY, START) == 2
    assert buckets.level(KEY, START + 10) == 3


def test_an_emptied_bucket_stays_empty_for_a_whole_period() -> None:
    buckets = _buckets()
    _ask(buckets, START, 1)
    buckets.fill(UPDATE, 0, START + 59)
    assert buckets.level(KEY, START + 118.9) == 0
    assert buckets.level(KEY, START + 119) == 4
    buckets.fill(UPDATE, 0, START + 120, scope="never-seen")
    assert list(buckets.levels(START + 120)) == [(*KEY, 4), (UPDATE, "never-seen", 0)]


MACHINE = "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*"


@pytest.mark.parametrize(
    ("method", "shape", "policy"),
    [
        ("PUT", MACHINE, "PutVM"),
        ("PATCH", MACHINE, "UpdateVM"),
        ("DELETE", MACHINE, "DeleteVM"),
        ("GET", MACHINE, "LowCostGet"),
        ("GET", f"{MACHINE}/instanceview", "LowCostGet"),
        ("POST", f"{MACHINE}/start", "UpdateVM"),
        ("POST", f"{MACHINE}/deallocate", "DeleteVM"),
        ("POST", f"{MACHINE}/simulateeviction", "DeleteVM"),
        ("PUT", f"{MACHINE}/extensions/*", "UpdateVM"),
        ("DELETE", f"{MACHINE}/extensions/*", "UpdateVM"),
        ("GET", MACHINE.removesuffix("/*"), "HighCostGet"),
        ("GET", "subscriptions/*/providers/microsoft.compute/virtualmachines", "HighCostGet"),
        ("GET", "subscriptions/*/providers/microsoft.compute/locations/*/virtualmachines", "HighCostGet"),
        ("GET", "subscriptions/*/providers/microsoft.compute/locations/*/operations/*", "GetOperation"),
        ("GET", "subscriptions/*/resourcegroups/*/providers/microsoft.compute/disks/*", None),
    ],
)
def test_policies_of_the_document(method: str, shape: str, policy: str | None) -> None:
    assert compute_policy(method, shape) == policy
