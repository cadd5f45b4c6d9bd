"""Reading the hosts' history: written by another program, that may have been killed, or be newer."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchhost.report.history import Gone, HistoryError, Operation, Placed, parse_history, read_history
from support.stored_experiment import MINUTE, Ran, history, operation, start_of, write_history

HOST = {"experiment": "tuning", "namespace": "default", "name": "h", "uid": "u"}
PLACED = {
    **HOST,
    "event": "Placed",
    "time": "2026-11-25T10:00:00.123Z",
    "trial": "3",
    "epoch": 2,
    "vmId": "vm",
    "size": "Standard_D2s_v5",
    "zone": None,
    "placementSince": "2026-11-25T09:59:00Z",
}


def parsed(*records: Any) -> Any:
    return parse_history([record if isinstance(record, str) else json.dumps(record) for record in records], "tuning")


def test_what_the_service_writes_is_read() -> None:
    found = parsed(
        PLACED,
        operation(HOST, "Provision", start_of(1), MINUTE),
        {**HOST, "event": "Gone", "time": "2026-11-25T11:00:00Z"},
    )
    time = datetime(2026, 11, 25, 10, 0, 0, 123000, tzinfo=UTC)
    assert found.events == (
        Placed(time, "3", "u", 2, "default", "h", size="Standard_D2s_v5"),
        Operation(
            start_of(1) + MINUTE, "u", "default", "h", "Provision", start_of(1), start_of(1) + MINUTE, 60.0, "Succeeded",
            size="Standard_D2s_v5",
        ),
        Gone(datetime(2026, 11, 25, 11, tzinfo=UTC), "u", "default", "h"),
    )  # fmt: skip
    assert found.unreadable == 0


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"event":"Placed","time":"2026', id="torn"),
        pytest.param("[1, 2]", id="no-object"),
        pytest.param("null", id="null"),
        pytest.param(json.dumps({**PLACED, "time": "yesterday"}), id="bad-time"),
        pytest.param(json.dumps({**PLACED, "time": None}), id="no-time"),
        pytest.param(json.dumps({**PLACED, "epoch": "two"}), id="bad-epoch"),
        pytest.param(json.dumps({**HOST, "event": "Operation", "time": "2026-11-25T10:00:00Z"}), id="keys-missing"),
        pytest.param("\ufffd\ufffd", id="no-text"),
    ],
)
def test_a_line_that_cannot_be_read_costs_only_itself(line: str) -> None:
    found = parsed(PLACED, line, {**PLACED, "trial": "4"})
    assert [len(found.placed(3)), len(found.placed(4)), found.unreadable] == [1, 1, 1]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({**HOST, "event": "Renamed", "to": "x"}, id="unknown-event"),
        pytest.param({"event": "Header", "version": 2}, id="of-no-experiment"),
        pytest.param({**PLACED, "experiment": "other"}, id="of-another-experiment"),
        pytest.param("", id="blank"),
    ],
)
def test_what_is_of_others_is_left_alone(record: Any) -> None:
    found = parsed(record)
    assert (found.events, found.unreadable) == ((), 0)


def test_unknown_keys_are_ignored_and_trial_numbers_may_be_numbers() -> None:
    assert len(parsed({**PLACED, "trial": 3, "colour": "blue"}).placed(3)) == 1


def test_an_operation_that_was_written_twice_counts_once() -> None:
    first = operation(HOST, "Start", start_of(1), MINUTE)
    found = parsed(first, {**first, "time": "2026-11-25T12:00:00Z"}, {**first, "type": "Stop"}, {**first, "uid": "v"})
    assert [each.type for each in found.operations()] == ["Start", "Stop", "Start"]


def test_a_host_that_an_earlier_run_of_the_same_name_had_is_left_out() -> None:
    old = {**PLACED, "uid": "old", "time": "2025-01-01T00:00:00Z"}
    found = parsed(old, PLACED).since(datetime(2026, 1, 1, tzinfo=UTC))
    assert {event.uid for event in found.events} == {"u"}


def test_a_file_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"nowhere\.jsonl cannot be read: .*--history"):
        read_history(tmp_path / "nowhere.jsonl", "tuning")


def test_a_file_with_a_torn_end(tmp_path: Path) -> None:
    write_history(tmp_path / "h.jsonl", history([Ran(1, 1.0, 1), Ran(1, 1.0, 2)]), broken='{"event":"Gone","ti')
    found = read_history(tmp_path / "h.jsonl", "tuning")
    assert [found.placed(1)[0].epoch, found.placed(2)[0].epoch, found.unreadable] == [1, 2, 1]
