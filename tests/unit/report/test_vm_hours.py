"""What hosts are billed for, and how long operations took, from their history."""

from datetime import datetime, timedelta

import pytest

from benchhost.report.durations import to_durations
from benchhost.report.history import Event, Gone, History, Operation, Placed
from benchhost.report.vm_hours import UNKNOWN_SIZE, to_vm_hours, total_hours
from support.stored_experiment import BEGIN

SMALL, LARGE = "Standard_D2s_v5", "Standard_D8s_v5"


def did(kind: str, start: float, end: float, *, size: str | None = SMALL, result: str = "Succeeded") -> Operation:
    """An operation between two hours."""
    begin, finish = at(start), at(end)
    seconds = (finish - begin).total_seconds()
    return Operation(finish, "u", "default", "h", kind, begin, finish, seconds, result, size=size)


def placed(hour: float, size: str | None = SMALL) -> Placed:
    return Placed(at(hour), "1", "u", 1, "default", "h", size=size)


def gone(hour: float) -> Gone:
    return Gone(at(hour), "u", "default", "h")


def at(hour: float) -> datetime:
    return BEGIN + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("events", "hours"),
    [
        pytest.param([did("Provision", 0, 1), placed(1), gone(4)], {SMALL: 4.0}, id="made-used-deleted"),
        pytest.param([did("Provision", 0, 1), did("Deallocate", 2, 3), gone(9)], {SMALL: 3.0}, id="deallocated"),
        pytest.param(
            [did("Provision", 0, 1), did("Deallocate", 2, 3), did("Start", 5, 6), did("Hibernate", 7, 8), gone(9)],
            {SMALL: 6.0},
            id="started-again-and-hibernated",
        ),
        pytest.param([did("Provision", 0, 1), did("Stop", 2, 3), gone(9)], {SMALL: 9.0}, id="stopped-still-costs"),
        pytest.param(
            [did("Provision", 0, 1), did("Reallocate", 2, 3), did("Start", 4, 5), did("Delete", 5, 6), gone(7)],
            {SMALL: 5.0},
            id="moved",
        ),
        pytest.param(
            [did("Provision", 0, 1), did("Deallocate", 2, 3, result="Failed"), gone(5)],
            {SMALL: 5.0},
            id="deallocation-failed",
        ),
        pytest.param([did("Provision", 0, 1, result="Failed"), gone(9)], {SMALL: 1.0}, id="never-came"),
        pytest.param(
            [did("Provision", 0, 1, result="Failed"), did("CleanUp", 2, 3), did("Provision", 4, 5), gone(6)],
            {SMALL: 5.0},
            id="came-at-the-second-try",
        ),
        pytest.param(
            [did("Provision", 0, 1), did("Resize", 2, 3, size=LARGE), gone(5)], {SMALL: 3.0, LARGE: 2.0}, id="resized"
        ),
        pytest.param(
            [did("Provision", 0, 1), did("Resize", 2, 3, size=LARGE), did("Start", 4, 5, size=LARGE), gone(6)],
            {SMALL: 3.0, LARGE: 2.0},
            id="resized-by-way-of-other-hardware",
        ),
        pytest.param([placed(2), gone(5)], {SMALL: 3.0}, id="taken-over"),
        pytest.param([did("Provision", 0, 1, size=None), placed(1), gone(5)], {SMALL: 5.0}, id="size-told-later"),
        pytest.param([placed(0, None), gone(1)], {UNKNOWN_SIZE: 1.0}, id="size-never-told"),
        pytest.param([placed(0.9), did("Provision", 0, 1), gone(2)], {SMALL: 2.0}, id="clocks-disagree"),
        pytest.param([gone(4), placed(1), did("Provision", 0, 1)], {SMALL: 4.0}, id="in-any-order"),
        pytest.param([did("Provision", 0, 1), did("Provision", 0, 1), gone(2)], {SMALL: 2.0}, id="written-twice"),
    ],
)
def test_hours(events: list[Event], hours: dict[str, float]) -> None:
    rows = to_vm_hours(History(tuple(events)))
    assert {row.size: row.hours for row in rows} == pytest.approx(hours)
    assert not any(row.is_up for row in rows)


def test_a_host_that_is_up_counts_until_the_last_record_and_is_said_to_be_up() -> None:
    other = Placed(at(8), "2", "v", 1, "default", "other", size=LARGE)
    rows = to_vm_hours(History((did("Provision", 0, 1), other)))
    assert [(row.name, row.hours, row.is_up) for row in rows] == [("h", 8.0, True), ("other", 0.0, True)]
    assert total_hours(rows) == {SMALL: 8.0, LARGE: 0.0}


def test_nothing_is_known_of_no_hosts() -> None:
    assert to_vm_hours(History()) == []


def test_durations_by_type_with_the_main_three_always() -> None:
    found = to_durations(
        [
            did("Start", 3, 3.5),
            did("Provision", 0, 1),
            did("Provision", 5, 7),
            did("Provision", 8, 9, result="Failed"),
            did("Resize", 4, 5),
        ]
    )
    assert [(each.type, list(each.seconds), each.median, each.failed) for each in found] == [
        ("Provision", [3600, 7200], 5400, 1),
        ("Start", [1800], 1800, 0),
        ("Deallocate", [], None, 0),
        ("Resize", [3600], 3600, 0),
    ]
