"""A host's life as a user sees it: real API server, real kubectl, real SDK, emulated Azure."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchhost.api.spec import BenchHostSpec
from benchhost.azure import AzureCloudSettings, credentials_from_secret
from benchhost.azure.clients import AzureClients
from benchhost.cloud import HostRequest, Owner
from benchhost.local import ServiceAccount
from support.foreign_machine import put_foreign_machine
from support.stack import RESOURCE_GROUP, ROOT, Kubectl, Stack


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def history(host: dict[str, Any]) -> list[str]:
    return [entry["type"] for entry in host["status"]["history"]]


def test_apply_gives_a_running_host_and_delete_leaves_nothing(stack: Stack) -> None:
    host = stack.create_ready("pg-1")
    status = host["status"]
    assert status["powerState"] == "Running"
    assert status["observedGeneration"] == host["metadata"]["generation"]
    assert status["providerId"].startswith(f"azure:///subscriptions/{stack.emulator.connection['subscriptionId']}/")
    assert status["size"] == "Standard_D2s_v5"
    assert {address["type"] for address in status["addresses"]} == {"InternalIP", "ExternalIP"}
    assert status["placement"]["epoch"] == 1
    kinds = [row.split("/")[0] for row in stack.emulator.resources()]
    assert kinds == ["disks", "networkInterfaces", "publicIPAddresses", "virtualMachines", "virtualNetworks"]

    table = stack.kubectl.run("get", "bh", "pg-1").stdout.splitlines()
    assert table[0].split() == ["NAME", "POWER", "READY", "PHASE", "SIZE", "ADDRESS", "EPOCH", "AGE"]
    assert table[1].split()[:5] == ["pg-1", "Running", "True", "Running", "Standard_D2s_v5"]

    stack.kubectl.run("delete", "bh", "pg-1", "--timeout=30s")
    assert stack.emulator.resources() == []


def test_power_states_follow_the_spec_and_epochs_follow_the_hardware(stack: Stack) -> None:
    stack.create_ready("pg-1")
    for wanted, epoch in [("Stopped", 1), ("Running", 1), ("Deallocated", 1), ("Running", 2)]:
        stack.kubectl.patch("pg-1", {"powerState": wanted})
        stack.kubectl.wait("benchhost/pg-1", f"jsonpath={{.status.phase}}={wanted}")
        status = stack.get("pg-1")["status"]
        assert (status["powerState"], status["placement"]["epoch"]) == (wanted, epoch)
        synced = stack.condition("pg-1", "Synced")
        assert synced is not None
        assert synced["status"] == "True"
        assert (stack.condition("pg-1", "Ready") is not None) is (wanted == "Running")
    assert history(stack.get("pg-1")) == ["Provision", "Stop", "Start", "Deallocate", "Start"]


def test_a_restart_request_is_answered_once(stack: Stack) -> None:
    stack.create_ready("pg-1")
    asked = now()
    for attempt in ("1", "2"):  # asking again at the same time restarts nothing
        stack.kubectl.patch("pg-1", {"restartAt": asked, "azure": {"tags": {"attempt": attempt}}})
        generation = stack.get("pg-1")["metadata"]["generation"]
        stack.kubectl.wait("benchhost/pg-1", f"jsonpath={{.status.conditions[0].observedGeneration}}={generation}")
        stack.kubectl.wait("benchhost/pg-1", "condition=Synced")
    host = stack.get("pg-1")
    assert history(host).count("Restart") == 1
    assert datetime.fromisoformat(host["status"]["lastRestartTime"]) >= datetime.fromisoformat(asked)
    assert host["status"]["placement"]["epoch"] == 1


def test_a_reallocation_asks_for_other_hardware(stack: Stack) -> None:
    before = stack.create_ready("pg-1")
    stack.kubectl.patch("pg-1", {"reallocateAt": before["status"]["placement"]["since"]})
    stack.kubectl.patch("pg-1", {"reallocateAt": "2099-01-01T00:00:00Z"})
    stack.kubectl.wait("benchhost/pg-1", "condition=Synced")
    assert stack.get("pg-1")["status"]["placement"]["epoch"] == 1
    stack.kubectl.patch("pg-1", {"reallocateAt": now()})
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.placement.epoch}=2")
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready")
    status = stack.get("pg-1")["status"]
    assert status["placement"]["reason"] == "Reallocated"
    assert history(stack.get("pg-1")) == ["Provision", "Reallocate", "Start"]


def test_another_size_resizes_the_host_and_says_so(stack: Stack) -> None:
    stack.create_ready("pg-1")
    stack.kubectl.patch("pg-1", {"azure": {"sizes": ["Standard_D8s_v5"]}})
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.size}=Standard_D8s_v5")
    stack.kubectl.wait("benchhost/pg-1", "condition=Synced")
    status = stack.get("pg-1")["status"]
    assert status["placement"]["reason"] == "Resized"


def test_a_host_that_shall_not_run_is_not_made(stack: Stack) -> None:
    stack.kubectl.apply(stack.host("pg-1", spec={"powerState": "Deallocated"}))
    stack.kubectl.wait("benchhost/pg-1", "condition=Synced")
    assert stack.emulator.resources() == []


def test_two_hosts_share_a_network_and_the_last_one_takes_it_away(stack: Stack) -> None:
    stack.create_ready("pg-1")
    stack.create_ready("pg-2")
    stack.kubectl.run("delete", "bh", "pg-1", "--timeout=30s")
    assert "virtualNetworks/bench-net" in stack.emulator.resources()
    stack.kubectl.wait("benchhost/pg-2", "condition=Ready")
    stack.kubectl.run("delete", "bh", "pg-2", "--timeout=30s")
    assert stack.emulator.resources() == []


def test_retain_leaves_the_machine_to_its_owner_and_adopt_takes_it_back(stack: Stack) -> None:
    stack.kubectl.apply(stack.host("pg-1", spec={"deletionPolicy": "Retain"}, name="keepsake"))
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready")
    stack.kubectl.run("delete", "bh", "pg-1", "--timeout=30s")
    kept = stack.emulator.resources()
    assert "virtualMachines/keepsake" in kept

    stack.kubectl.apply(stack.host("pg-2", name="keepsake"))
    stack.kubectl.wait("benchhost/pg-2", "condition=Stalled")
    stalled = stack.condition("pg-2", "Stalled")
    assert stalled is not None
    assert stalled["reason"] == "NotOwned"
    assert "adopt: true" in stalled["message"]

    stack.kubectl.patch("pg-2", {"adopt": True})
    stack.kubectl.wait("benchhost/pg-2", "condition=Ready")
    assert stack.emulator.resources() == kept


async def make_foreign_machine(stack: Stack, host: dict[str, Any]) -> None:
    """A machine that somebody made by hand, under the name that the host's spec gives."""
    connection = stack.emulator.connection
    settings = AzureCloudSettings.from_environment(stack.emulator.environment)
    clients = AzureClients(settings, credentials_from_secret(stack.emulator.credentials))
    owner = Owner(cluster="", namespace=stack.kubectl.namespace, name="", uid=connection["subscriptionId"])
    request = HostRequest(owner, BenchHostSpec.model_validate(host["spec"]), "Standard_D2s_v5")
    try:
        await put_foreign_machine(clients, request, lambda: asyncio.sleep(0.05))
    finally:
        await clients.close()


