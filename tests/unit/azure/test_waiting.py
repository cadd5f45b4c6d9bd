"""Whose turn is next when many wait."""

from hypothesis import given
from hypothesis import strategies as st

from benchhost.azure.waiting import Flow, WaitingLine

ALICE, BOB = Flow("alice"), Flow("bob")
names = st.lists(st.tuples(st.sampled_from(["alice", "bob", "carol"]), st.booleans()), max_size=40)


def line(*entries: tuple[str, Flow]) -> WaitingLine:
    made = WaitingLine()
    for name, flow in entries:
        made.join(name, flow)
    return made


def served(waiting: WaitingLine, entries: list[str]) -> list[str]:
    """Everybody in the order in which they are served."""
    order, left = [], list(entries)
    while left:
        first = next(name for name in left if waiting.ahead_of(name) == 0)
        waiting.leave(first, served=True)
        left.remove(first)
        order.append(first)
    return order


def test_whoever_came_first_is_served_first() -> None:
    assert served(line(*[(name, ALICE) for name in "abc"]), list("cba")) == ["a", "b", "c"]


def test_a_single_host_is_not_behind_another_namespaces_burst() -> None:
    waiting = line(*[(f"a{number}", ALICE) for number in range(100)])
    for number in range(10):
        waiting.leave(f"a{number}", served=True)
    waiting.join("b", BOB)
    assert waiting.ahead_of("b") == 1


def test_what_ends_a_bill_goes_before_creations_without_stopping_them() -> None:
    ends = [(f"end{number}", Flow("alice", ends_bill=True)) for number in range(8)]
    creates = [(f"create{number}", ALICE) for number in range(8)]
    order = served(line(*creates, *ends), [name for name, _ in [*creates, *ends]])
    assert [name[:3] for name in order[:10]].count("end") == 8
    assert [name[:3] for name in order[:5]].count("cre") == 1


def test_asking_again_does_not_cost_the_place() -> None:
    waiting = line(("a", ALICE), ("b", ALICE))
    waiting.join("a", ALICE)
    assert (waiting.ahead_of("a"), waiting.ahead_of("b"), len(waiting)) == (0, 1, 2)


def test_who_gave_up_holds_nobody_up() -> None:
    waiting = line(("a", ALICE), ("b", ALICE))
    waiting.leave("a", served=False)
    waiting.leave("a", served=False)
    assert waiting.ahead_of("b") == 0


@given(entries=names)
def test_nobody_is_lost_and_each_flow_keeps_its_order(entries: list[tuple[str, bool]]) -> None:
    flows = {f"{number}": Flow(*entry) for number, entry in enumerate(entries)}
    order = served(line(*flows.items()), list(flows))
    assert sorted(order) == sorted(flows)
    for flow in set(flows.values()):
        mine = [name for name in order if flows[name] == flow]
        assert mine == sorted(mine, key=int)
