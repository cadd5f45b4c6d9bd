"""The API server as the controller's own modules see it."""

from collections.abc import AsyncIterator

import pytest

from benchhost.controller.api_server import ApiServer
from integration.controller.connections import connected
from support.stack import Kubectl


@pytest.fixture
async def server(kubectl: Kubectl) -> AsyncIterator[ApiServer]:
    """The real API server, with an administrator's rights."""
    async with connected(kubectl.kubeconfig) as running:
        yield running
