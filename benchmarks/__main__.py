"""``make bench``: measure on real parts, print tables, write ``build/bench.json``. Never part of the tests."""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the same parts that the tests run on

from benchhost.client import BenchHostClient, ConnectionSettings  # noqa: E402 - after the path
from benchmarks import client as client_figures  # noqa: E402
from benchmarks import controller as controller_figures  # noqa: E402
from benchmarks import emulator as emulator_figures  # noqa: E402
from benchmarks import (  # noqa: E402
    provisioning,
    scale,
)
from benchmarks.figures import Figure, Report  # noqa: E402
from support.control_plane import running_control_plane  # noqa: E402
from support.processes import clean_up_when_told_to_end  # noqa: E402
from support.stack import Kubectl, install  # noqa: E402

_RECORDED = ("--latency", "recorded", "--time-scale", "0.1")
_POLL = 5.0
"""The controller's default polling interval in seconds; scaled with everything else."""
_HINT = 1.36
"""Azure's Retry-After of a creation, 10 s, after the 3.6 s that the answer takes (both recorded), scaled."""
_CROWD_SCALE = 1.0
"""As fast as Azure, limits too: what ARM allows is a rate that the controller knows, and the API server, the controller
and the emulator share two cores here."""


_WIDTH = 120
"""Columns of the tables where no terminal says how wide it is."""


def main() -> int:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--hosts", type=int, default=controller_figures.HOSTS, help="hosts in the idle measurement")
    parser.add_argument(
        "--many", type=int, nargs="*", default=[100, 500, 2000], help="hosts that are created at once, in turn"
    )
    parser.add_argument(
        "--time-scale", type=float, default=_CROWD_SCALE, help="of the crowds: 0.5 is twice as fast as Azure"
    )
    parser.add_argument("--only-many", action="store_true", help="measure nothing else")
    parser.add_argument(
        "--only-provisioning", action="store_true", help="only compare with mlos_bench's own service for Azure"
    )
    parser.add_argument("--provisioned", type=int, default=provisioning.HOSTS, help="hosts in that comparison")
    parser.add_argument("--trials", type=int, default=provisioning.TRIALS, help="trials in a cloud that fails")
    arguments = parser.parse_args()
    clean_up_when_told_to_end()
    report = Report(Console(width=None if sys.stdout.isatty() else _WIDTH), ROOT / "build" / "bench.json")
    controller_figures.compile_once()
    measures_all = not (arguments.only_many or arguments.only_provisioning)
    if measures_all:
        report.begin("emulator …")
        report.add(emulator_figures.load())
    with running_control_plane() as control_plane, tempfile.TemporaryDirectory(prefix="benchhost-bench-") as folder:
        kubectl = Kubectl(control_plane.kubectl, control_plane.kubeconfig)
        install(kubectl)
        if not arguments.only_provisioning:
            _crowds(report, kubectl, Path(folder), arguments.many, arguments.time_scale)
        if not arguments.only_many:
            _provisioning(report, kubectl, Path(folder), hosts=arguments.provisioned, trials=arguments.trials)
        if measures_all:
            _few(report, kubectl, Path(folder), arguments.hosts)
    report.end()
    return 0


def _few(report: Report, kubectl: Kubectl, folder: Path, hosts: int) -> None:
    """What one host, or a steady stream of them, sees."""
    report.begin("wait_host_deployment …")
    report.add(client_figures.wait_return(_namespace(kubectl, "bench-client")))
    report.begin("controller, zero cloud latency …")
    report.add(_controller(
        _namespace(kubectl, "bench-none"), folder / "none", ("--latency", "none"), "zero latency",
        poll=0.05, hint=None, count=hosts, with_idle=True,
    ))  # fmt: skip
    report.begin("controller, recorded latencies at time scale 1/10 …")
    report.add(_controller(
        _namespace(kubectl, "bench-recorded"), folder / "recorded", _RECORDED, "recorded, 1/10",
        poll=_POLL / 10, hint=_HINT, count=60, with_idle=False,
    ))  # fmt: skip


