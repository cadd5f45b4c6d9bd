"""From ``provision_host`` to the return of ``wait_host_deployment``: BenchHost against mlos_bench's AzureVMService.

Both are driven by mlos_bench's own HostEnv, at the same emulator in the same run, a few hosts at a time under names of
their own, beside one host that is up already. Definitions, the same for both:

- the cloud's own time: from the arrival of the first write that makes a host, by the emulator's access log, to the end
  of the last operation that it needed, by the cloud's own answer: the machine's creation, or the template deployment;
- overhead: what HostEnv.setup took longer than that. Means are compared: most hosts end at about the same time after
  their start, and a median says where between two looks that happens to be;
- requests: all that came to Azure Resource Manager meanwhile, those for tokens and the bench's own taken off;
- left behind: resources in the group after the last teardown that were not there before the first setup;
- a trial is lost when HostEnv.setup does not return True.
"""

import json
import logging
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from mlos_bench.environments.remote import HostEnv

from benchmarks.contenders import PEER_POLLS, Azure, Contender, Ours, Peer
from benchmarks.figures import Figure, percentile
from support import peer
from support.stack import BENCHHOST, Stack

HOSTS = 20
TRIALS = 100
SCALE, AZURES_OWN, FAULTY_SCALE = 0.1, 1.0, 0.01
"""Of Azure's recorded times: of the comparison, of the same at Azure's own pace, and of the trials in a cloud that
fails, which would take an hour."""
FAULT_RATE = 0.02
AT_ONCE, AZURES_OWN_AT_ONCE = 4, 12
"""Hosts side by side where times are measured: few where the cloud is fast, as all share the cores of one machine."""
_APART = 0.5
"""Seconds between the first of them where times are measured: what many at the same instant cost is told by ``scale``,
and here they would wait for the bench's own processor time."""
_FEWER = 0.2
"""Ours has to be at least five times smaller."""

_SETTLE_SECONDS = 60.0
"""How long the controller may take to delete what a teardown did not wait for."""

FAULTS: tuple[tuple[str, ...], ...] = (
    ("--refuse", "429", "--header", "Retry-After=1", "--rate", str(FAULT_RATE)),
    ("--refuse", "500", "--rate", str(FAULT_RATE)),
    ("--refuse", "503", "--rate", str(FAULT_RATE)),
    ("--cut", "--rate", str(FAULT_RATE / 2)),
    ("--lose-answer", "--rate", str(FAULT_RATE / 2)),
)
"""Each of the four kinds strikes 2 % of all requests; half of the cut connections are cut after the request was carried
out. As Azure's do, 429 says how long to wait, and 500 and 503 do not."""


@dataclass
class Trial:
    """One host's life."""

    name: str
    began: float = 0.0
    returned: float = 0.0
    """Of HostEnv.setup, in seconds since 1970."""
    is_up: bool = False
    end: float | None = None
    """When the cloud was done, in seconds since 1970."""
    problem: str = ""

    @property
    def seconds(self) -> float:
        """What HostEnv.setup took."""
        return self.returned - self.began


