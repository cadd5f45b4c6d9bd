"""Processes of a guest, without a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from unit.emulator.guests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    running = Shell(tmp_path)
    yield running
    await running.processes.end(grace=0.0)
