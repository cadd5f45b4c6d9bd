"""The whole way on real parts: API server, emulated subscription and controller, as a user would run them.

Everything is driven through kubectl and the ``benchhost`` command, so that a test asserts what a user would see.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from support.builders import azure_spec
from support.processes import Command

ROOT = Path(__file__).parents[2]
BENCHHOST = (sys.executable, "-m", "benchhost.cli.main")
RESOURCE_GROUP = "bench-rg"
_IS_UP = r"connection\.json|azure\.env"
"""What an emulator prints when it serves."""


@dataclass(frozen=True)
class Kubectl:
    """The real kubectl, pointed at one cluster."""

    binary: Path
    kubeconfig: Path
    namespace: str = ""

    def argv(self, *arguments: str) -> list[str]:
        """The whole command line."""
        namespace = ["--namespace", self.namespace] if self.namespace else []
        return [str(self.binary), "--kubeconfig", str(self.kubeconfig), *namespace, *arguments]

    def run(self, *arguments: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        done = subprocess.run(
            self.argv(*arguments), input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)} failed: {done.stderr}")
        return done

    def apply(self, *documents: Mapping[str, Any], check: bool = True) -> subprocess.CompletedProcess[str]:
        """``kubectl apply -f -``."""
        return self.run("apply", "-f", "-", stdin=yaml.safe_dump_all(documents), check=check)

    def get(self, *arguments: str) -> dict[str, Any]:
        """``kubectl get … -o json``."""
        found: dict[str, Any] = json.loads(self.run("get", *arguments, "-o", "json").stdout)
        return found

    def wait(self, what: str, condition: str, *, seconds: float = 30) -> None:
        """``kubectl wait``."""
        self.run("wait", what, f"--for={condition}", f"--timeout={seconds}s")

    def patch(self, name: str, spec: Mapping[str, Any]) -> None:
        """Merge into a BenchHost's spec."""
        self.run("patch", "benchhost", name, "--type=merge", "-p", json.dumps({"spec": spec}))


