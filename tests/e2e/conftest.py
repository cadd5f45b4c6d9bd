"""A stack whose machines answer SSH, and an experiment's folder: what the tests of the real command share."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchhost.mlos.ssh_library import asyncssh
from support.stack import Emulator, Kubectl, Stack, running_emulator, running_stack


@dataclass(frozen=True)
class KeyPair:
    """A user's SSH key."""

    file: Path
    public: str


@pytest.fixture(scope="session")
def ssh_key(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """Made as ssh-keygen would."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment="bench@test")
    file = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    key.write_private_key(file)
    return KeyPair(file, key.export_public_key().decode().strip())


@pytest.fixture
def emulator_with_guests(tmp_path: Path) -> Iterator[Emulator]:
    """An emulated subscription whose machines answer SSH, without latency."""
    with running_emulator(tmp_path / "cloud", "--latency", "none", "--guests") as running:
        yield running


@pytest.fixture
def stack_with_guests(kubectl: Kubectl, emulator_with_guests: Emulator, tmp_path: Path) -> Iterator[Stack]:
    """As ``stack``, with machines that run what they are told."""
    with running_stack(kubectl, emulator_with_guests, tmp_path) as running:
        yield running
