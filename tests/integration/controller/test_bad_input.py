"""What is refused, missing or broken ends in one clear sentence where a user looks for it."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.builders import azure_spec
from support.stack import Kubectl, Stack, credentials_secret, start_controller

VALID: dict[str, Any] = {
    "apiVersion": "benchhost.dev/v1alpha1",
    "kind": "BenchHost",
    "metadata": {"name": "pg-1"},
    "spec": {"azure": azure_spec()},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The valid object with one field set, or removed when the value is None."""
    document: dict[str, Any] = json.loads(json.dumps(VALID))
    *steps, last = path.split(".")
    target: Any = document
    for step in steps:
        target = target[step]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return document


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param(changed("spec.powerState", "On"), ["spec.powerState", "Running"], id="unknown-power-state"),
        pytest.param(changed("spec.azure.sizes", []), ["spec.azure.sizes", "at least 1"], id="no-size"),
        pytest.param(changed("spec.azure.location", None), ["spec.azure.location", "Required"], id="no-location"),
        pytest.param(changed("spec.azure", None), ["spec.azure", "Required"], id="no-provider"),
        pytest.param(changed("spec.azure.sizs", ["x"]), ['unknown field "spec.azure.sizs"'], id="misspelt-field"),
        pytest.param(
            changed("spec.azure.subscriptionId", "mine"), ["spec.azure.subscriptionId"], id="subscription-is-no-guid"
        ),
        pytest.param(
            changed("spec.azure.image", {"offer": "x"}),
            ["spec.azure.image", "give publisher, offer, sku and version"],
            id="half-an-image",
        ),
        pytest.param(
            changed("spec.azure.network", {}),
            ["spec.azure.network", "exactly one of subnetId and virtualNetwork"],
            id="no-network",
        ),
        pytest.param(
            changed("spec.azure.admin", {"username": "bench"}),
            ["spec.azure.admin", "sshPublicKeys or sshPublicKeysRef"],
            id="no-key",
        ),
        pytest.param(
            changed("spec.azure.admin.sshPublicKeys", ["-----BEGIN OPENSSH PRIVATE KEY-----"]),
            ["spec.azure.admin.sshPublicKeys"],
            id="a-private-key-by-mistake",
        ),
        pytest.param(changed("spec.timeouts", {"start": "5 min"}), ["spec.timeouts.start"], id="not-a-duration"),
        pytest.param(changed("spec.restartAt", "tomorrow"), ["spec.restartAt"], id="not-a-time"),
        pytest.param(changed("spec.lifetime", "9999999999999h"), ["spec.lifetime"], id="longer-than-all-years"),
        pytest.param(
            changed("spec.azure.tags", {"BenchHost-uid": "a"}),
            ["spec.azure.tags", "benchhost-", "choose another name"],
            id="a-tag-of-the-controller-s",
        ),
        pytest.param(
            changed("spec.azure.tags", {"a" * 513: "a"}),
            ["spec.azure.tags", "512 characters", "shorter name"],
            id="a-tag-with-a-long-name",
        ),
        pytest.param(
            changed("spec.azure.tags", {"a\\b": "a"}),
            ["spec.azure.tags", "choose another name"],
            id="a-tag-with-a-backslash",
        ),
        pytest.param(
            changed("spec.azure.tags", {"cost/center": "a"}),
            ["spec.azure.tags", "choose another name"],
            id="a-tag-with-a-slash",
        ),
        pytest.param(
            changed("spec.azure.tags", {"a": "b" * 257}), ["spec.azure.tags", "256"], id="a-tag-with-a-long-value"
        ),
        pytest.param(
            changed("spec.azure.tags", {f"tag-{number}": "" for number in range(41)}),
            ["spec.azure.tags", "at most 40"],
            id="more-tags-than-azure-has-room-for",
        ),
    ],
)
def test_the_api_server_refuses_and_names_the_field(
    document: dict[str, Any], words: list[str], kubectl: Kubectl
) -> None:
    refused = kubectl.apply(document, check=False)
    assert refused.returncode != 0
    for word in words:
        assert word in refused.stderr