def wait_established(kubectl: Kubectl, crd: str) -> None:
    """Wait until the API server serves a CRD; kubectl itself stumbles over one whose conditions are not there yet."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not kubectl.run(
            "wait", f"crd/{crd}", "--for=condition=Established", "--timeout=30s", check=False
        ).returncode:
            return
        time.sleep(0.2)
    raise AssertionError(f"the CRD {crd} is not established")


def install(kubectl: Kubectl) -> None:
    """Install the CRD and the controller's roles as the README says."""
    kubectl.run("apply", "-f", str(ROOT / "crds"))
    wait_established(kubectl, "benchhosts.benchhost.dev")
    kubectl.run("apply", "-k", str(ROOT / "manifests" / "base"))


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    command: Command
    directory: Path
    connection: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What the controller needs to find it: the settings of a sovereign cloud."""
        return {
            "AZURE_RESOURCE_MANAGER_ENDPOINT": self.connection["endpoint"],
            "AZURE_RESOURCE_MANAGER_AUDIENCE": self.connection["audience"],
            "AZURE_AUTHORITY_HOST": self.connection["authority"],
            "AZURE_CA_BUNDLE": self.connection["caBundle"],
        }

    @property
    def credentials(self) -> dict[str, str]:
        """What a credentials Secret holds."""
        return {
            "AZURE_TENANT_ID": self.connection["tenantId"],
            "AZURE_CLIENT_ID": self.connection["clientId"],
            "AZURE_CLIENT_SECRET": self.connection["clientSecret"],
        }

    def restart(self) -> None:
        """End it as a crash would; with ``--state`` it goes on where it was, at the same address."""
        self.command.restart()
        self.command.wait_for(_IS_UP)

    def resources(self) -> list[str]:
        """Types and names of every resource in the subscription, as its own API lists them."""
        done = subprocess.run(
            [*BENCHHOST, "emulator", "resources", "--directory", str(self.directory), "-o", "json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        found = json.loads(done.stdout)
        rows = found["resources"] if isinstance(found, dict) else found
        return sorted(f"{row['type'].rsplit('/', 1)[-1]}/{row['name']}" for row in rows)


@contextmanager
def running_emulator(directory: Path, *arguments: str, subscription: str | None = None) -> Iterator[Emulator]:
    """``benchhost emulator run`` with zero cloud latency unless told otherwise."""
    options = list(arguments) or ["--latency", "none"]
    if subscription is not None:
        options += ["--subscription-id", subscription]
    argv = [
        *BENCHHOST, "emulator", "run", "--directory", str(directory), "--resource-group", f"{RESOURCE_GROUP}@eastus",
        *options,
    ]  # fmt: skip
    with Command(argv, directory.with_suffix(".log")) as command:
        command.wait_for(_IS_UP)
        connection = json.loads((directory / "connection.json").read_text())
        yield Emulator(command, directory, connection)


def start_controller(
    kubeconfig: Path, emulator: Emulator, log: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Command:
    """``benchhost operator run`` against the emulator."""
    argv = [*BENCHHOST, "operator", "run", "--kubeconfig", str(kubeconfig), *options]
    return Command(argv, log, environment={**emulator.environment, **(environment or {})})


@dataclass
class Stack:
    """A namespace of its own with credentials in it, a controller that watches it, and a cloud."""

    kubectl: Kubectl
    emulator: Emulator
    directory: Path
    controller: Command | None = None
    options: tuple[str, ...] = ()
    """Of every controller that is started."""

    def start_controller(
        self, *options: str, kubeconfig: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Command:
        """Start the controller; after a crash, start it again."""
        self.controller = start_controller(
            kubeconfig or self.kubectl.kubeconfig,
            self.emulator,
            self.directory / "controller.log",
            "--namespace",
            self.kubectl.namespace,
            "--poll-interval",
            "0.05",
            *self.options,
            *options,
            environment=environment,
        )
        return self.controller

    def kill_controller(self) -> None:
        """End it as a crash would."""
        if self.controller is not None:
            self.controller.kill()
            self.controller = None

    def end(self) -> None:
        """Delete every host, as the last user would, and stop the controller."""
        if self.controller is None:
            self.start_controller()
        self.kubectl.run("delete", "benchhosts", "--all", "--wait=false", check=False)
        self.kubectl.run("wait", "benchhosts", "--all", "--for=delete", "--timeout=30s", check=False)
        if self.controller is not None:
            self.controller.stop()

    def host(self, name: str, /, *, spec: Mapping[str, Any] | None = None, **azure: Any) -> dict[str, Any]:
        """A valid BenchHost in the emulated subscription."""
        return {
            "apiVersion": "benchhost.dev/v1alpha1",
            "kind": "BenchHost",
            "metadata": {"name": name, "namespace": self.kubectl.namespace},
            "spec": {
                "credentialsRef": {"name": "azure-credentials"},
                "azure": azure_spec(
                    **{"subscriptionId": self.emulator.connection["subscriptionId"], "resourceGroup": RESOURCE_GROUP}
                    | azure
                ),
                **(spec or {}),
            },
        }

    def create_ready(self, name: str, /, **parts: Any) -> dict[str, Any]:
        """Apply a host and wait until it is Ready."""
        self.kubectl.apply(self.host(name, **parts))
        self.kubectl.wait(f"benchhost/{name}", "condition=Ready")
        return self.get(name)

    def get(self, name: str) -> dict[str, Any]:
        """The object as it is now."""
        return self.kubectl.get("benchhost", name)

    def condition(self, name: str, kind: str) -> dict[str, Any] | None:
        """One condition of it, or None."""
        conditions = self.get(name)["status"]["conditions"]
        return next((condition for condition in conditions if condition["type"] == kind), None)


@contextmanager
def running_stack(kubectl: Kubectl, emulator: Emulator, directory: Path, *options: str) -> Iterator[Stack]:
    """A namespace with credentials in it, watched by a controller, over an emulated subscription."""
    kubectl.apply(credentials_secret(emulator, kubectl.namespace))
    running = Stack(kubectl, emulator, directory, options=options)
    running.start_controller()
    try:
        yield running
    finally:
        running.end()


def credentials_secret(emulator: Emulator, namespace: str, **changes: str) -> dict[str, Any]:
    """The Secret that a BenchHost names."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "azure-credentials", "namespace": namespace},
        "stringData": emulator.credentials | changes,
    }
