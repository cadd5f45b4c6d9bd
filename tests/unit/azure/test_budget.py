"""Who may ask Azure now, and who comes back when. No real time passes."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchhost.azure.budget import Admission, Budget, Caller, Turn
from benchhost.azure.waiting import Flow

SUBSCRIPTION = "https://management.azure.com/subscriptions/s"
MACHINES = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"


def caller(uid: int | str, namespace: str = "bench", *, ends_bill: bool = False) -> Caller:
    return Caller(uid=f"{uid}", location="eastus", flow=Flow(namespace, ends_bill=ends_bill))


def create(budget: Budget, uid: int | str, *, now: float, namespace: str = "bench") -> Admission | Turn:
    return budget.ask("PUT", f"{MACHINES}/{uid}", caller(uid, namespace), now=now)


def settle(budget: Budget, answer: Admission | Turn, remaining: int, *, now: float) -> None:
    """The answer to a write comes at once."""
    assert isinstance(answer, Admission)
    headers = {"x-ms-ratelimit-remaining-subscription-writes": f"{remaining}"}
    budget.settle(answer, headers, now=now, pause=None)


def exhausted(now: float = 0.0) -> Budget:
    """A budget without a single write left."""
    budget = Budget()
    settle(budget, create(budget, "first", now=now), 0, now=now)
    return budget


def turn(answer: Admission | Turn) -> Turn:
    assert isinstance(answer, Turn)
    return answer


def test_what_is_there_is_given_at_once() -> None:
    budget = Budget()
    settle(budget, create(budget, 0, now=0.0), 199, now=0.1)
    given_out = [create(budget, uid, now=0.1) for uid in range(1, 250)]
    assert sum(isinstance(answer, Admission) for answer in given_out) == 199


def test_the_limit_that_is_used_up_is_named() -> None:
    assert turn(create(exhausted(), 1, now=0.0)).scarce.describe() == "subscription-writes of s"


def test_reads_go_on_when_the_writes_are_used_up() -> None:
    budget = exhausted()
    assert isinstance(create(budget, 1, now=0.0), Turn)
    assert isinstance(budget.ask("GET", f"{MACHINES}/1", caller(1), now=0.0), Admission)


def test_whoever_comes_back_is_served_before_whoever_is_new() -> None:
    budget = exhausted()
    for uid in (1, 2):
        assert isinstance(create(budget, uid, now=0.0), Turn)
    assert isinstance(create(budget, 3, now=1.21), Turn)  # two tokens, and both are waited for
    assert isinstance(create(budget, 1, now=1.21), Admission)
    assert isinstance(create(budget, 2, now=1.21), Admission)


def test_whoever_is_late_does_not_keep_the_others_waiting() -> None:
    budget = exhausted()
    for uid in (1, 2):
        create(budget, uid, now=0.0)
    assert isinstance(create(budget, 2, now=1.25), Admission)
    assert isinstance(create(budget, 1, now=1.25), Admission)


def test_a_turn_that_is_not_taken_lapses() -> None:
    budget = exhausted()
    create(budget, 1, now=0.0)
    settle(budget, create(budget, "probe", now=30.0), 1, now=30.0)
    assert isinstance(create(budget, 2, now=30.0), Admission)


def line_up(budget: Budget, uid: int | str, *, now: float) -> Turn | None:
    return budget.line_up("PUT", f"{MACHINES}/{uid}?api-version=1".upper(), caller(uid), now=now)


def test_a_turn_that_has_come_is_kept_for_a_while_and_taken_by_the_request() -> None:
    budget = exhausted()
    assert line_up(budget, 1, now=0.0) is not None
    assert line_up(budget, 1, now=1.11) is None
    assert line_up(budget, 1, now=1.11) is None
    assert isinstance(create(budget, 2, now=1.11), Turn)
    assert isinstance(create(budget, 1, now=5.0), Admission)
    assert isinstance(create(budget, 2, now=5.0), Admission)


def test_lining_up_takes_nothing() -> None:
    budget = Budget()
    settle(budget, create(budget, "first", now=0.0), 1, now=0.0)
    assert [line_up(budget, 1, now=0.1) for _ in range(50)] == [None] * 50
    assert line_up(budget, 2, now=0.1) is not None
    assert isinstance(create(budget, 1, now=0.1), Admission)


def test_a_turn_that_has_come_and_is_not_taken_lapses_too() -> None:
    budget = Budget()
    settle(budget, create(budget, "first", now=0.0), 1, now=0.0)
    assert line_up(budget, 1, now=0.1) is None
    settle(budget, create(budget, "probe", now=30.0), 1, now=30.0)
    assert isinstance(create(budget, 2, now=30.0), Admission)


def test_who_waits_for_long_comes_back_after_three_quarters_of_it_and_in_time_for_the_turn() -> None:
    budget, now = exhausted(), 0.0
    for second in range(8):  # until the pace was seen for some refills
        now = 1.2 * (second + 1)
        for left in reversed(range(12)):
            settle(budget, create(budget, f"{second}-{left}", now=now), left, now=now)
    turns = [turn(create(budget, uid, now=now)) for uid in range(300)]
    waits = [one.seconds for one in turns]
    assert waits[0] == pytest.approx(1.0, abs=0.2)
    assert waits[299] > 10
    assert waits == sorted(waits)
    for one in turns:
        back = 0.75 * one.seconds if one.seconds > 8 else max(one.seconds - 2, 0.1)
        assert one.asked_again == pytest.approx(back)


def test_an_unknown_pace_is_asked_about_every_second() -> None:
    budget = exhausted()
    assert max(turn(create(budget, uid, now=0.0)).asked_again for uid in range(300)) == 1.0


def test_one_namespaces_burst_does_not_hold_up_another_namespaces_host() -> None:
    budget = exhausted()
    for uid in range(500):
        create(budget, uid, now=0.0)
    assert isinstance(create(budget, "b", now=1.25, namespace="other"), Admission)


def test_a_refusal_closes_the_limit_that_it_names_and_no_other() -> None:
    budget = Budget()
    refused = create(budget, 1, now=0.0)
    assert isinstance(refused, Admission)
    headers = {
        "x-ms-ratelimit-remaining-subscription-writes": "150",
        "x-ms-ratelimit-remaining-resource": "Microsoft.Compute/PutVMSubscriptionMaximum;0",
    }
    budget.settle(refused, headers, now=0.1, pause=timedelta(seconds=40))
    assert turn(create(budget, 2, now=0.2)).scarce.name == "Microsoft.Compute/PutVMSubscriptionMaximum"
    interface = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/n"
    assert isinstance(budget.ask("PUT", interface, caller(3), now=0.2), Admission)
    assert isinstance(create(budget, 2, now=40.2), Admission)


def test_a_refusal_of_a_limit_that_no_header_tells_closes_that_one() -> None:
    budget = Budget()
    interface = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/n"
    refused = budget.ask("PUT", interface, caller(1), now=0.0)
    assert isinstance(refused, Admission)
    headers = {
        "x-ms-ratelimit-remaining-subscription-writes": "150",
        "x-ms-ratelimit-remaining-subscription-global-writes": "2900",
    }
    budget.settle(refused, headers, now=0.1, pause=timedelta(seconds=40))
    assert turn(budget.ask("PUT", interface, caller(1), now=0.2)).scarce.name == "Microsoft.Network/changes"
    assert isinstance(create(budget, 2, now=0.2), Admission)


def test_what_a_subscription_may_do_in_a_region_is_shared_whoever_asks() -> None:
    budget = Budget()
    for number in range(1000):
        interface = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/{number}"
        answer = budget.ask("DELETE", interface, caller(number), now=0.0, principal=f"{number % 100}")
        assert isinstance(answer, Admission)
        budget.settle(answer, {}, now=0.0, pause=None)
    late = budget.ask("PUT", interface, caller("late"), now=0.0, principal="another")
    assert turn(late).scarce.describe() == "Microsoft.Network/changes of s/eastus"


def test_at_the_front_door_every_principal_has_its_own_limit() -> None:
    budget = exhausted()
    assert isinstance(budget.ask("PUT", f"{MACHINES}/1", caller(1), now=0.0), Turn)
    assert isinstance(budget.ask("PUT", f"{MACHINES}/1", caller(1), now=0.0, principal="another"), Admission)


def test_a_single_operation_is_not_polled_more_often_than_it_may_be() -> None:
    budget = Budget()
    url = f"{SUBSCRIPTION}/providers/Microsoft.Compute/locations/eastus/operations/1?t=1"
    for _ in range(45):
        answer = budget.ask("GET", url, caller(1), now=0.0)
        assert isinstance(answer, Admission)
        budget.settle(answer, {}, now=0.0, pause=None)
    assert turn(budget.ask("GET", url, caller(1), now=0.0)).scarce.name == "Microsoft.Compute/GetOperationResource"
    assert isinstance(budget.ask("GET", url.replace("/1", "/2"), caller(2), now=0.0), Admission)


@settings(max_examples=30, deadline=None)
@given(
    hosts=st.integers(1, 120),
    lateness=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=7),
    namespaces=st.integers(1, 4),
)
def test_everybody_is_served_once_and_no_token_is_left_lying(
    hosts: int, lateness: list[float], namespaces: int
) -> None:
    """Hosts come back when they are told, some of them late; the cloud gives ten tokens a second."""
    budget, level, last = exhausted(), 0, 0.0
    due = dict.fromkeys(range(hosts), 0.0)
    while due:
        uid = min(due, key=lambda one: (due[one], one))
        now = due[uid]
        level, last = level + 10 * (int(now) - int(last)), now
        answer = create(budget, uid, now=now, namespace=f"{uid % namespaces}")
        if isinstance(answer, Turn):
            due[uid] = now + answer.asked_again + lateness[uid % len(lateness)]
            continue
        del due[uid]
        level -= 1
        assert level >= 0
        settle(budget, answer, level, now=now)
    assert last <= 1.05 * hosts / 10 + 2.5 + 2 * max(lateness)
