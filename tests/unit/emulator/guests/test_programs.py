"""Programs that stand before the laptop's own on the PATH of a guest."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.guests.disk import Account, Disk

if TYPE_CHECKING:
    from pathlib import Path

    from unit.emulator.guests.shell import Shell


async def outcome(shell: Shell, tmp_path: Path, command: str) -> tuple[int, str]:
    disk = Disk(tmp_path / "disk")
    disk.make(Account(user="tester", keys=()), "vm")
    path = shlex.quote(str(disk.root / "usr/local/bin"))
    status = await shell.run(f'export BENCHHOST_GUEST={disk.root} PATH={path}:"$PATH"; {command}')
    return status, shell.output.read_text()


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("shutdown -h now", ["off"]),
        ("shutdown", ["off"]),
        ("shutdown -r now", ["restart"]),
        ("shutdown -c", []),
        ("poweroff", ["off"]),
        ("halt -p", ["off"]),
        ("halt --reboot", ["restart"]),
        ("reboot", ["restart"]),
        ("systemctl poweroff", ["off"]),
        ("systemctl --no-wall reboot", ["restart"]),
        ("sudo -n /bin/bash -c 'shutdown -h now'", ["off"]),
    ],
)
async def test_they_ask_for_the_guest(shell: Shell, tmp_path: Path, command: str, asked: list[str]) -> None:
    status, output = await outcome(shell, tmp_path, command)
    assert (status, output) == (0, "")
    assert shell.asked == asked


@pytest.mark.parametrize("command", ["systemctl restart postgresql", "cloud-init clean"])
async def test_what_would_be_the_laptops_is_refused_in_a_sentence(shell: Shell, tmp_path: Path, command: str) -> None:
    status, output = await outcome(shell, tmp_path, command)
    assert status == 1
    assert "guest of the emulator" in output
    assert not shell.asked


@pytest.mark.parametrize(
    "command", ["sudo echo 'a b'", "sudo -n -u postgres -E -- echo 'a b'", "sudo WORD='a b' sh -c 'echo \"$WORD\"'"]
)
async def test_sudo_runs_what_it_is_given(shell: Shell, tmp_path: Path, command: str) -> None:
    assert await outcome(shell, tmp_path, command) == (0, "a b\n")