@dataclass
class Run:
    """All hosts of one contender."""

    contender: Contender
    trials: list[Trial]
    requests: int
    left: list[str]
    took: float
    """Seconds from the first setup to the last teardown."""
    first_writes: dict[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> list[Trial]:
        """Trials that had no host."""
        return [trial for trial in self.trials if not trial.is_up]

    def before(self) -> list[float]:
        """Of each host that came up: seconds until the first write reached the cloud."""
        return [self.first_writes[trial.name] - trial.began for trial in self.trials if trial.end is not None]

    def after(self) -> list[float]:
        """Of each host that came up: seconds from the cloud's end to the return."""
        return [trial.returned - trial.end for trial in self.trials if trial.end is not None]

    def overheads(self) -> list[float]:
        """Of each host that came up: both together."""
        return [one + other for one, other in zip(self.before(), self.after(), strict=True)]


@dataclass
class Course:
    """One emulator and the controller before it, and who runs there."""

    running: Stack
    azure: Azure
    access_log: Path

    @classmethod
    def over(cls, running: Stack, access_log: Path) -> "Course":
        """On a stack that runs."""
        emulator = running.emulator
        return cls(running, Azure(emulator, peer.EmulatorTokens(emulator.connection)), access_log)

    def run(self, contender: Contender, count: int, *, prefix: str, at_once: int, is_faulty: bool = False) -> Run:
        """Lead so many hosts through their life, a few at a time; where requests fail no times are measured."""
        before, offset = self.azure.resources(contender.group), self.access_log.stat().st_size
        first_writes: dict[str, float] = {}
        names = [f"{prefix}-{number:03d}" for number in range(count)]

        def live(number: int, name: str, environment: HostEnv) -> Trial:
            trial = Trial(name)
            if not is_faulty and number < at_once:
                time.sleep(number * _APART)  # when it begins is what is set here; nothing is waited for
            self._set_up(trial, lambda: peer.run_setup(environment))
            if not is_faulty and trial.is_up:
                first_writes.update(self._first_write(contender, name, offset))
                trial.end = contender.ended(self.azure, name)
            self._attempt(trial, environment.teardown)
            return trial

        with ExitStack() as stack:
            # mlos_bench checks each against its schemas before it sets up the first: that is nobody's time.
            entered = [stack.enter_context(peer.host_environment(contender.service(), name)) for name in names]
            if is_faulty:
                self._fail()  # what the bench itself asked has been answered
            began = time.monotonic()
            threads = ThreadPoolExecutor(at_once)
            try:
                trials = list(threads.map(live, range(count), names, entered))
            finally:
                threads.shutdown(cancel_futures=True)  # whoever interrupts this waits for those under way only
            took = time.monotonic() - began
        self._clear_faults()
        asked = sum(trial.end is not None for trial in trials)
        requests = len(self._entries(offset)) - asked
        left = self._left(contender, set(before))
        return Run(contender, trials, requests, left, took, first_writes)

    @contextmanager
    def first(self, contender: Contender) -> Iterator[None]:
        """Have one host up already: whoever comes first opens connections and asks for tokens."""
        with peer.host_environment(contender.service(), "first") as environment:
            if not peer.run_setup(environment):
                raise RuntimeError(f"The first host of {contender.label} did not come up.")
            try:
                yield
            finally:
                environment.teardown()

    def _fail(self) -> None:
        """Let requests fail from now on."""
        for fault in FAULTS:
            self._command("add", *fault)

    def _clear_faults(self) -> None:
        self._command("clear")

    def _command(self, verb: str, *options: str) -> None:
        folder = ("--directory", str(self.running.emulator.directory))
        argv = [*BENCHHOST, "emulator", "faults", verb, *options, *folder]
        subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)

    def _left(self, contender: Contender, before: set[str]) -> list[str]:
        """What is there too much; deletions that are under way are waited for."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        left: list[str] = []
        while time.monotonic() < deadline:
            now = sorted(set(self.azure.resources(contender.group)) - before)
            if not now or (isinstance(contender, Peer) and now == left):
                return now  # nothing of the peer's deletes anything
            left = now
            time.sleep(1)
        return left

    def _entries(self, offset: int) -> list[dict[str, object]]:
        with self.access_log.open() as log:
            log.seek(offset)
            entries = [json.loads(line) for line in log.read().splitlines() if line.endswith("}")]
        return [entry for entry in entries if entry["path"].lower().startswith("/subscriptions/")]

    def _first_write(self, contender: Contender, name: str, offset: int) -> dict[str, float]:
        for entry in self._entries(offset):
            if entry["method"] == "PUT" and contender.is_first_write(str(entry["path"]), name):
                return {name: float(str(entry["time"]))}
        raise RuntimeError(f"No write for {name} came to the cloud.")

    @staticmethod
    def _set_up(trial: Trial, setup: Callable[[], bool]) -> None:
        trial.began = time.time()
        try:
            trial.is_up = setup()
        except Exception as error:  # noqa: BLE001 - it would end the whole run of mlos_bench
            trial.problem = type(error).__name__
        trial.returned = time.time()

    @staticmethod
    def _attempt(trial: Trial, teardown: Callable[[], None]) -> None:
        try:
            teardown()
        except Exception as error:  # noqa: BLE001 - as above
            trial.problem = trial.problem or type(error).__name__


def compare(
    running: Stack, access_log: Path, *, hosts: int, at_once: int, scale: float, told: Callable[[str], None]
) -> list[Figure]:
    """Overhead, requests and what is left, in a cloud in which nothing fails.

    Only the cloud is faster than Azure: how often anybody looks at it is not scaled, for ours nor for the peer's.
    """
    course, emulator = Course.over(running, access_log), running.emulator
    _be_quiet()
    with peer.pointed_at(emulator.connection):
        ours = Ours(running)
        peers = [Peer(emulator, poll, f"AzureVMService, a look in {poll:g} s", f"peer-{poll:g}") for poll in PEER_POLLS]
        runs = []
        for contender in (ours, *peers):
            contender.prepare(course.azure)
            with course.first(contender):
                runs.append(course.run(contender, hosts, prefix="host", at_once=at_once))
            told(f"  {contender.label}: {_told(runs[-1])}")
    return [figure for run in runs for figure in _figures(run, scale)] + [
        Figure(
            f"provisioning at {scale:g}: mean overhead, BenchHost against {run.contender.label}",
            fmean(runs[0].overheads()) / fmean(run.overheads()),
            "times",
            _FEWER if run is runs[1] else None,
        )
        for run in runs[1:]
    ]


def endure(running: Stack, access_log: Path, *, trials: int, told: Callable[[str], None]) -> list[Figure]:
    """Trials lost, and what is left, in a cloud that fails again and again."""
    course, emulator = Course.over(running, access_log), running.emulator
    figures = []
    _be_quiet()
    with peer.pointed_at(emulator.connection):
        poll = min(PEER_POLLS) * FAULTY_SCALE
        other = Peer(emulator, poll, "AzureVMService", "peer-faulty")
        ours = Ours(running)
        for contender in (ours, other):
            contender.prepare(course.azure)
            run = course.run(contender, trials, prefix="trial", at_once=contender.trials_at_once, is_faulty=True)
            told(f"  {contender.label}: {_told(run)}")
            label = f"provisioning under faults: {contender.label}"
            bound = 0 if contender is ours else None
            figures += [
                Figure(f"{label}: trials lost of {trials}", float(len(run.lost)), "trials", bound),
                Figure(f"{label}: resources left behind", float(len(run.left)), "resources", bound),
                Figure(f"{label}: requests to Azure per trial", run.requests / trials, "requests"),
            ]
    return figures


def _be_quiet() -> None:
    """Let both services' logs not be between the figures: each failure is counted."""
    for name in ("mlos_bench", "benchhost", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _figures(run: Run, scale: float) -> list[Figure]:
    label, is_ours = f"provisioning at {scale:g}: {run.contender.label}", isinstance(run.contender, Ours)
    seconds = [trial.seconds for trial in run.trials if trial.is_up]
    overheads = run.overheads()
    return [
        Figure(f"{label}: hosts that did not come up", float(len(run.lost)), "hosts", 0 if is_ours else None),
        Figure(f"{label}: provision_host to return of wait, p50", percentile(seconds, 50), "s"),
        Figure(f"{label}: overhead over the cloud, mean", fmean(overheads), "s"),
        *(Figure(f"{label}: overhead over the cloud, p{rank}", percentile(overheads, rank), "s") for rank in (50, 95)),
        Figure(f"{label}: of it before the first write, p50", percentile(run.before(), 50), "s"),
        Figure(f"{label}: of it after the cloud's end, p50", percentile(run.after(), 50), "s"),
        Figure(f"{label}: requests to Azure per host", run.requests / len(run.trials), "requests"),
        Figure(
            f"{label}: resources left behind per host",
            len(run.left) / len(run.trials),
            "resources",
            0 if is_ours else None,
        ),
    ]


def _told(run: Run) -> str:
    problems: Sequence[str] = sorted({trial.problem for trial in run.trials if trial.problem})
    kinds = sorted({re.sub(r"^(host|trial)-\d+", "*", name) for name in run.left})[:6]
    words = f"{len(run.lost)} of {len(run.trials)} lost, {len(run.left)} resources left, {run.took:.0f} s"
    more = [f"({', '.join(problems)})"] if problems else []
    return " ".join([words, *more, *([f"such as {', '.join(kinds)}"] if kinds else [])])
