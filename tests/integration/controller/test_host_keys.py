"""Host keys from a guest's console to the object, on a real API server with the in-memory cloud."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config

from benchhost.api import Address, AddressType, BenchHost, get_condition, is_true
from benchhost.api.conditions import ConditionType
from benchhost.cloud import MachinePower
from support.bench import NAME, Bench
from support.builders import azure_spec
from support.consoles import ECDSA, ED25519, OTHER_ED25519, console
from support.stack import Kubectl

HERE = "127.0.0.1"


@pytest.fixture
async def bench(kubectl: Kubectl) -> AsyncIterator[Bench]:
    configuration = Configuration()
    await load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        running = Bench(client, kubectl)
        yield running
        await running.close()
        await running.wipe()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where a guest answers."""

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(accept, HERE, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def start(bench: Bench, port: int, **readiness: Any) -> None:
    """A host that takes over a machine which answers on this computer."""
    admin = {"username": "bench", "sshPublicKeys": [f"{ED25519} bench"], "sshPort": port}
    bench.create(adopt=True, readiness=readiness, azure=azure_spec(admin=admin))
    address = Address(type=AddressType.EXTERNAL_IP, address=HERE)
    bench.cloud.add_machine(await bench.request(), addresses=(address,), boot_diagnostics=True)


async def until(bench: Bench, holds: Callable[[BenchHost], bool]) -> BenchHost:
    """Passes until it holds; what goes on beside them has its time between two."""
    async with asyncio.timeout(60):
        while not holds(host := await bench.host()):
            await bench.step()
            await asyncio.sleep(0.02)
    return host


def is_ready(host: BenchHost) -> bool:
    return is_true(host.status.conditions, ConditionType.READY)


def reads(bench: Bench) -> int:
    return sum(call.method == "read_console" for call in bench.cloud.calls)


async def test_a_host_is_ready_with_its_keys_in_status(bench: Bench, port: int) -> None:
    await start(bench, port, hostKeys=True)
    host = await until(bench, lambda host: host.status.ssh_host_keys is not None)
    assert not is_ready(host)
    described = bench.kubectl.run("describe", "bh", NAME).stdout
    assert f"Port {port} answers; the host's SSH keys are not on its serial console yet." in " ".join(described.split())
    late = await until(bench, lambda host: "hostKeys: false" in message(host))
    assert not is_ready(late)
    later = "[ 4711.000000] eth0: link becomes ready\r\n" * 5000
    bench.cloud.set_console(await bench.request(), console(ECDSA, ED25519) + later)
    host = await until(bench, is_ready)
    assert host.status.ssh_endpoint is not None
    assert host.status.ssh_endpoint.to_dict() == {"host": HERE, "port": port, "hostKeys": [ECDSA, ED25519]}


def message(host: BenchHost) -> str:
    found = get_condition(host.status.conditions, ConditionType.READY)
    return found.message if found is not None else ""


async def test_a_controller_that_is_made_anew_goes_on_and_reads_no_more_than_it_must(bench: Bench, port: int) -> None:
    await start(bench, port, hostKeys=True)
    await until(bench, lambda host: host.status.ssh_host_keys is not None)
    await bench.close()
    bench.restart()
    bench.cloud.set_console(await bench.request(), console(ED25519))
    await until(bench, is_ready)
    await bench.close()
    bench.restart()
    count = reads(bench)
    # Whatever the console shows later, and however often it is switched off and on: it is the same disk.
    bench.cloud.set_console(await bench.request(), console(OTHER_ED25519))
    bench.cloud.set_power(await bench.request(), MachinePower.STOPPED)
    await until(bench, lambda host: host.status.reached_at is None)
    host = await until(bench, is_ready)
    assert host.status.ssh_endpoint is not None
    assert host.status.ssh_endpoint.host_keys == [ED25519]
    assert reads(bench) == count


async def test_a_host_that_asks_for_no_keys_has_its_console_left_alone(bench: Bench, port: int) -> None:
    await start(bench, port)
    host = await until(bench, is_ready)
    assert host.status.ssh_endpoint is not None
    assert (host.status.ssh_endpoint.port, host.status.ssh_endpoint.host_keys) == (port, [])
    assert reads(bench) == 0
    bench.cloud.set_console(await bench.request(), console(ED25519))
    await bench.patch({"readiness": {"hostKeys": True}})
    host = await until(bench, lambda host: bool(host.status.ssh_endpoint and host.status.ssh_endpoint.host_keys))
    await bench.patch({"readiness": {"hostKeys": False}})
    host = await until(bench, lambda host: host.status.ssh_host_keys is None)
    assert is_ready(host)


def test_keys_that_no_console_can_show_are_refused(kubectl: Kubectl) -> None:
    spec = {"readiness": {"hostKeys": True}, "azure": azure_spec(bootDiagnostics=False)}
    body = {"apiVersion": "benchhost.dev/v1alpha1", "kind": "BenchHost", "metadata": {"name": NAME}, "spec": spec}
    refused = kubectl.apply(body, check=False)
    assert refused.returncode != 0
    assert "spec.readiness.hostKeys is read from the serial console" in refused.stderr
    assert "remove one of the two" in refused.stderr


@pytest.mark.parametrize(
    ("admin", "words"),
    [
        pytest.param({"username": "other"}, "spec.azure.admin.username is immutable", id="another-name"),
        pytest.param({"sshPublicKeys": [ED25519]}, "spec.azure.admin.sshPublicKeys is immutable", id="other-keys"),
        pytest.param(
            {"sshPublicKeysRef": {"name": "a", "key": "b"}},
            "spec.azure.admin.sshPublicKeysRef is immutable and cannot be added",
            id="keys-from-a-secret",
        ),
    ],
)
def test_of_the_account_only_the_port_can_change(admin: dict[str, Any], words: str, kubectl: Kubectl) -> None:
    body = {"apiVersion": "benchhost.dev/v1alpha1", "kind": "BenchHost", "metadata": {"name": NAME}}
    kubectl.apply(body | {"spec": {"azure": azure_spec()}})
    kubectl.patch(NAME, {"azure": {"admin": {"sshPort": 2222}}})
    patch = json.dumps({"spec": {"azure": {"admin": admin}}})
    refused = kubectl.run("patch", "bh", NAME, "--type=merge", "-p", patch, check=False)
    assert refused.returncode != 0
    assert words in refused.stderr
    assert "delete the BenchHost and create it again" in refused.stderr
