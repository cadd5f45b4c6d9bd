"""The controller's figures: how soon it reacts, how much it writes, what it costs when idle.

Everything is measured from outside: the emulator's access log, the API server's own counters, a watch, and ``/proc``.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from benchhost.api import BenchHost, ConditionType, HistoryEntry, is_true
from benchhost.client import BenchHostClient, Deadline
from benchhost.controller.pace import next_look
from benchmarks.figures import Figure, percentile
from benchmarks.process import cpu_seconds, resident_megabytes
from support.stack import ROOT, Kubectl, Stack, credentials_secret, running_emulator, start_controller

HOSTS = 200
_PACE = 3.0
"""Hosts created a second: a host needs one write, and ARM's bucket refills with 10 a second."""
_IDLE_SECONDS = 30.0


LEAN = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "bytecode"),
}
"""Without documentation strings, as the README says and an image does it: with bytecode that is kept."""
_IMPORTS = "import benchhost.azure, benchhost.controller.app, benchhost.cli.operator"


def compile_once() -> None:
    """Write that bytecode: who compiles the SDKs at the start keeps 200 MB of what that took."""
    subprocess.run([sys.executable, "-c", _IMPORTS], env={**os.environ, **LEAN}, check=True)


@dataclass
class ReadyWatch:
    """Notes the moment at which each host is first seen to be Ready; a watch in a thread of its own."""

    client: BenchHostClient
    count: int
    seen: dict[str, tuple[float, BenchHost]] = field(default_factory=dict)

    def start(self) -> threading.Thread:
        """Begin to watch."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        return thread

    def _watch(self) -> None:
        for event in self.client.watch(deadline=Deadline.after(300)):
            host, now = event.host, time.time()
            if is_true(host.status.conditions, ConditionType.READY):
                self.seen.setdefault(host.metadata.name, (now, host))
            if len(self.seen) == self.count:
                return


@contextmanager
def stack(kubectl: Kubectl, directory: Path, *options: str, poll_interval: float) -> Iterator[Stack]:
    """Emulator and controller over a fresh subscription."""
    log = ("--access-log", str(directory / "access.jsonl"), "--seed", "1")
    with running_emulator(directory / "cloud", *log, *options) as emulator:
        interval = ("--poll-interval", str(poll_interval), "--namespace", kubectl.namespace)
        log_file = directory / "controller.log"
        with start_controller(kubectl.kubeconfig, emulator, log_file, *interval, environment=LEAN) as controller:
            kubectl.apply(credentials_secret(emulator, kubectl.namespace))
            controller.wait_for("watching")
            yield Stack(kubectl, emulator, directory, controller)


def create_hosts(running: Stack, client: BenchHostClient, count: int) -> tuple[dict[str, float], ReadyWatch]:
    """Create hosts at a steady pace; when each was created, and when each was Ready."""
    watch = ReadyWatch(client, count)
    thread = watch.start()
    created: dict[str, float] = {}
    start = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, start + number / _PACE - time.monotonic()))
        body = running.host(f"host-{number:03d}")
        client.create(body)
        created[body["metadata"]["name"]] = time.time()
    thread.join(240)
    if thread.is_alive():
        raise RuntimeError(f"{count - len(watch.seen)} of {count} hosts did not become Ready")
    return created, watch


def first_requests(access_log: Path, names: set[str]) -> dict[str, float]:
    """When the emulator got the first request that names each host's resources."""
    first: dict[str, float] = {}
    for line in access_log.read_text().splitlines():
        entry = json.loads(line)
        match = re.search(r"/(host-\d{3})-[0-9a-f]{8}", entry["path"])
        if match and match[1] in names:
            first.setdefault(match[1], entry["time"])
    return first


def count_writes(kubectl: Kubectl) -> int:
    """Writes to BenchHosts that the API server has counted (apiserver_request_total)."""
    metrics = kubectl.run("get", "--raw", "/metrics").stdout
    pattern = r'^apiserver_request_total\{[^}]*resource="benchhosts"[^}]*verb="(?:PATCH|PUT|APPLY)"[^}]*\} (\d+)'
    return sum(int(value) for value in re.findall(pattern, metrics, re.MULTILINE))


def reaction(
    running: Stack,
    directory: Path,
    client: BenchHostClient,
    *,
    label: str,
    poll: float,
    hint: float | None,
    count: int,
) -> list[Figure]:
    """From creation to the first request, from the cloud's end to status, and the writes in between."""
    before = count_writes(running.kubectl)
    created, watch = create_hosts(running, client, count)
    writes = (count_writes(running.kubectl) - before) / count
    first = first_requests(directory / "access.jsonl", set(created))
    delays = [(first[name] - moment) * 1000 for name, moment in created.items()]
    ends = {name: host.status.history[-1] for name, (_, host) in watch.seen.items()}
    lags = [(seen - ends[name].end_time.timestamp()) * 1000 for name, (seen, _) in watch.seen.items()]
    bounds = [_until_look(entry, poll, hint) * 1000 for entry in ends.values()]
    return [
        Figure(f"CR created -> first ARM request, p50 ({label})", percentile(delays, 50), "ms", 50),
        Figure(f"CR created -> first ARM request, p99 ({label})", percentile(delays, 99), "ms", 250),
        Figure(f"cloud operation finished -> status seen, p50 ({label})", percentile(lags, 50), "ms"),
        Figure(f"cloud operation finished -> status seen, p99 ({label})", percentile(lags, 99), "ms"),
        Figure(f"  what the polling allows at best, p50 ({label})", percentile(bounds, 50), "ms"),
        Figure(f"  what the polling allows at best, p99 ({label})", percentile(bounds, 99), "ms"),
        Figure(f"Kubernetes writes per host, create to Ready ({label})", writes, "writes", 4),
    ]


def _until_look(entry: HistoryEntry, poll: float, hint: float | None) -> float:
    """Seconds from the cloud's end of an operation to the next look, if looks took no time and nothing else ran.

    ``hint`` is the wait that the cloud asks for first.
    """
    looked, looks = 0.0, 0
    while looks == 0 or looked < entry.seconds:
        pause = next_look(
            timedelta(seconds=poll),
            wish=timedelta(seconds=hint) if hint is not None else None,
            looks=looks,
            elapsed=timedelta(seconds=looked),
            under_way=1,
        )
        looked, looks = looked + pause.total_seconds(), looks + 1
    return looked - entry.seconds


def idle(running: Stack) -> list[Figure]:
    """What the controller costs while nothing happens."""
    assert running.controller is not None
    pid = running.controller.process.pid
    before = cpu_seconds(pid)
    time.sleep(_IDLE_SECONDS)
    share = (cpu_seconds(pid) - before) / _IDLE_SECONDS * 100
    return [
        Figure(f"idle controller with {HOSTS} ready hosts", share, "% of a core", 2),
        Figure(f"its memory (RSS) with {HOSTS} ready hosts", resident_megabytes(pid), "MB", 130),
    ]
