"""``benchhost emulator capacity``, ``quotas``, ``hosts`` and ``evict`` against a running emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from integration.emulator.command import inside, run

if TYPE_CHECKING:
    from pathlib import Path


def test_capacity_is_limited_and_lifted(folder: Path) -> None:
    assert run(*inside(folder, "capacity", "show")).stdout == "Capacity is not limited.\n"
    options = ("--zone", "2", "--spot", "-o", "json")
    changed = run(*inside(folder, "capacity", "set", "eastus", "Standard_D2s_v5", "3", *options))
    assert changed.returncode == 0, changed.stderr
    limit = json.loads(changed.stdout)
    assert (limit["zone"], limit["priority"], limit["machines"]) == ("2", "Spot", 3)
    assert "Spot" in run(*inside(folder, "capacity", "show")).stdout
    assert run(*inside(folder, "capacity", "lift", "eastus", "Standard_D2s_v5")).stdout == "Lifted 1 limit.\n"


def test_quotas_are_limited_and_lifted(folder: Path) -> None:
    assert run(*inside(folder, "quotas", "show")).stdout == "No quota is limited.\n"
    assert "10" in run(*inside(folder, "quotas", "set", "eastus", "cores", "10")).stdout
    assert "cores" in run(*inside(folder, "quotas", "show")).stdout
    assert run(*inside(folder, "quotas", "lift", "eastus", "cores")).stdout == "Lifted 1 limit.\n"


def test_hosts_of_an_empty_cloud(folder: Path) -> None:
    assert run(*inside(folder, "hosts")).stdout == "No machine has hardware.\n"


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
    result = run(*inside(folder, *arguments))
    assert result.returncode == code
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
