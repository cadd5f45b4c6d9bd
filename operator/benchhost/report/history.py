"""The hosts' history: a file of JSON lines that the mlos service appends to, one event a line.

Used by ``experiment``, ``durations`` and ``vm_hours``. It only reads. Events and keys that it does not know are of a
newer version and are left alone; a line that cannot be read is of a crash in the middle of a write, and is counted.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

DEFAULT_NAME: Final = "benchhost-history.jsonl"
"""Where the mlos service writes, in the folder that the experiment runs from."""


class HistoryError(RuntimeError):
    """The history cannot be read."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A host was ready for a trial, on this placement."""

    time: datetime
    trial: str
    uid: str
    epoch: int
    namespace: str
    name: str
    size: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A finished operation on a host."""

    time: datetime
    """When the service wrote it down, by its own clock; the other two are the cloud's."""
    uid: str
    namespace: str
    name: str
    type: str
    start: datetime
    end: datetime
    seconds: float
    result: str
    size: str | None = None

    @property
    def has_succeeded(self) -> bool:
        """Whether it did what was asked for."""
        return self.result == "Succeeded"


@dataclass(frozen=True, slots=True)
class Gone:
    """The host is gone, and so is its bill."""

    time: datetime
    uid: str
    namespace: str
    name: str


Event = Placed | Operation | Gone


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the hosts of one experiment, in the order of the file."""

    events: tuple[Event, ...] = ()
    unreadable: int = 0
    """Lines that are no JSON, or lack what their event must have."""

    @property
    def end(self) -> datetime | None:
        """The time of the last record; a host that is up then counts until then."""
        return max((_last_moment(event) for event in self.events), default=None)

    def placed(self, trial: int) -> list[Placed]:
        """The placements of a trial, in the order of the file."""
        return [event for event in self.events if isinstance(event, Placed) and event.trial == str(trial)]

    def operations(self) -> list[Operation]:
        """Each finished operation once."""
        found = [event for event in self.events if isinstance(event, Operation)]
        return list({(operation.uid, operation.type, operation.start): operation for operation in found}.values())

    def since(self, start: datetime) -> "History":
        """Without hosts never heard of after ``start``: an earlier run may have had the same experiment id."""
        alive = {event.uid for event in self.events if event.time >= start}
        return History(tuple(event for event in self.events if event.uid in alive), self.unreadable)


def read_history(path: Path, experiment: str) -> History:
    """Read what the file has on an experiment.

    Raises
    ------
    HistoryError
        If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        reason = error.strerror or error
        raise HistoryError(f"the hosts' history {path} cannot be read: {reason}; name it with --history") from error
    return parse_history(text.splitlines(), experiment)


def parse_history(lines: Iterable[str], experiment: str) -> History:
    """The events of one experiment among the lines."""
    events: list[Event] = []
    unreadable = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            event = _to_event(record) if record.get("experiment") == experiment else None
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            unreadable += 1
            continue
        if event is not None:
            events.append(event)
    return History(tuple(events), unreadable)


def _to_event(record: Mapping[str, Any]) -> Event | None:
    match record.get("event"):
        case "Placed":
            return _to_placed(record)
        case "Operation":
            return _to_operation(record)
        case "Gone":
            return Gone(_time(record["time"]), str(record["uid"]), *_names(record))
        case _:
            return None


def _to_placed(record: Mapping[str, Any]) -> Placed:
    return Placed(
        _time(record["time"]),
        str(record["trial"]),
        str(record["uid"]),
        int(record["epoch"]),
        *_names(record),
        size=_text(record.get("size")),
        zone=_text(record.get("zone")),
    )


def _to_operation(record: Mapping[str, Any]) -> Operation:
    start, end = _time(record["startTime"]), _time(record["endTime"])
    seconds = float(record.get("seconds", math.nan))
    return Operation(
        time=_time(record.get("time", record["endTime"])),
        uid=str(record["uid"]),
        namespace=_names(record)[0],
        name=_names(record)[1],
        type=str(record["type"]),
        start=start,
        end=max(start, end),
        seconds=seconds if math.isfinite(seconds) else max(0.0, (end - start).total_seconds()),
        result=str(record.get("result", "Succeeded")),
        size=_text(record.get("size")),
    )


def _names(record: Mapping[str, Any]) -> tuple[str, str]:
    return str(record.get("namespace", "")), str(record.get("name", record["uid"]))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _last_moment(event: Event) -> datetime:
    return max(event.time, event.end) if isinstance(event, Operation) else event.time
