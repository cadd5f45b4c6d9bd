"""Fixtures of the emulator's unit tests."""

from __future__ import annotations

import pytest

from unit.emulator.driver import Cloud


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def another_cloud() -> Cloud:
    """A second subscription with the same seed."""
    return Cloud()
