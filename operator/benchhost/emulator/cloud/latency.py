"""How long the emulated cloud takes.

Sources, with the names of the recordings in the test suites of azure-service-operator (ASO) and azure-cli (CLI),
where ``startTime`` and ``endTime`` of each operation can be read. The recordings are few: they give the shape.

- create 42.9 s (ASO-2022), <= 46 s (ASO-2026), 65 s (CLI-spot); deallocate 21.4 s (CLI-dealloc); power off 4.8 s
  and 5.9 s (CLI-gen, CLI-stop); start of a stopped machine 2.9 s (CLI-stop); update PUT that attaches a disk 8.7 s
  (CLI-dealloc); resize 0.5 s (CLI-2025); redeploy still running after 61 s (CLI-2025).
- HTTP itself (ASO-2026): machine PUT 3.56 s for a create and 0.95 s for an update, NIC PUT 0.75 s, GETs 0.32 s to
  0.87 s.
- A simulated eviction happened within 3 minutes (CLI-spot); its median is assumed.
- What a template deployment adds to the times of its resources is assumed: between a PUT and its first resource, and
  between the end of a resource and what waits for it, half a second each.
- Nobody recorded hibernation, delete, restart, start of a deallocated machine, resize of a running one, the writes of
  Microsoft.Network or those of dedicated hosts and capacity reservations to their end: those medians are this
  project's assumption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.operations import OperationKind

if TYPE_CHECKING:
    import random

Z_95 = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""


class LatencyMode(StrEnum):
    """Where durations come from."""

    RECORDED = "recorded"
    NONE = "none"


class AnswerKind(StrEnum):
    """Requests whose answer takes Azure a different time."""

    READ = "read"
    WRITE = "write"
    CREATE_MACHINE = "createMachine"
    TOKEN = "token"  # noqa: S105 - the name of an endpoint, no secret


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A lognormal distribution of seconds, by what people read off a chart.

    Parameters
    ----------
    median, p95
        Seconds.
    """

    median: float
    p95: float

    def draw(self, source: random.Random) -> float:
        """Return one duration in seconds."""
        sigma = math.log(self.p95 / self.median) / Z_95
        return source.lognormvariate(math.log(self.median), sigma)


RECORDED_OPERATIONS: dict[OperationKind, Lognormal] = {
    OperationKind.CREATE_MACHINE: Lognormal(45.0, 80.0),
    OperationKind.UPDATE_MACHINE: Lognormal(1.0, 9.0),
    OperationKind.RESIZE_MACHINE: Lognormal(0.5, 2.0),
    OperationKind.RESIZE_RUNNING_MACHINE: Lognormal(20.0, 45.0),
    OperationKind.DELETE_MACHINE: Lognormal(40.0, 60.0),
    OperationKind.START_STOPPED: Lognormal(3.0, 5.0),
    OperationKind.START_DEALLOCATED: Lognormal(32.0, 40.0),
    OperationKind.POWER_OFF: Lognormal(5.0, 8.0),
    OperationKind.RESTART: Lognormal(7.0, 10.0),
    OperationKind.DEALLOCATE: Lognormal(20.0, 40.0),
    OperationKind.HIBERNATE: Lognormal(60.0, 150.0),
    OperationKind.REDEPLOY: Lognormal(90.0, 150.0),
    OperationKind.REAPPLY: Lognormal(8.0, 20.0),
    OperationKind.NO_CHANGE: Lognormal(0.3, 0.6),
    OperationKind.WRITE_DISK: Lognormal(1.5, 4.0),
    OperationKind.DELETE_DISK: Lognormal(1.5, 4.0),
    OperationKind.WRITE_NETWORK: Lognormal(2.5, 5.0),
    OperationKind.DELETE_NETWORK: Lognormal(8.0, 12.0),
    OperationKind.DELETE_GROUP: Lognormal(15.0, 30.0),
    OperationKind.WRITE_PLACEMENT: Lognormal(20.0, 40.0),
    OperationKind.DELETE_PLACEMENT: Lognormal(10.0, 20.0),
    OperationKind.EVICT_MACHINE: Lognormal(60.0, 150.0),
    OperationKind.DEPLOYMENT_STEP: Lognormal(0.5, 1.0),
}

RECORDED_ANSWERS: dict[AnswerKind, Lognormal] = {
    AnswerKind.READ: Lognormal(0.4, 0.87),
    AnswerKind.WRITE: Lognormal(0.8, 1.2),
    AnswerKind.CREATE_MACHINE: Lognormal(3.56, 5.0),
    AnswerKind.TOKEN: Lognormal(0.2, 0.4),
}


class LatencyModel:
    """Draws durations.

    Parameters
    ----------
    mode
        ``NONE`` makes every duration zero.
    time_scale
        Multiplies every duration and every hint of how long to wait.
    source
        Where randomness comes from; a seeded one repeats itself.
    """

    unsaved = ("_factor",)
    """A setting of each run (state.cells)."""

    def __init__(self, mode: LatencyMode, time_scale: float, source: random.Random) -> None:
        self._factor = 0.0 if mode is LatencyMode.NONE else time_scale
        self._source = source

    @property
    def factor(self) -> float:
        """What a recorded duration is multiplied by; 0 without latency."""
        return self._factor

    def operation(self, kind: OperationKind) -> float:
        """Return how many seconds an operation takes."""
        return self._scaled(RECORDED_OPERATIONS[kind])

    def answer(self, kind: AnswerKind) -> float:
        """Return how many seconds an HTTP answer takes."""
        return self._scaled(RECORDED_ANSWERS[kind])

    def _scaled(self, distribution: Lognormal) -> float:
        if self._factor == 0.0:
            return 0.0
        return self._factor * distribution.draw(self._source)
