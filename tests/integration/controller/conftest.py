"""The API server as the controller's own modules see it."""

from collections.abc import AsyncIterator

import pytest
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config

from benchhost.controller.api_server import ApiServer
from support.stack import Kubectl


@pytest.fixture
async def server(kubectl: Kubectl) -> AsyncIterator[ApiServer]:
    """The real API server, with an administrator's rights."""
    configuration = Configuration()
    await load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield ApiServer(client)
