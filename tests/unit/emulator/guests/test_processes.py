"""Everything that a guest runs can be found, slowed down and ended, however far it has gone away."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.guests.init import Duty
from support.process_states import is_alive, odd_moments, state_of
from unit.emulator.guests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

DAEMON = "(setsid sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 0.05; done' &)"
SAMPLES = 400


async def test_a_command_tells_how_it_ended(shell: Shell) -> None:
    assert await shell.run("exit 3") == 3
    assert await shell.run("kill -KILL $$") == -signal.SIGKILL


async def test_a_program_that_is_not_there_is_127(shell: Shell, tmp_path: Path) -> None:
    shell.folder = tmp_path / "missing"
    assert await shell.run("true") == 127
    assert "No such file or directory" in shell.output.read_text()


async def test_the_end_finds_what_has_left_its_session_and_ignores_signals(shell: Shell) -> None:
    await shell.run(f"{DAEMON}; {DAEMON}")
    daemons = [int(line) for line in await shell.wrote(2)]
    assert all(map(is_alive, daemons))
    await shell.processes.end(grace=0.1)
    assert not any(map(is_alive, daemons))
    with pytest.raises(ConnectionAbortedError):
        await shell.run("true")


async def test_the_end_leaves_time_to_those_who_use_it(shell: Shell) -> None:
    await shell.start("trap 'echo saved; exit' TERM; echo ready; while :; do sleep 0.05; done")
    await shell.wrote(1)
    await shell.processes.end(grace=60.0)
    assert shell.output.read_text().splitlines()[-1] == "saved"


async def test_the_end_of_the_emulator_is_the_end_of_all(shell: Shell) -> None:
    await shell.run(DAEMON)
    (daemon,) = map(int, await shell.wrote(1))
    connection = shell.processes._socket
    assert connection is not None
    connection.shutdown(2)  # as when the emulator is killed: nobody says anything any more
    async with asyncio.timeout(60):
        while is_alive(daemon):  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.01)


async def test_a_program_can_ask_for_the_end_and_for_a_restart(shell: Shell) -> None:
    await shell.run('kill -USR1 "$BENCHHOST_GUEST_INIT"; kill -USR2 "$BENCHHOST_GUEST_INIT"')
    async with asyncio.timeout(60):
        while len(shell.asked) < 2:  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.01)
    assert sorted(shell.asked) == ["off", "restart"]


async def test_a_signal_reaches_the_group(shell: Shell) -> None:
    process = await shell.start("sleep 1000 & echo $!; wait")
    (child,) = map(int, await shell.wrote(1))
    await process.signal(signal.SIGTERM)
    assert await process.wait() == -signal.SIGTERM
    async with asyncio.timeout(60):
        while is_alive(child):  # noqa: ASYNC110 - another process has no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("speed", [0.25, 0.5, 0.9])
async def test_a_slow_guest_stands_still_for_the_rest_of_the_time(shell: Shell, speed: float) -> None:
    await shell.processes.set_speed(speed)
    await shell.start("echo $$; (setsid sh -c 'echo $$; while :; do :; done' &); while :; do :; done")
    leader, daemon = map(int, await shell.wrote(2))
    seen = await asyncio.to_thread(_states, leader, daemon)
    for states in zip(*seen, strict=True):
        stopped = sum(state == "T" for state in states) / len(states)
        assert stopped == pytest.approx(1 - speed, abs=0.12)


async def test_a_guest_of_full_speed_is_never_stopped(shell: Shell) -> None:
    await shell.processes.set_speed(1.0)
    await shell.start("echo $$; while :; do :; done")
    (leader,) = map(int, await shell.wrote(1))
    assert "T" not in {state for (state,) in await asyncio.to_thread(_states, leader)}


async def test_a_slow_guest_still_ends_and_answers_signals(shell: Shell) -> None:
    await shell.processes.set_speed(0.05)
    process = await shell.start("echo $$; exec sleep 1000")
    (leader,) = map(int, await shell.wrote(1))
    await process.signal(signal.SIGTERM)
    assert await process.wait() == -signal.SIGTERM
    await shell.start("sleep 1000 & echo $!; wait")
    _, child = map(int, await shell.wrote(2))
    await shell.processes.end(grace=0.0)
    assert not is_alive(leader)
    assert not is_alive(child)


def _states(*processes: int) -> list[tuple[str | None, ...]]:
    """Look again and again at what processes are doing, at moments that have nothing to do with their turns."""
    return [tuple(state_of(process) for process in processes) for _ in odd_moments(SAMPLES)]


@pytest.mark.parametrize("speed", [0.05, 0.5, 0.87, 0.99])
@pytest.mark.parametrize("late", [0.0, 0.003, 0.05])
def test_turns_that_come_late_are_made_good(speed: float, late: float) -> None:
    duty, ran, paused = Duty(speed), 0.0, 0.0
    while ran + paused < 200:
        run = duty.until_pause() + late
        duty.ran(run)
        ran += run
        pause = max(0.0, duty.owed) + late
        duty.paused(pause)
        paused += pause
    assert ran / (ran + paused) == pytest.approx(speed, abs=0.01)


def test_nearly_full_speed_pauses_rarely_and_not_too_shortly() -> None:
    duty = Duty(0.99)
    assert duty.until_pause() == pytest.approx(0.495)
    assert Duty(0.5).until_pause() == pytest.approx(0.02)


async def test_nothing_runs_for_a_guest_that_nobody_uses(shell: Shell) -> None:
    await shell.processes.set_speed(0.5)
    assert shell.processes._program is None
