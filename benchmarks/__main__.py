"""``make bench``: measure on real parts, print a table, write ``build/bench.json``. Never part of the tests."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the same parts that the tests run on

from benchhost.client import BenchHostClient, ConnectionSettings  # noqa: E402 - after the path
from benchmarks import client as client_figures  # noqa: E402
from benchmarks import controller as controller_figures  # noqa: E402
from benchmarks import emulator as emulator_figures  # noqa: E402
from benchmarks import scale  # noqa: E402
from benchmarks.figures import Figure, show, write  # noqa: E402
from support.control_plane import running_control_plane  # noqa: E402
from support.stack import Kubectl, install  # noqa: E402

_RECORDED = ("--latency", "recorded", "--time-scale", "0.1")
_POLL = 5.0
"""The controller's default polling interval in seconds; scaled with everything else."""
_HINTS = (1.36, 3.55)
"""Azure's Retry-After of a creation and of its first poll, 10 s and 35 s, after the 3.6 s and 0.5 s that the answers
take (all recorded), scaled."""


_MANY_SCALE = 0.25
"""Time scale of the crowd: limits refill four times as fast as Azure's, so that 2,000 hosts take minutes."""


def main() -> int:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--hosts", type=int, default=controller_figures.HOSTS, help="hosts in the idle measurement")
    parser.add_argument(
        "--many", type=int, nargs="*", default=[100, 500, 2000], help="hosts that are created at once, in turn"
    )
    parser.add_argument("--only-many", action="store_true", help="measure nothing else")
    arguments = parser.parse_args()
    console = Console()
    figures: list[Figure] = []
    if not arguments.only_many:
        console.print("emulator …")
        figures += emulator_figures.load()
    with running_control_plane() as control_plane, tempfile.TemporaryDirectory(prefix="benchhost-bench-") as folder:
        kubectl = Kubectl(control_plane.kubectl, control_plane.kubeconfig)
        install(kubectl)
        for count in arguments.many:
            console.print(f"{count} hosts at once, recorded latencies and limits at time scale {_MANY_SCALE} …")
            figures += _many(_namespace(kubectl, f"bench-many-{count}"), Path(folder) / f"many-{count}", count)
        if not arguments.only_many:
            figures += _few(console, kubectl, Path(folder), arguments.hosts)
    show(figures, console)
    write(figures, ROOT / "build" / "bench.json")
    console.print("Written to build/bench.json")
    return 0


def _few(console: Console, kubectl: Kubectl, folder: Path, hosts: int) -> list[Figure]:
    """What one host, or a steady stream of them, sees."""
    console.print("wait_host_deployment …")
    figures = client_figures.wait_return(_namespace(kubectl, "bench-client"))
    console.print("controller, zero cloud latency …")
    figures += _controller(
        _namespace(kubectl, "bench-none"), folder / "none", ("--latency", "none"), "zero latency",
        poll=0.05, hints=(), count=hosts, with_idle=True,
    )  # fmt: skip
    console.print("controller, recorded latencies at time scale 1/10 …")
    figures += _controller(
        _namespace(kubectl, "bench-recorded"), folder / "recorded", _RECORDED, "recorded, 1/10",
        poll=_POLL / 10, hints=_HINTS, count=60, with_idle=False,
    )  # fmt: skip
    return figures


def _many(kubectl: Kubectl, directory: Path, count: int) -> list[Figure]:
    """A crowd of hosts, under limits that are enforced."""
    directory.mkdir()
    settings = ConnectionSettings(kubeconfig=str(kubectl.kubeconfig), namespace=kubectl.namespace)
    options = ("--latency", "recorded", "--time-scale", str(_MANY_SCALE))
    with (
        controller_figures.stack(kubectl, directory, *options, poll_interval=_POLL * _MANY_SCALE) as running,
        BenchHostClient(settings) as client,
    ):
        return scale.life(running, client, access_log=directory / "access.jsonl", count=count, scale=_MANY_SCALE)


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
    hints: tuple[float, ...],
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
            running, directory, client, label=label, poll=poll, hints=hints, count=count
        )
        if with_idle:
            figures += controller_figures.idle(running)
        return figures


if __name__ == "__main__":
    sys.exit(main())
