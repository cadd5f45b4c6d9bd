"""``make demo`` as a newcomer runs it: it tells its story, proves that nothing is left, and stops everything."""

import os
import signal
import sys
from pathlib import Path

import pytest

from support.processes import Command
from support.stack import ROOT

DEMO = (sys.executable, str(ROOT / "examples" / "demo" / "demo.py"))


def processes_using(folder: Path) -> list[str]:
    """Command lines of running processes that name this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in command:
            found.append(command)
    return found


def start(tmp_path: Path) -> Command:
    """The demo with its temporary folders below ``tmp_path``, so that its processes can be told from others."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return Command(DEMO, tmp_path / "demo.log", environment={"TMPDIR": str(temporary), "COLUMNS": "120"})


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_the_demo_runs_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    demo = start(tmp_path)
    assert demo.wait(timeout=240) == 0, demo.output
    for words in (
        "benchhost.benchhost.dev/postgres-bench created",
        "Microsoft.Compute/virtualMachines",
        "Trial 5 runs on",
        "best",
        "No resources exist in the subscription.",
        "Everything has been stopped.",
    ):
        assert words in demo.output
    assert "Traceback" not in demo.output
    assert processes_using(tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_ctrl_c_in_the_middle_leaves_no_process(tmp_path: Path) -> None:
    demo = start(tmp_path)
    demo.wait_for("kubectl get benchhosts --watch", timeout=120)
    assert processes_using(tmp_path) != []
    os.killpg(os.getpgid(demo.process.pid), signal.SIGINT)  # as a terminal does
    assert demo.wait(timeout=60) == 130
    assert "Traceback" not in demo.output
    assert processes_using(tmp_path) == []
