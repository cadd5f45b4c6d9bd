"""``benchhost emulator capacity``, ``quotas``, ``hosts`` and ``evict`` against a running emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.emulator.command import run, running_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an emulator that runs for all tests of this file."""
    directory = tmp_path_factory.mktemp("emulator")
    with running_command(directory):
        yield directory


def _in(folder: Path, *arguments: str) -> tuple[str, ...]:
    return (*arguments, "--directory", str(folder))


def test_capacity_is_limited_and_lifted(folder: Path) -> None:
    assert run(*_in(folder, "capacity", "show")).stdout == "Capacity is not limited.\n"
    options = ("--zone", "2", "--spot", "-o", "json")
    changed = run(*_in(folder, "capacity", "set", "eastus", "Standard_D2s_v5", "3", *options))
    assert changed.returncode == 0, changed.stderr
    limit = json.loads(changed.stdout)
    assert (limit["zone"], limit["priority"], limit["machines"]) == ("2", "Spot", 3)
    assert "Spot" in run(*_in(folder, "capacity", "show")).stdout
    assert run(*_in(folder, "capacity", "lift", "eastus", "Standard_D2s_v5")).stdout == "Lifted 1 limit.\n"


def test_quotas_are_limited_and_lifted(folder: Path) -> None:
    assert run(*_in(folder, "quotas", "show")).stdout == "No quota is limited.\n"
    assert "10" in run(*_in(folder, "quotas", "set", "eastus", "cores", "10")).stdout
    assert "cores" in run(*_in(folder, "quotas", "show")).stdout
    assert run(*_in(folder, "quotas", "lift", "eastus", "cores")).stdout == "Lifted 1 limit.\n"


def test_hosts_of_an_empty_cloud(folder: Path) -> None:
    assert run(*_in(folder, "hosts")).stdout == "No machine has hardware.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("capacity", "set", "moon", "*", "1"), 1, "There is no region 'moon'", id="no-such-region"),
        pytest.param(("quotas", "set", "eastus", "gpus", "1"), 1, "There is no quota 'gpus'", id="no-such-quota"),
        pytest.param(("evict", "vm"), 1, "There is no machine 'vm'.", id="no-such-machine"),
        pytest.param(("hosts", "vm"), 2, "name its resource group", id="a-machine-without-hardware"),
        pytest.param(("hosts", "vm", "--group", "rg"), 1, "There is no machine 'vm'.", id="no-machine-in-the-group"),
    ],
)
def test_what_makes_no_sense_gives_one_sentence(
    folder: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run(*_in(folder, *arguments))
    assert result.returncode == code
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
