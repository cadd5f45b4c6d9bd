"""The real parts that tests share: one control plane for the session, a namespace and a stack for those that ask."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from benchhost.local import ControlPlane, find_control_plane, open_control_plane
from support.stack import (
    ROOT,
    Emulator,
    Kubectl,
    Stack,
    credentials_secret,
    running_emulator,
)

_namespaces = itertools.count(1)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real kube-apiserver with etcd and controller manager, for the whole session."""
    with open_control_plane(find_control_plane(), Console(stderr=True)) as running:
        yield running


@pytest.fixture(scope="session")
def installed(control_plane: ControlPlane) -> Kubectl:
    """The control plane with the CRD and the controller's roles installed as the README says."""
    kubectl = Kubectl(control_plane.kubectl, control_plane.kubeconfig)
    kubectl.run("apply", "-f", str(ROOT / "crds"))
    kubectl.run("wait", "--for=condition=Established", "crd/benchhosts.benchhost.dev", "--timeout=30s")
    kubectl.run("apply", "-k", str(ROOT / "manifests" / "base"))
    return kubectl


@pytest.fixture
def kubectl(installed: Kubectl) -> Iterator[Kubectl]:
    """The real kubectl in a namespace of the test's own."""
    namespace = f"test-{next(_namespaces)}"
    installed.run("create", "namespace", namespace)
    yield Kubectl(installed.binary, installed.kubeconfig, namespace)
    installed.run("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """An emulated subscription of the test's own, without latency."""
    with running_emulator(tmp_path / "cloud") as running:
        yield running


@pytest.fixture
def stack(kubectl: Kubectl, emulator: Emulator, tmp_path: Path) -> Iterator[Stack]:
    """A namespace with credentials in it, watched by a controller, over an emulated subscription."""
    kubectl.apply(credentials_secret(emulator, kubectl.namespace))
    running = Stack(kubectl, emulator, tmp_path)
    running.start_controller()
    try:
        yield running
    finally:
        running.end()
