"""How the commands of a build are waited for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchhost.local.build_step import BuildSteps
from benchhost.local.errors import BuildError
from benchhost.local.supervised import SupervisedProcesses


class Looks:
    """Counts how often a step tells how far it is."""

    def __init__(self) -> None:
        self.count = 0

    def phase(self, what: str, total: int | None) -> None:
        """Nobody is told."""

    def advance_to(self, _done: int) -> None:
        self.count += 1

    def say(self, line: str) -> None:
        """Nobody is told."""


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def steps(tmp_path: Path, looks: Looks) -> Iterator[BuildSteps]:
    with (
        (tmp_path / "lock").open("w") as lock,
        SupervisedProcesses(tmp_path / "supervisor.log", lock=lock) as processes,
    ):
        yield BuildSteps(processes, looks, tmp_path)


def test_a_step_is_looked_at_now_and_then_whatever_has_ended_before(steps: BuildSteps, looks: Looks) -> None:
    assert steps.run("first", ["echo", "done"]) == "done\n"
    looks.count = 0
    steps.run("second", ["sleep", "0.6"])
    assert 2 <= looks.count <= 4


def test_a_step_that_fails_is_told_with_its_last_words(steps: BuildSteps) -> None:
    steps.run("first", ["true"])
    with pytest.raises(BuildError, match=r"failed in second: no such module \(log: .*second\.log\)"):
        steps.run("second", ["sh", "-c", "echo no such module; exit 3"])
