import logging
import os
import pty
import re
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from benchhost.api import ConditionType
from benchhost.mlos.calls import HostCall, HostOperation
from benchhost.mlos.history import HostHistory
from benchhost.mlos.progress import Progress
from support.builders import EARLIER, NOW, OWNER, UID, host

CALL = HostCall(operation=HostOperation.PROVISION, namespace=OWNER.namespace, name=OWNER.name, uid=UID, started=NOW)


def seen(ready: str, reason: str, message: str = "words", *, uid: str = UID) -> Any:
    condition = {
        "type": "Ready", "status": ready, "reason": reason, "message": message, "observedGeneration": 1,
        "lastTransitionTime": EARLIER.isoformat(),
    }  # fmt: skip
    return host(metadata={"uid": uid}, status={"conditions": [condition]})


def test_one_line_for_each_change_of_a_condition(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress = Progress(CALL, HostHistory(None, experiment=None))
    for state in (
        seen("False", "Pending"),
        seen("False", "Pending", "other words"),
        seen("False", "Provisioning", "machine\n is made"),
        seen("False", "Provisioning", "still"),
        None,
        seen("True", "Running", uid="other"),
        seen("True", "Running"),
    ):
        progress.saw(state)
    assert [record.getMessage() for record in caplog.records] == [
        "BenchHost bench/pg-1: Ready is False (Provisioning): machine is made",
        "BenchHost bench/pg-1: Ready is True (Running): words",
    ]


def test_conditions_that_change_together_share_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress = Progress(CALL, HostHistory(None, experiment=None))
    pending, running = seen("False", "Pending"), seen("True", "Running")
    synced = running.status.conditions[0].model_copy(update={"type": ConditionType.SYNCED})
    running.status.conditions.append(synced)
    progress.saw(pending)
    progress.saw(running)
    assert [record.getMessage() for record in caplog.records] == [
        "BenchHost bench/pg-1: Ready is True, Synced is True (Running): words"
    ]


PROGRAM = """
    import logging, time
    from support.builders import host
    from unit.mlos.test_progress import CALL
    from benchhost.mlos.history import HostHistory
    from benchhost.mlos.progress import Progress

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    history = HostHistory({file!r}, experiment=None)
    with Progress(CALL, history).shown():
        time.sleep(0.5)
        logging.info("a line of the log")
        time.sleep(0.3)
    logging.info("the end")
"""


def test_a_terminal_shows_a_spinner_and_whole_log_lines(tmp_path: Any) -> None:
    file = tmp_path / "h.jsonl"
    file.write_text('{"event": "Operation", "type": "Provision", "result": "Succeeded", "seconds": 65.2}\n')
    terminal, side = pty.openpty()
    program = textwrap.dedent(PROGRAM.format(file=str(file)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", program], stdout=side, stderr=side, env=environment)
    os.close(side)
    shown = read_all(terminal)
    status = process.wait(60)
    assert status == 0, shown
    assert "BenchHost bench/pg-1: Provision, 0 s of usually 1 min 05 s" in shown
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").splitlines()
    lines = [line for line in lines if line]
    assert "a line of the log" in lines
    assert lines[-1] == "the end"


def read_all(terminal: int) -> str:
    chunks = []
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the other side has ended
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(terminal)
    return b"".join(chunks).decode()


def test_without_a_terminal_nothing_is_drawn(capfd: pytest.CaptureFixture[str]) -> None:
    with Progress(CALL, HostHistory(None, experiment=None)).shown():
        logging.getLogger("test").warning("a line")
    captured = capfd.readouterr()
    assert "Provision" not in captured.err + captured.out