EPHEMERAL = changed("spec.azure.osDisk", {"ephemeral": True})["spec"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param(
            {"powerState": "Deallocated"}, ["Azure can neither stop nor deallocate", "or delete"], id="put-aside"
        ),
        pytest.param({"powerState": "Stopped"}, ["Azure can neither stop nor deallocate", "or delete"], id="stopped"),
        pytest.param({"lifetime": "8h"}, ["Azure cannot deallocate", "expiryAction: Delete"], id="ended-by-time"),
        pytest.param(
            {"holder": {"leaseName": "trial-1"}},
            ["Azure cannot deallocate", "onLost: Delete"],
            id="ended-by-its-holder",
        ),
        pytest.param(
            {"reallocateAt": "2026-01-01T00:00:00Z"}, ["Azure cannot deallocate", "spec.reallocateAt"], id="moved"
        ),
        pytest.param(
            {"azure": EPHEMERAL["azure"] | {"spot": {}}},
            ["Azure cannot deallocate", "evictionPolicy: Delete"],
            id="kept",
        ),
    ],
)
def test_a_host_with_an_ephemeral_disk_cannot_be(spec: dict[str, Any], words: list[str], kubectl: Kubectl) -> None:
    refused = kubectl.run("apply", "-f", "-", stdin=json.dumps(VALID | {"spec": EPHEMERAL | spec}), check=False)
    assert refused.returncode != 0
    assert all(word in refused.stderr for word in words), refused.stderr


def test_a_disk_cannot_shrink_and_no_two_have_one_number(kubectl: Kubectl) -> None:
    disk = {"lun": 1, "sizeGiB": 64}
    kubectl.apply(changed("spec.azure.dataDisks", [disk]))
    for disks, word in (([disk | {"sizeGiB": 32}], "a disk can grow and not shrink"), ([disk, disk], "Duplicate")):
        patch = json.dumps({"spec": {"azure": {"dataDisks": disks}}})
        refused = kubectl.run("patch", "bh", "pg-1", "--type=merge", "-p", patch, check=False)
        assert refused.returncode != 0
        assert word in refused.stderr


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zones", ["1"]),
        ("spot", {}),
        ("location", "westus"),
        ("resourceGroup", "other"),
        ("name", "given-later"),
        ("customData", "#!/bin/sh"),
        ("image", {"id": "/subscriptions/x"}),
    ],
)
def test_what_cannot_change_is_refused_with_what_to_do(field: str, value: Any, kubectl: Kubectl) -> None:
    kubectl.apply(VALID)
    refused = kubectl.run(
        "patch", "bh", "pg-1", "--type=merge", "-p", json.dumps({"spec": {"azure": {field: value}}}), check=False
    )
    assert refused.returncode != 0
    assert f"spec.azure.{field} is immutable" in refused.stderr
    assert "delete the BenchHost and create it again" in refused.stderr


def stalled(stack: Stack, name: str) -> tuple[str, str]:
    stack.kubectl.wait(f"benchhost/{name}", "condition=Stalled")
    condition = stack.condition(name, "Stalled")
    assert condition is not None
    ready = stack.condition(name, "Ready")
    assert ready is not None
    assert ready["status"] == "False"
    return condition["reason"], condition["message"]


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        pytest.param(
            {"spec": {"credentialsRef": {"name": "nowhere"}}},
            "CredentialsMissing",
            ["Secret", "/nowhere", "spec.credentialsRef"],
            id="no-such-secret",
        ),
        pytest.param(
            {"spec": {"credentialsRef": None}},
            "CredentialsMissing",
            ["spec.credentialsRef is absent", "controller's own"],
            id="no-credentials-and-no-right-to-the-controller-s",
        ),
        pytest.param(
            {"customDataRef": {"name": "cloud-init", "key": "user-data"}},
            "SecretMissing",
            ["cloud-init", "spec.azure.customDataRef", "does not exist"],
            id="no-custom-data",
        ),
        pytest.param(
            {"admin": {"sshPublicKeysRef": {"name": "azure-credentials", "key": "keys"}}},
            "SecretMissing",
            ["has no key keys", "spec.azure.admin.sshPublicKeysRef"],
            id="no-key-in-the-secret",
        ),
        pytest.param({"resourceGroup": "nowhere"}, "ResourceGroupNotFound", ["nowhere"], id="no-such-resource-group"),
        pytest.param({"sizes": ["Standard_Nope"]}, "InvalidSpec", ["Standard_Nope"], id="no-such-size"),
    ],
)
def test_a_condition_says_what_is_wrong(changes: dict[str, Any], reason: str, words: list[str], stack: Stack) -> None:
    stack.kubectl.apply(stack.host("pg-1", **changes))
    seen, message = stalled(stack, "pg-1")
    assert seen == reason
    for word in words:
        assert word in message
    stack.kubectl.run("delete", "bh", "pg-1", "--timeout=30s")
    assert stack.emulator.resources() == []


