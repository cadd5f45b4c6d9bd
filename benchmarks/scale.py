"""Many hosts at once under Azure's rate limits: how long each phase of their life takes, and what it costs.

Measured from outside: a watch of the BenchHosts, the emulator's access log, the API server's own counters, ``/proc``.
"""

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchhost.api import BenchHost, ConditionType, PowerState, is_true
from benchhost.client import BenchHostClient, Deadline
from benchmarks.controller import count_writes
from benchmarks.figures import Figure
from benchmarks.process import cpu_seconds, resident_megabytes
from support.stack import Stack

_BURST, _PER_SECOND = 200, 10
"""ARM's bucket of writes, and that of deletions (learn.microsoft.com, request-limits-and-throttling)."""
_OVERHEAD = 1.1
"""How much longer than the buckets allow it may take until the last change is accepted."""
_PATIENCE = 1200.0
"""Seconds for one phase."""

_FIRST = "first"

Reached = Callable[[BenchHost | None], bool]


def is_ready(host: BenchHost | None) -> bool:
    """Whether a host can be used."""
    return host is not None and is_true(
        host.status.conditions, ConditionType.READY, generation=host.metadata.generation
    )


def is_deallocated(host: BenchHost | None) -> bool:
    """Whether a host has given its hardware back."""
    return host is not None and host.status.power_state == "Deallocated"


def is_gone(host: BenchHost | None) -> bool:
    """Whether the object has gone."""
    return host is None


@dataclass
class Progress:
    """The newest version of every host, from a watch in a thread of its own."""

    client: BenchHostClient
    hosts: dict[str, BenchHost] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, daemon=True).start()

    def wait_until(self, reached: Reached, names: Iterable[str]) -> None:
        """Wait until every host has got there."""
        missing = set(names)
        with self.changed:
            end = time.monotonic() + _PATIENCE
            while missing:
                missing = {name for name in missing if not reached(self.hosts.get(name))}
                if missing and not self.changed.wait(end - time.monotonic()):
                    raise RuntimeError(f"{len(missing)} hosts did not get there, among them {min(missing)}")

    def _watch(self) -> None:
        for event in self.client.watch(deadline=Deadline.after(4 * _PATIENCE)):
            with self.changed:
                name = event.host.metadata.name
                if event.type == "DELETED":
                    self.hosts.pop(name, None)
                else:
                    self.hosts[name] = event.host
                self.changed.notify_all()


@dataclass(frozen=True)
class Spent:
    """What was spent between two moments."""

    requests: Counter[str]
    """To the cloud, by kind."""
    last_change: float
    """When the last write or deletion came, in seconds since 1970."""
    writes: int
    """To BenchHosts."""
    cpu: float
    """Seconds of the controller."""


@dataclass
class Meter:
    """Everything that is counted, from one moment to the next."""

    running: Stack
    access_log: Path
    offset: int = 0
    writes: int = 0
    cpu: float = 0.0

    def __post_init__(self) -> None:
        self.take()

    @property
    def pid(self) -> int:
        """The controller."""
        assert self.running.controller is not None
        return self.running.controller.process.pid

    def take(self) -> Spent:
        """What was spent since the last time."""
        with self.access_log.open() as log:
            log.seek(self.offset)
            lines = [line for line in iter(log.readline, "") if line.endswith("\n")]
            self.offset += sum(len(line.encode()) for line in lines)
        entries = [entry for entry in map(json.loads, lines) if "/subscriptions/" in entry["path"].lower()]
        changes = [float(entry["time"]) for entry in entries if _kind(entry) in ("writes", "deletes")]
        writes, cpu = count_writes(self.running.kubectl), cpu_seconds(self.pid)
        spent = Spent(Counter(map(_kind, entries)), max(changes, default=0.0), writes - self.writes, cpu - self.cpu)
        self.writes, self.cpu = writes, cpu
        return spent


def _kind(entry: dict[str, object]) -> str:
    if entry["status"] == 429:  # noqa: PLR2004 - Too Many Requests
        return "429"
    method, path = str(entry["method"]), str(entry["path"])
    if method in ("GET", "HEAD"):
        return "polls" if "/operations/" in path else "reads"
    return "deletes" if method == "DELETE" else "writes"


