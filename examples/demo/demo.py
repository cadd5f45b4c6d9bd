"""The main job from end to end, on this machine: ``make demo``.

A real kube-apiserver, the real kubectl, the real controller with the real Azure SDK, the real mlos_bench; only Azure
itself is emulated. Every command is shown as a user would type it. Nothing is left running, however the demo ends.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import yaml
from rich.console import Console
from rich.rule import Rule

from benchhost.local import ControlPlaneError, ServiceAccount, find_control_plane, open_control_plane
from benchhost.mlos.ssh_library import asyncssh
from benchhost.mlos.workspace import prepare_workspace

ROOT: Final = Path(__file__).parents[2]
SAMPLE: Final = ROOT / "manifests" / "samples" / "benchhost.yaml"
BIN: Final = Path(sys.executable).parent
TIME_SCALE: Final = 0.05
"""Twenty times as fast as the recorded latencies of Azure: a machine is there after some three seconds."""

GUEST_PORT: Final = 2222
"""Where machines of the emulated subscription answer SSH: a port that anybody may listen on."""

CONTROLLER: Final = ServiceAccount("benchhost-controller", "benchhost-system")

console = Console(highlight=False)


class DemoError(Exception):
    """A step did not do what it should."""


class Shell:
    """Runs commands as a user would, in one folder and with one environment."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}

    def run_filtered(self, words: Sequence[str], *command: str, shown: str) -> None:
        """Show a command and run it; only lines with one of these words go to the terminal, unless it fails."""
        self._show(f"{shown} 2>&1 | grep -E '{'|'.join(words)}'")
        everything = []
        with subprocess.Popen(  # noqa: S603 - ours
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            for line in process.stdout or ():
                everything.append(line)
                if any(word in line for word in words):
                    console.print(line.rstrip(), markup=False)
        if process.returncode != 0:
            raise DemoError(f"{command[0]} ended with exit code {process.returncode}:\n{''.join(everything[-20:])}")

    def run(self, *command: str, shown: str | None = None) -> None:
        """Show a command and run it; its output goes to the terminal."""
        self._show(shown or " ".join(command))
        done = subprocess.run(command, cwd=self.folder, env=self.environment, check=False)  # noqa: S603 - ours
        if done.returncode != 0:
            raise DemoError(f"{command[0]} ended with exit code {done.returncode}")

    def watch_until(self, word: str, *command: str, seconds: float = 90) -> None:
        """Show a command that goes on for ever, until a line of its output has this word."""
        self._show(" ".join(command))
        started = time.monotonic()
        with subprocess.Popen(  # noqa: S603 - ours
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                for line in process.stdout or ():
                    console.print(line.rstrip(), markup=False)
                    if word in line.split():
                        return
                    if time.monotonic() - started > seconds:
                        break
            finally:
                process.terminate()
        raise DemoError(f"{' '.join(command)} did not show {word} within {seconds:.0f} s")

    @staticmethod
    def _show(command: str) -> None:
        console.print(f"[bold green]$[/bold green] [bold]{command}[/bold]")


@contextmanager
def background(name: str, command: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """A process beside the demo; gives its log. It ends with the context."""
    log = folder / f"{name}.log"
    with (
        log.open("w") as output,
        subprocess.Popen(  # noqa: S603 - ours
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}, start_new_session=True
        ) as process,
    ):
        try:
            yield log
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_for_file(path: Path, log: Path, seconds: float = 20) -> None:
    """Wait until a process has written this file, which it does when it is ready."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise DemoError(f"{path.name} was not written in time; see {log}:\n{log.read_text()}")
        time.sleep(0.05)


def read_environment(file: Path) -> dict[str, str]:
    """KEY=value lines."""
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


def title(number: int, text: str) -> None:
    """A heading."""
    console.print()
    console.print(Rule(f"[bold]{number}. {text}[/bold]", align="left"))


def start_cloud(stack: ExitStack, folder: Path) -> tuple[Path, dict[str, str]]:
    """The emulated subscription; gives its folder and its settings."""
    azure = yaml.safe_load(SAMPLE.read_text())["spec"]["azure"]
    cloud = folder / "azure"
    command = [
        str(BIN / "benchhost"), "emulator", "run", f"--directory={cloud}", f"--time-scale={TIME_SCALE}",
        f"--subscription-id={azure['subscriptionId']}",
        f"--resource-group={azure['resourceGroup']}@{azure['location']}", "--guests", f"--guest-port={GUEST_PORT}",
    ]  # fmt: skip
    log = stack.enter_context(background("emulator", command, folder, {}))
    wait_for_file(cloud / "azure.env", log)
    return cloud, read_environment(cloud / "azure.env")


def start_controller(stack: ExitStack, folder: Path, kubeconfig: str, settings: dict[str, str]) -> None:
    """The controller, with the rights of its ServiceAccount and the four settings of any other cloud."""
    names = ("RESOURCE_MANAGER_ENDPOINT", "RESOURCE_MANAGER_AUDIENCE", "AUTHORITY_HOST", "CA_BUNDLE")
    environment = {f"AZURE_{name}": settings[f"AZURE_{name}"] for name in names}
    interval = f"--poll-interval={5 * TIME_SCALE}"
    command = [str(BIN / "benchhost"), "operator", "run", f"--kubeconfig={kubeconfig}", interval]
    log = stack.enter_context(background("controller", command, folder, environment))
    console.print("The controller runs as ServiceAccount benchhost-system/benchhost-controller; its log is", log)


def prove_empty(cloud: Path) -> None:
    """Ask the subscription itself."""
    command = [str(BIN / "benchhost"), "emulator", "resources", f"--directory={cloud}", "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    left = json.loads(done.stdout)
    if left["resources"]:
        raise DemoError(f"resources are left in the subscription: {done.stdout}")


def show_mlos_bench(shell: Shell, workspace: Path, azure: dict[str, str]) -> None:
    """A real experiment: five trials on a host of its own, and what it found."""
    prepare_workspace(ROOT / "examples" / "sqlite-tuning", workspace)
    shell.folder = workspace
    key = make_key(workspace / "id_ed25519")
    values = [f"--{name}={azure[name]}" for name in ("subscriptionId", "resourceGroup", "location")]
    values += [f"--sshPublicKeys={key}", "--sshPrivateKeyFile=id_ed25519", f"--sshPort={GUEST_PORT}"]
    command = ["benchhost-mlos-bench", "--config", "cli.jsonc", *values, "--log_level=INFO"]
    shell.run_filtered(("provisioner", "progress"), str(BIN / command[0]), *command[1:], shown=shlex.join(command))
    shell.run(
        sys.executable, "-m", "benchhost.mlos.results", "--config", "cli.jsonc", "--experiment", "sqlite-tuning",
        shown="python -m benchhost.mlos.results --config cli.jsonc --experiment sqlite-tuning",
    )  # fmt: skip
    shell.run(str(BIN / "benchhost"), "report", "--config", "cli.jsonc", shown="benchhost report --config cli.jsonc")


def make_key(file: Path) -> str:
    """An SSH key pair as ssh-keygen makes one; gives the public key."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment="bench@demo")
    key.write_private_key(file)
    file.chmod(0o600)
    return str(key.export_public_key().decode().strip())


def run(stack: ExitStack, folder: Path) -> None:
    """The whole story."""
    title(1, "A control plane, an Azure subscription, the controller")
    control_plane = stack.enter_context(open_control_plane(find_control_plane(), console))
    console.print(f"kube-apiserver and etcd run at {control_plane.server}")
    cloud, settings = start_cloud(stack, folder)
    console.print(
        f"Azure Resource Manager is emulated at {settings['AZURE_RESOURCE_MANAGER_ENDPOINT']} "
        f"with the recorded latencies of Azure, times {TIME_SCALE}"
    )
    tools = folder / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(control_plane.kubectl)
    shell = Shell(
        ROOT,
        {
            "KUBECONFIG": str(control_plane.kubeconfig),
            "PATH": f"{tools}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
        },
    )
    kubectl = str(tools / "kubectl")
    shell.run(kubectl, "apply", "-f", "crds/", shown="kubectl apply -f crds/")
    shell.run(kubectl, "apply", "-k", "manifests/base", shown="kubectl apply -k manifests/base")
    start_controller(stack, folder, str(control_plane.kubeconfig_for(CONTROLLER)), settings)

    title(2, "A host from kubectl apply")
    credentials = folder / "credentials.env"
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    credentials.write_text("".join(f"{name}={settings[name]}\n" for name in names))
    credentials.chmod(0o600)
    secret = ("create", "secret", "generic", "azure-credentials", f"--from-env-file={credentials}")
    shell.run(kubectl, *secret, shown="kubectl create secret generic azure-credentials --from-env-file=credentials.env")
    sample = str(SAMPLE.relative_to(ROOT))
    shell.run(kubectl, "apply", "-f", sample, shown=f"kubectl apply -f {sample}")
    shell.watch_until("True", "kubectl", "get", "benchhosts", "--watch")
    shell.run(
        str(BIN / "benchhost"), "emulator", "resources", f"--directory={cloud}", shown="benchhost emulator resources"
    )

    title(3, "A host for mlos_bench")
    show_mlos_bench(shell, folder / "experiment", yaml.safe_load(SAMPLE.read_text())["spec"]["azure"])

    title(4, "Nothing is left")
    shell.folder = ROOT
    shell.run(kubectl, "delete", "-f", sample, shown=f"kubectl delete -f {sample}")
    shell.run(
        str(BIN / "benchhost"), "emulator", "resources", f"--directory={cloud}", shown="benchhost emulator resources"
    )
    prove_empty(cloud)


def main() -> int:
    """Run the demo; gives the exit code."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="benchhost-demo-") as folder, ExitStack() as stack:
            run(stack, Path(folder))
    except (DemoError, ControlPlaneError) as error:
        console.print(f"[red]The demo failed:[/red] {error}")
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; everything that was started has been stopped.")
        return 130
    console.print(f"\nEverything has been stopped. The demo took {time.monotonic() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