def test_rejected_credentials_are_told_without_the_secret_and_recover_by_themselves(stack: Stack) -> None:
    secret = "wrong-" + "s3cret"
    stack.kubectl.apply(credentials_secret(stack.emulator, stack.kubectl.namespace, AZURE_CLIENT_SECRET=secret))
    stack.kubectl.apply(stack.host("pg-1"))
    reason, message = stalled(stack, "pg-1")
    assert reason == "CredentialsRejected"
    assert "AADSTS7000215" in message
    told = stack.kubectl.run("describe", "bh", "pg-1").stdout + (stack.directory / "controller.log").read_text()
    assert secret not in told
    stack.kubectl.apply(credentials_secret(stack.emulator, stack.kubectl.namespace))
    stack.kubectl.wait("benchhost/pg-1", "condition=Ready")


def test_an_unreachable_cloud_is_a_condition_and_not_the_end(stack: Stack) -> None:
    stack.create_ready("pg-1")
    stack.emulator.command.kill()
    stack.kubectl.patch("pg-1", {"powerState": "Stopped"})
    stack.kubectl.wait("benchhost/pg-1", "condition=Synced=False")
    stack.kubectl.wait("benchhost/pg-1", "jsonpath={.status.failure.reason}=CloudUnreachable")
    assert stack.controller is not None
    assert stack.controller.process.poll() is None
    assert "Traceback" not in stack.controller.output
    stack.controller.stop()  # the way out that the operations guide gives for a cloud that is gone for good
    stack.kubectl.run("delete", "bh", "pg-1", "--wait=false")
    stack.kubectl.run("patch", "bh", "pg-1", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param(
            {"AZURE_RESOURCE_MANAGER_ENDPOINT": "http://localhost:1"},
            ["AZURE_RESOURCE_MANAGER_ENDPOINT"],
            id="no-https",
        ),
        pytest.param({"AZURE_CA_BUNDLE": "/nowhere/ca.pem"}, ["AZURE_CA_BUNDLE", "/nowhere/ca.pem"], id="no-bundle"),
    ],
)
def test_a_wrong_setting_ends_the_controller_with_a_sentence(
    environment: dict[str, str], words: list[str], stack: Stack, tmp_path: Path
) -> None:
    command = start_controller(stack.kubectl.kubeconfig, stack.emulator, tmp_path / "bad.log", environment=environment)
    assert command.wait() == 1
    assert "Traceback" not in command.output
    for word in words:
        assert word in command.output


@pytest.mark.parametrize(
    ("kubeconfig", "words"),
    [
        pytest.param("", ["kubeconfig"], id="an-empty-kubeconfig"),
        pytest.param(
            "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'https://127.0.0.1:9'}}]\n"
            "users: [{name: a, user: {token: x}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
            "current-context: a\n",
            ["127.0.0.1:9", "cannot be reached"],
            id="nobody-there",
        ),
    ],
)
def test_a_cluster_that_cannot_be_used_ends_the_controller_with_a_sentence(
    kubeconfig: str, words: list[str], stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig)
    command = start_controller(file, stack.emulator, tmp_path / "bad.log")
    assert command.wait() != 0
    assert "Traceback" not in command.output
    for word in words:
        assert word in command.output