@dataclass(frozen=True)
class Crowd:
    """Hosts that live side by side."""

    count: int
    has_names: bool = False
    """Whether ``spec.azure.name`` is given, so that each is made in three writes and not in one."""

    @property
    def words(self) -> str:
        """It in words, for the names of figures."""
        return f"{self.count} hosts" + (" of given names" if self.has_names else "")

    def azure(self, name: str) -> dict[str, str]:
        """What is asked of Azure for one of them beyond what all hosts ask for."""
        return {"name": name} if self.has_names else {}


@dataclass(frozen=True)
class Phase:
    """What is asked of every host of a crowd, and what it is afterwards."""

    name: str
    ask: Callable[[str], object]
    """Of the host of this name."""
    reached: Reached


def _phases(meter: Meter, client: BenchHostClient, crowd: Crowd) -> list[Phase]:
    def patch(power: PowerState) -> Callable[[str], object]:
        return lambda name: client.patch(name, {"spec": {"powerState": power.value}})

    create = Phase("created", lambda name: client.create(meter.running.host(name, **crowd.azure(name))), is_ready)
    delete = Phase("deleted", client.delete, is_gone)
    if crowd.has_names:
        return [create, delete]  # in between they are hosts like others
    deallocate = Phase("deallocated", patch(PowerState.DEALLOCATED), is_deallocated)
    return [create, deallocate, Phase("started", patch(PowerState.RUNNING), is_ready), delete]


def life(
    meter: Meter,
    client: BenchHostClient,
    *,
    crowd: Crowd,
    scale: float,
    told: Callable[[str], None],
) -> list[Figure]:
    """Create, deallocate, start and delete so many hosts at once; ``told`` hears how far it is.

    One host is there before and after them, so that their network is: who is first in it waits for it longer than a
    crowd waits for its turn.
    """
    names = [f"many-{number:04d}" for number in range(crowd.count)]
    progress = Progress(client)
    progress.start()
    client.create(meter.running.host(_FIRST))
    progress.wait_until(is_ready, [_FIRST])
    figures = []
    for phase in _phases(meter, client, crowd):
        label = f"{crowd.words} {phase.name}"
        meter.take()
        began = time.time()
        for name in names:
            phase.ask(name)
        progress.wait_until(phase.reached, names)
        figures += _figures(label, began, meter.take(), crowd=crowd, scale=scale)
        told(f"  {phase.name} after {time.time() - began:.0f} s")
        if phase.name == "created":
            figures.append(Figure(f"{label}: controller's memory (RSS)", resident_megabytes(meter.pid), "MB"))
    client.delete(_FIRST)
    progress.wait_until(is_gone, [_FIRST])
    return figures


def growth(runs: Mapping[int, Sequence[Figure]]) -> list[Figure]:
    """How the cost of one host grows from the smallest crowd to the largest, each named by its count."""
    few, many = min(runs), max(runs)
    before = {figure.name.removeprefix(f"{few} hosts "): figure.value for figure in runs[few]}
    after = {figure.name.removeprefix(f"{many} hosts "): figure.value for figure in runs[many]}
    return [
        Figure(f"{name}, {many} hosts against {few}", after[name] / before[name], "times")
        for name in before
        if name.endswith(("per host", "(RSS)")) and before[name] and few < many
    ]


def _figures(label: str, began: float, spent: Spent, *, crowd: Crowd, scale: float) -> list[Figure]:
    count, kinds = crowd.count, spent.requests
    figures = [
        Figure(f"{label}: wall time", time.time() - began, "s"),
        Figure(f"{label}: requests refused with 429", float(kinds["429"]), "requests", 0),
        *(
            Figure(f"{label}: ARM {kind} per host", kinds[kind] / count, "requests")
            for kind in ("writes", "deletes", "reads", "polls")
        ),
        Figure(f"{label}: Kubernetes writes per host", spent.writes / count, "writes"),
        Figure(f"{label}: controller's processor time per host", spent.cpu / count * 1000, "ms"),
    ]
    allowed = _seconds(count) * scale
    if allowed > 0 and not crowd.has_names:
        used = spent.last_change - began
        figures += [
            Figure(f"{label}: last change accepted after", used, "s"),
            Figure(f"{label}: what the buckets allow at best, at one change a host", allowed, "s"),
            Figure(f"{label}: the one by the other", used / allowed, "times", _OVERHEAD),
        ]
    return figures


def _seconds(tokens: int) -> float:
    """How long a bucket takes to give so many tokens, at Azure's own pace."""
    return max(0.0, math.ceil(tokens - _BURST) / _PER_SECOND)
