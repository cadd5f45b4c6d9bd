"""The API server as the controller's own modules see it, and where controllers that may be killed come from."""

from collections.abc import AsyncIterator, Iterator

import pytest

from benchhost.controller.api_server import ApiServer
from integration.controller.connections import connected
from support.crashing.controllers import Zygote
from support.stack import Kubectl


@pytest.fixture
async def server(kubectl: Kubectl) -> AsyncIterator[ApiServer]:
    """The real API server, with an administrator's rights."""
    async with connected(kubectl.kubeconfig) as running:
        yield running


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """The process that controllers are forked from."""
    with Zygote(tmp_path_factory.mktemp("zygote") / "zygote.log") as running:
        yield running
