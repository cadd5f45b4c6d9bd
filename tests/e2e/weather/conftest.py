"""An experiment of the test's own on a controller and an emulated subscription of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.experiment import Experiment
from support.stack import Stack

FILES = Path(__file__).parent / "experiment"


@pytest.fixture
def experiment(stack: Stack, tmp_path: Path) -> Iterator[Experiment]:
    """One trial on one host, in fair weather."""
    prepared = Experiment(stack, FILES, tmp_path / "experiment")
    try:
        yield prepared
    finally:
        prepared.end()