def test_a_machine_that_somebody_made_by_hand_is_adopted_as_it_is(stack: Stack) -> None:
    host = stack.host("pg-1", spec={"adopt": True}, name="db-1")
    asyncio.run(make_foreign_machine(stack, host))
    before = stack.emulator.resources()
    stack.kubectl.apply(host)
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready")
    stack.kubectl.wait("benchhost/pg-1", "condition=Synced")
    status = stack.get("pg-1")["status"]
    assert {address["type"] for address in status["addresses"]} == {"InternalIP", "ExternalIP"}
    assert status["sshEndpoint"]["host"]
    assert stack.emulator.resources() == before
    # Its boot diagnostics were off; switching them on has left it what it had.
    assert history(stack.get("pg-1")) == ["Update", "Update"]

    stack.kubectl.run("delete", "bh", "pg-1", "--timeout=30s")
    assert stack.emulator.resources() == [one for one in before if one != "virtualMachines/db-1"]


def test_paused_changes_nothing_until_it_is_lifted(stack: Stack) -> None:
    stack.create_ready("pg-1")
    stack.kubectl.patch("pg-1", {"paused": True, "powerState": "Stopped"})
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.observedGeneration}=2")
    synced = stack.condition("pg-1", "Synced")
    assert synced is not None
    assert (synced["reason"], stack.get("pg-1")["status"]["powerState"]) == ("Paused", "Running")
    stack.kubectl.patch("pg-1", {"paused": False})
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.powerState}=Stopped")


