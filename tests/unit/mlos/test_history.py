import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchhost.api import OperationType
from benchhost.mlos.calls import HostCall, HostOperation
from benchhost.mlos.history import HostHistory
from support.builders import EARLIER, LATER, NOW, OWNER, UID, host

CALL = HostCall(
    operation=HostOperation.PROVISION, namespace=OWNER.namespace, name=OWNER.name, uid=UID, started=NOW, trial="3"
)


def entry(kind: str, seconds: float = 60, *, start: Any = EARLIER, result: str = "Succeeded") -> dict[str, Any]:
    times = {"startTime": start.isoformat(), "endTime": LATER.isoformat()}
    return {"type": kind, **times, "seconds": seconds, "result": result, "epoch": 2}


def seen(*entries: dict[str, Any], size: str = "Standard_D2s_v5") -> Any:
    place = {"epoch": 2, "since": EARLIER.isoformat(), "vmId": "vm-2"}
    return host(status={"size": size, "placement": place, "history": list(entries)})


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_each_thing_is_told_once(tmp_path: Path) -> None:
    history = HostHistory(str(tmp_path / "h.jsonl"), experiment="exp")
    for _ in range(2):
        history.note_placement(CALL, seen())
        history.note_operations(seen(entry("Provision")))
        history.note_operations(seen(entry("Provision"), entry("Start", 20, start=NOW)))
    history.note_gone(CALL)
    records = read(tmp_path / "h.jsonl")
    assert [(record["event"], record.get("type"), record.get("trial")) for record in records] == [
        ("Placed", None, "3"),
        ("Operation", "Provision", None),
        ("Operation", "Start", None),
    ]
    assert records[0] | {"time": ""} == {
        "event": "Placed", "time": "", "experiment": "exp", "namespace": "bench", "name": "pg-1", "uid": UID,
        "trial": "3", "epoch": 2, "vmId": "vm-2", "size": "Standard_D2s_v5", "zone": None,
        "placementSince": "2026-03-01T11:00:00Z",
    }  # fmt: skip
    assert (records[1]["seconds"], records[1]["result"], records[1]["epoch"]) == (60, "Succeeded", 2)


def test_a_host_that_is_gone_is_told_of(tmp_path: Path) -> None:
    history = HostHistory(str(tmp_path / "h.jsonl"), experiment=None)
    history.note_gone(replace(CALL, seen=seen()))
    assert [(record["event"], record["uid"]) for record in read(tmp_path / "h.jsonl")] == [("Gone", UID)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        pytest.param("Standard_D2s_v5", 65, id="the-median-of-this-size"),
        pytest.param("Standard_D64s_v5", 70, id="of-any-size-where-this-one-is-new"),
        pytest.param(None, 70, id="of-any-size-where-none-is-known"),
    ],
)
def test_how_long_it_usually_takes(tmp_path: Path, size: str | None, expected: float) -> None:
    history = HostHistory(str(tmp_path / "h.jsonl"), experiment="exp")
    history.note_operations(seen(entry("Provision", 60), entry("Provision", 70, start=NOW)))
    history.note_operations(seen(entry("Provision", 600, start=LATER, result="Failed")))
    other = host(
        metadata={"uid": "other"}, status=seen(entry("Provision", 300), size="Standard_D8s_v5").status.to_dict()
    )
    history.note_operations(other)
    with (tmp_path / "h.jsonl").open("a") as file:
        file.write('{"event": "Oper')
    assert history.get_expected_seconds(OperationType.PROVISION, size) == expected
    assert history.get_expected_seconds(OperationType.STOP, size) is None


def test_a_file_that_cannot_be_written_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    history = HostHistory(str(tmp_path / "absent" / "h.jsonl"), experiment="exp")
    history.note_placement(CALL, seen())
    history.note_operations(seen(entry("Provision")))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "No such file" in caplog.text


def test_no_file_no_history() -> None:
    history = HostHistory(None, experiment="exp")
    history.note_placement(CALL, seen())
    assert history.get_expected_seconds(OperationType.PROVISION, None) is None
