from collections.abc import Iterator

import pytest

from benchhost.local import Binaries, LocalControlPlane
from support.control_plane import own_binaries


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return own_binaries()


@pytest.fixture(scope="module")
def local_control_plane(binaries: Binaries) -> Iterator[LocalControlPlane]:
    """One of our own, because these tests restart and look into it."""
    with LocalControlPlane(binaries) as control_plane:
        yield control_plane
