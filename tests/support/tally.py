"""What the proof suites have counted, for the end of the test run: how much was tried, and that all of it held."""

import pytest

COUNTED = pytest.StashKey[list[str]]()


def note(config: pytest.Config, line: str) -> None:
    """Let the run's summary tell this."""
    config.stash.setdefault(COUNTED, []).append(line)


def noted(config: pytest.Config) -> list[str]:
    """Everything noted so far."""
    return config.stash.get(COUNTED, [])
