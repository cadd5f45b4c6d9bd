from collections.abc import Callable, Iterator
from typing import Any

import pytest

from benchhost.client import BenchHostClient, ConnectionSettings
from benchhost.mlos import BenchHostService, releasing
from integration.mlos.standin_controller import StandInController
from support.builders import azure_spec
from support.stack import Kubectl

MakeService = Callable[..., BenchHostService]


@pytest.fixture
def controller(kubectl: Kubectl) -> Iterator[StandInController]:
    """Answers for the hosts of the test's own namespace."""
    with StandInController(kubectl.kubeconfig, kubectl.namespace) as running:
        yield running


@pytest.fixture(autouse=True)
def _end_of_program() -> Iterator[None]:
    """Each test is a program of its own to the services that it makes."""
    yield
    for session in releasing._sessions:
        session.let_go()
    releasing._sessions.clear()


@pytest.fixture
def client(kubectl: Kubectl) -> Iterator[BenchHostClient]:
    """Somebody else, who looks at the hosts."""
    settings = ConnectionSettings(kubeconfig=str(kubectl.kubeconfig), namespace=kubectl.namespace)
    with BenchHostClient(settings) as running:
        yield running


@pytest.fixture
def make_service(kubectl: Kubectl) -> MakeService:
    """Services of one owner in the test's own namespace."""

    def make(**config: Any) -> BenchHostService:
        base = {
            "kubeconfig": str(kubectl.kubeconfig),
            "namespace": kubectl.namespace,
            "template": {"spec": {"azure": azure_spec()}},
            "parameters": {"vmSize": "spec.azure.sizes[0]"},
            "owner": "me",
            "pollTimeout": 20,
            "requestTimeout": 2,
            "historyFile": None,
        }
        return BenchHostService(base | config, {"experiment_id": "Exp_1"})

    return make


def params(trial: int = 1, name: str = "pg", size: str = "Standard_B2s") -> dict[str, Any]:
    return {"vmName": name, "vmSize": size, "trial_id": trial}
