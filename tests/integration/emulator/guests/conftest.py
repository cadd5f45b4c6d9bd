"""An emulator whose machines have guests, and a key to log in with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.emulator.guests.bench import Bench, asyncssh, bench_of, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
async def bench(tmp_path: Path, key: asyncssh.SSHKey) -> AsyncIterator[Bench]:
    async with bench_of(tmp_path / "cloud", key, free_port()) as running:
        yield running
