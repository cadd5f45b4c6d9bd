"""The real parts that tests share: one control plane for the session, a namespace and a stack for those that ask."""

import itertools
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from benchhost.local import ControlPlane
from support.control_plane import running_control_plane
from support.processes import clean_up_when_told_to_end
from support.stack import (
    Emulator,
    Kubectl,
    Stack,
    install,
    running_emulator,
    running_stack,
)
from support.tally import hand_over, noted, take_over

# The same examples each time: a test that fails by chance somewhere else helps nobody. `--hypothesis-profile default`
# searches on.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")

pytest.register_assert_rewrite("support.crashing")
_namespaces = itertools.count(1)


def pytest_configure() -> None:
    """Let the programs under test be interrupted, however the tests were started.

    A shell without job control starts its background jobs with SIGINT ignored, every child inherits that, and Python
    then installs no handler: Ctrl-C would do nothing in any program that a test starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    clean_up_when_told_to_end()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker hand over what it has counted."""
    hand_over(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker has counted; one that died has nothing to say."""
    take_over(node.config, getattr(node, "workeroutput", None) or {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell what the proof suites have counted."""
    for line in noted(config):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real kube-apiserver with etcd and controller manager, for the whole session."""
    with running_control_plane() as running:
        yield running


@pytest.fixture(scope="session")
def installed(control_plane: ControlPlane) -> Kubectl:
    """The control plane with the CRD and the controller's roles installed as the README says."""
    kubectl = Kubectl(control_plane.kubectl, control_plane.kubeconfig)
    install(kubectl)
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
    with running_stack(kubectl, emulator, tmp_path) as running:
        yield running
