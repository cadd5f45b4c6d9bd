from collections.abc import Iterator

import pytest

from support.crashing.controllers import Zygote


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """The process that controllers are forked from."""
    with Zygote(tmp_path_factory.mktemp("zygote") / "zygote.log") as running:
        yield running
