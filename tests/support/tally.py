"""What the proof suites have counted, for the end of the test run: how much was tried, and that all of it held.

Tests run in several processes: what a worker has noted goes to the one that prints the summary when it ends.
"""

from typing import Any

import pytest

COUNTED = pytest.StashKey[list[str]]()
_FIELD = "noted"


def note(config: pytest.Config, line: str) -> None:
    """Let the run's summary tell this."""
    config.stash.setdefault(COUNTED, []).append(line)


def noted(config: pytest.Config) -> list[str]:
    """Everything noted so far."""
    return config.stash.get(COUNTED, [])


def hand_over(config: pytest.Config) -> None:
    """At a worker's end: give what it has noted to the process that started it."""
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is not None:
        output[_FIELD] = noted(config)


def take_over(config: pytest.Config, output: dict[str, Any]) -> None:
    """When a worker has ended: note what it has noted."""
    for line in output.get(_FIELD, []):
        note(config, line)
