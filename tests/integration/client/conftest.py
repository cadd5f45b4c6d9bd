from collections.abc import Iterator
from pathlib import Path

import pytest

from benchhost.client import BenchHostClient, ConnectionSettings
from integration.client.tcp_proxy import TcpProxy
from support.stack import Kubectl


@pytest.fixture
def client(kubectl: Kubectl) -> Iterator[BenchHostClient]:
    """A client in the test's own namespace."""
    with BenchHostClient(settings_for(kubectl)) as running:
        yield running


@pytest.fixture
def proxy(kubectl: Kubectl, tmp_path: Path) -> Iterator[TcpProxy]:
    """A bad network between ``far_client`` and the API server."""
    with TcpProxy(kubectl.kubeconfig, tmp_path / "proxied-kubeconfig") as running:
        yield running


@pytest.fixture
def far_client(proxy: TcpProxy, kubectl: Kubectl) -> Iterator[BenchHostClient]:
    """A client behind the proxy, quick to notice dead connections."""
    settings = ConnectionSettings(
        kubeconfig=str(proxy.kubeconfig), namespace=kubectl.namespace, request_timeout_seconds=1, watch_seconds=1
    )
    with BenchHostClient(settings) as running:
        yield running


def settings_for(kubectl: Kubectl) -> ConnectionSettings:
    return ConnectionSettings(kubeconfig=str(kubectl.kubeconfig), namespace=kubectl.namespace)
