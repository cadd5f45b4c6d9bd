"""Logging in to a machine of the emulator, and what its commands find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integration.emulator.guests.bench import Bench


async def test_a_running_machine_answers_on_its_public_address(bench: Bench) -> None:
    await bench.create()
    result = await bench.run("echo $USER in $PWD; echo oops >&2; exit 3")
    assert result.exit_status == 3
    assert result.stdout.startswith(f"tester in {bench.directory / 'guests'}/")
    assert result.stderr == "oops\n"
