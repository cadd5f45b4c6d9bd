"""``benchhost emulator`` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchhost.emulator.connection_files import CONNECTION_FILE
from benchhost.emulator.settings import EmulatorConnection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "benchhost.cli.emulator"]
START_SECONDS = 30.0


@contextlib.contextmanager
def running_command(directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run an emulator until the block ends; it answers from the start of the block on."""
    arguments = [*COMMAND, "run", "--directory", str(directory), "--latency", "none", *options]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(directory / CONNECTION_FILE, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)  # between two looks for a file of another process, which cannot be waited for


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def inside(folder: Path, *arguments: str) -> tuple[str, ...]:
    """The arguments of a command that talks to the emulator of a folder."""
    return (*arguments, "--directory", str(folder))


def connection_in(directory: Path) -> EmulatorConnection:
    """Read how a client reaches the emulator that runs with a folder."""
    content: dict[str, Any] = json.loads((directory / CONNECTION_FILE).read_text())
    return EmulatorConnection(
        endpoint=content["endpoint"],
        authority=content["authority"],
        audience=content["audience"],
        tenant_id=content["tenantId"],
        client_id=content["clientId"],
        client_secret=content["clientSecret"],
        subscription_id=content["subscriptionId"],
        ca_bundle=directory / "ca.pem",
    )
