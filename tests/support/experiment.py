"""An experiment that is run by the real mlos_bench command, once or again, in a folder and with a storage of its own.

Used by the tests of what becomes of an experiment in bad weather. What it measures with can be told to wait, to fail
or to give no results, so that a test can act in the middle of a trial.
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from benchhost.mlos.workspace import prepare_workspace
from support.processes import Command
from support.stack import BENCHHOST, RESOURCE_GROUP, Stack

LAUNCHER = Path(sys.executable).parent / "benchhost-mlos-bench"
STOCK = Path(sys.executable).parent / "mlos_bench"
PREFIX = "benchhost-mlos-bench: "
"""What the last line of a failed run begins with."""
PATIENCE = 120.0
"""Seconds for anything that happens within a few on an idle machine."""

TRIAL_RUNS = "Run script locally"
"""What mlos_bench logs when the host is there and the trial begins to measure."""

MACHINES = "Microsoft.Compute/virtualMachines"


class Experiment:
    """One folder with one storage, one name of the host, one controller, one cloud.

    Parameters
    ----------
    stack
        Where its host comes from.
    source
        The files of the experiment.
    folder
        Where to copy them to.
    """

    def __init__(self, stack: Stack, source: Path, folder: Path) -> None:
        self.stack = stack
        self.folder = prepare_workspace(source, folder)
        self._orders = self.folder / "orders"
        self._orders.mkdir()
        self._commands = ExitStack()
        self._runs = 0
        self._values: dict[str, Any] = {
            "subscriptionId": stack.emulator.connection["subscriptionId"],
            "resourceGroup": RESOURCE_GROUP,
            "kubeconfig": str(stack.kubectl.kubeconfig),
            "namespace": stack.kubectl.namespace,
        }

    @property
    def host(self) -> str:
        """The name of its host."""
        return "weather-host"

    def order(self, what: str) -> None:
        """Let trials ``wait``, ``fail`` or give ``no-results`` from now on."""
        (self._orders / what).touch()

    def revoke(self, what: str) -> None:
        """Let them do so no more."""
        (self._orders / what).unlink(missing_ok=True)

    def use(self, **values: Any) -> None:
        """Set these globals from the next run on."""
        self._values |= values

    def start(self, *, stock: bool = False, **values: Any) -> Command:
        """Run the command with these globals, now and in every later run."""
        self.use(**values)
        self._runs += 1
        argv = [STOCK if stock else LAUNCHER, "--config", "cli.jsonc"]
        switches = [f"--{key}={value}" for key, value in self._values.items()]
        environment = {"MLOS_BENCH_SKIP_SCHEMA_VALIDATION": "true"} if stock else {}
        log = self.folder.parent / f"experiment-{self._runs}.log"
        command = Command([*map(str, argv), *switches], log, environment=environment, folder=self.folder)
        return self._commands.enter_context(command)

    def start_trial(self, **values: Any) -> Command:
        """Run it until the first trial measures, which it does until ``wait`` is revoked."""
        self.order("wait")
        run = self.start(**values)
        run.wait_for(TRIAL_RUNS, timeout=PATIENCE)
        return run

    def change_template(self, **azure: Any) -> None:
        """Set fields of ``spec.azure`` in the file that the host is made from."""
        file = self.folder / "benchhost.yaml"
        content = yaml.safe_load(file.read_text())
        content["spec"]["azure"] |= azure
        file.write_text(yaml.safe_dump(content))

    def end(self) -> None:
        """End everything that still runs."""
        self.revoke("wait")
        self._commands.close()

    def assert_ended(self, run: Command, code: int, last: str) -> None:
        """It has ended with this exit code, and its last line is one sentence that matches."""
        assert run.wait(timeout=PATIENCE) == code, run.output
        assert "Traceback" not in run.output
        line = run.output.rstrip().splitlines()[-1]
        assert line.startswith(PREFIX), run.output
        assert re.search(last, line), line

    def assert_succeeded(self, run: Command) -> None:
        """It has ended well, without a traceback on its way."""
        assert run.wait(timeout=PATIENCE) == 0, run.output
        assert "Traceback" not in run.output

    def assert_nothing_left(self) -> None:
        """No BenchHost, no Lease, and nothing in the subscription."""
        until(lambda: self.stack.kubectl.get("benchhosts")["items"] == [], "all BenchHosts are gone")
        until(lambda: self.leases() == [], "all Leases are gone")
        assert self.stack.emulator.resources() == []

    def assert_works_again(self) -> Command:
        """The same command in the same folder succeeds, and leaves nothing."""
        self.revoke("wait")
        run = self.start()
        self.assert_succeeded(run)
        self.assert_nothing_left()
        return run

    def epoch(self) -> int:
        """On how many allocations of hardware the host has run, when it is ready; else 0."""
        status = self.stack.get(self.host)["status"]
        ready = [condition["status"] for condition in status["conditions"] if condition["type"] == "Ready"]
        return int(status["placement"]["epoch"]) if ready == ["True"] else 0

    def machine(self) -> str:
        """The name of the only machine in the subscription."""
        prefix = "virtualMachines/"
        (machine,) = [name for name in self.stack.emulator.resources() if name.startswith(prefix)]
        return machine.removeprefix(prefix)

    def leases(self) -> list[str]:
        """Names of the Leases that say that somebody holds the host."""
        return [lease["metadata"]["name"] for lease in self.stack.kubectl.get("leases")["items"]]

    def withhold_machines(self) -> None:
        """Let no machine be made until ``give_machines``: so long the wait for the host lasts."""
        self.disturb_cloud("faults", "add", "--method", "PUT", "--type", MACHINES, "--refuse", "503")

    def give_machines(self) -> None:
        """Let machines be made again."""
        self.disturb_cloud("faults", "clear")

    def disturb_cloud(self, *arguments: str) -> None:
        """``benchhost emulator …`` for the subscription."""
        argv = [*BENCHHOST, "emulator", *arguments, "--directory", str(self.stack.emulator.directory)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done.stderr


def until(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