def test_the_controller_needs_no_more_than_its_role(stack: Stack, control_plane: Any) -> None:
    stack.kill_controller()
    account = ServiceAccount("benchhost-controller", "benchhost-system")
    stack.start_controller(kubeconfig=control_plane.kubeconfig_for(account))
    stack.create_ready("pg-1")
    stack.kubectl.patch("pg-1", {"powerState": "Deallocated"})
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.powerState}=Deallocated")
    stack.kubectl.run("delete", "bh", "pg-1", "--timeout=30s")
    assert stack.emulator.resources() == []


def test_a_token_that_is_replaced_while_the_controller_runs_is_taken_over(
    stack: Stack, control_plane: Any, tmp_path: Path
) -> None:
    account = ServiceAccount("short-lived", stack.kubectl.namespace)
    stack.kubectl.run("create", "serviceaccount", account.name)
    binding = f"{stack.kubectl.namespace}-short-lived"
    who = f"--serviceaccount={account.namespace}:{account.name}"
    stack.kubectl.run("create", "clusterrolebinding", binding, "--clusterrole=benchhost-controller", who)
    stack.kill_controller()
    kubeconfig = control_plane.kubeconfig_for(account)
    stack.start_controller(kubeconfig=kubeconfig)
    stack.create_ready("pg-1")

    old = tmp_path / "old-kubeconfig"
    old.write_bytes(kubeconfig.read_bytes())
    stack.kubectl.run("delete", "serviceaccount", account.name)  # from now on its token is worth nothing
    stack.kubectl.run("create", "serviceaccount", account.name)
    refused = Kubectl(stack.kubectl.binary, old, stack.kubectl.namespace)
    end = time.monotonic() + 60
    while "Unauthorized" not in refused.run("get", "benchhosts", check=False).stderr:
        assert time.monotonic() < end, "the API server still accepts the old token"
        time.sleep(0.5)  # it keeps what it knows of a token for some ten seconds
    assert control_plane.kubeconfig_for(account) == kubeconfig
    stack.kubectl.patch("pg-1", {"powerState": "Stopped"})
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.powerState}=Stopped", seconds=60)
    stack.kubectl.patch("pg-1", {"powerState": "Running"})
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready", seconds=60)
    stack.kill_controller()  # without its role it could not end what is left
    stack.kubectl.run("delete", "clusterrolebinding", binding)


@pytest.mark.parametrize("sample", sorted((ROOT / "manifests" / "samples").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_sample_is_accepted(sample: Any, kubectl: Kubectl) -> None:
    kubectl.run("apply", "--dry-run=server", "-f", str(sample))


def test_a_sample_becomes_a_host(stack: Stack) -> None:
    document = yaml.safe_load((ROOT / "manifests" / "samples" / "benchhost.yaml").read_text())
    document["spec"]["azure"] |= {
        "subscriptionId": stack.emulator.connection["subscriptionId"],
        "resourceGroup": RESOURCE_GROUP,
    }
    stack.kubectl.apply(document)
    stack.kubectl.wait("benchhost/postgres-bench", "condition=Ready")
