"""What became of the hosts, kept in a file beside the results: which trial ran on which hardware, and what took long.

Used by ``session``; read by ``benchhost report``, and for expected durations. One JSON object a line, appended whole,
so that several services and processes may share the file. Trouble with the file never fails a trial.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchhost.api import BenchHost, OperationResult, OperationType
from benchhost.api.model import to_timestamp
from benchhost.mlos.calls import HostCall

_LOG = logging.getLogger(__name__)

_RECENT: Final = 50
"""How many of the last operations of a kind say how long the next one takes."""


class HostHistory:
    """Appends to the file, each thing once.

    Parameters
    ----------
    path
        The file; None keeps no history.
    experiment
        mlos_bench's experiment id, if there is one.
    """

    def __init__(self, path: str | None, *, experiment: str | None) -> None:
        self._path = None if path is None else Path(path).expanduser().absolute()
        self._experiment = experiment
        self._told: set[tuple[str, ...]] = set()
        self._is_troubled = False

    def note_placement(self, call: HostCall, host: BenchHost) -> None:
        """The host was ready for this trial, on this hardware."""
        place = host.status.placement
        if place is None or not self._is_new(host.metadata.uid, "Placed", str(call.trial), str(place.epoch)):
            return
        self._append(
            "Placed", host,
            trial=call.trial, epoch=place.epoch, vmId=place.vm_id, size=host.status.size, zone=host.status.zone,
            placementSince=to_timestamp(place.since) if place.since else None,
        )  # fmt: skip

    def note_operations(self, host: BenchHost) -> None:
        """Every finished operation that the host tells of."""
        for entry in host.status.history:
            if self._is_new(host.metadata.uid, entry.type, entry.start_time.isoformat()):
                self._append("Operation", host, size=host.status.size, **entry.to_dict())

    def note_gone(self, call: HostCall) -> None:
        """The host is gone."""
        if call.seen is not None and self._is_new(call.seen.metadata.uid, "Gone"):
            self._append("Gone", call.seen)

    def get_expected_seconds(self, kind: OperationType, size: str | None) -> float | None:
        """How long such an operation has taken: the median of the last ones, of this size if there are any."""
        done = [
            (str(record.get("size")), float(record["seconds"]))
            for record in self._read()
            if record.get("type") == kind and record.get("result") == OperationResult.SUCCEEDED and "seconds" in record
        ]
        of_size = [seconds for its_size, seconds in done if its_size == size]
        recent = (of_size or [seconds for _, seconds in done])[-_RECENT:]
        return median(recent) if recent else None

    def _is_new(self, *key: str) -> bool:
        if self._path is None or key in self._told:
            return False
        self._told.add(key)
        return True

    def _append(self, event: str, host: BenchHost, **more: Any) -> None:
        meta = host.metadata
        record = {
            "event": event,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "experiment": self._experiment,
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
            **more,
        }
        try:
            self._write(json.dumps(record) + "\n")
        except OSError as error:
            if not self._is_troubled:
                _LOG.warning("The hosts' history %s is not written: %s", self._path, error.strerror or error)
            self._is_troubled = True

    def _write(self, line: str) -> None:
        """One write of the operating system, which appends it whole even when others write too."""
        if self._path is None:
            return
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def _read(self) -> Iterator[Mapping[str, Any]]:
        try:
            lines = [] if self._path is None else self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:  # the last line of a program that was killed
                continue
            if isinstance(record, dict):
                yield record