def _provisioning(report: Report, kubectl: Kubectl, folder: Path, *, hosts: int, trials: int) -> None:
    """What mlos_bench sees of a host, against its own service for Azure."""
    compare = partial(provisioning.compare, told=report.begin)
    endure = partial(provisioning.endure, trials=trials, told=report.begin)
    fast, real, faulty = provisioning.SCALE, provisioning.AZURES_OWN, provisioning.FAULTY_SCALE
    few, at_once = provisioning.AT_ONCE, provisioning.AZURES_OWN_AT_ONCE
    against = "compared with AzureVMService"
    for name, scale_of, poll, measure, words in (
        ("provisioning", fast, _POLL, partial(compare, hosts=hosts, at_once=few, scale=fast), against),
        ("real", real, _POLL, partial(compare, hosts=min(hosts, at_once), at_once=at_once, scale=real), against),
        ("faulty", faulty, _POLL * faulty, endure, "the same while requests fail"),
    ):
        report.begin(f"provisioning {words}, recorded latencies at time scale {scale_of:g} …")
        own, directory = _namespace(kubectl, f"bench-{name}"), folder / name
        directory.mkdir()
        options = ("--latency", "recorded", "--time-scale", str(scale_of))
        with controller_figures.stack(own, directory, *options, poll_interval=poll) as running:
            report.add(measure(running, directory / "access.jsonl"))


def _crowds(report: Report, kubectl: Kubectl, folder: Path, counts: list[int], time_scale: float) -> None:
    """Crowds of each size, how their costs grow, and one that is made in three writes a host."""
    live = partial(_crowd, report, kubectl, folder, time_scale=time_scale)
    runs = {count: live(scale.Crowd(count)) for count in counts}
    if runs:
        report.add(scale.growth(runs))
        # Microsoft.Network allows a thousand writes in five minutes, so 500 such hosts would measure nothing else.
        live(scale.Crowd(min(runs), has_names=True))


def _crowd(report: Report, kubectl: Kubectl, folder: Path, crowd: scale.Crowd, *, time_scale: float) -> list[Figure]:
    """One crowd, under limits that are enforced."""
    report.begin(f"{crowd.words} at once, recorded latencies and limits at time scale {time_scale:g} …")
    name = "bench-" + crowd.words.replace(" ", "-")
    own, directory = _namespace(kubectl, name), folder / name
    directory.mkdir()
    settings = ConnectionSettings(kubeconfig=str(own.kubeconfig), namespace=own.namespace)
    options = ("--latency", "recorded", "--time-scale", str(time_scale))
    with (
        controller_figures.stack(own, directory, *options, poll_interval=_POLL * time_scale) as running,
        BenchHostClient(settings) as client,
    ):
        meter = scale.Meter(running, directory / "access.jsonl")
        figures = scale.life(meter, client, crowd=crowd, scale=time_scale, told=report.begin)
    report.add(figures)
    return figures


def _namespace(kubectl: Kubectl, name: str) -> Kubectl:
    kubectl.run("create", "namespace", name)
    return Kubectl(kubectl.binary, kubectl.kubeconfig, name)


def _controller(
    kubectl: Kubectl,
    directory: Path,
    latency: tuple[str, ...],
    label: str,
    *,
    poll: float,
    hint: float | None,
    count: int,
    with_idle: bool,
) -> list[Figure]:
    directory.mkdir()
    settings = ConnectionSettings(kubeconfig=str(kubectl.kubeconfig), namespace=kubectl.namespace)
    with (
        controller_figures.stack(kubectl, directory, *latency, poll_interval=poll) as running,
        BenchHostClient(settings) as client,
    ):
        figures = controller_figures.reaction(
            running, directory, client, label=label, poll=poll, hint=hint, count=count
        )
        if with_idle:
            figures += controller_figures.idle(running)
        return figures


if __name__ == "__main__":
    sys.exit(main())
