"""One running control plane, as a user, a stranger on the same machine and a controller see it."""

import json
import ssl
import stat
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchhost.local import AccessError, ControlPlane, LocalControlPlane, ServiceAccount, User
from integration.local.process_table import is_running, listening_addresses

LOOPBACK = "0100007F"
"""127.0.0.1 as /proc/net/tcp writes it."""

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap"}

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "probes.local.test"},
    "spec": {
        "group": "local.test",
        "scope": "Namespaced",
        "names": {"kind": "Probe", "plural": "probes"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def create(control_plane: ControlPlane, document: dict[str, Any]) -> dict[str, Any]:
    created: dict[str, Any] = json.loads(
        control_plane.run_kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(document))
    )
    return created


def kubectl_as(control_plane: ControlPlane, kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(control_plane.kubectl), f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def authority_of(control_plane: LocalControlPlane) -> Path:
    return control_plane.directory / "pki" / "benchhost-cluster-ca.crt"


def etcd_port(control_plane: LocalControlPlane) -> int:
    command = Path(f"/proc/{control_plane.processes['etcd']}/cmdline").read_text().split("\0")
    url = next(part for part in command if part.startswith("--advertise-client-urls="))
    return int(url.rpartition(":")[2])


def test_kubectl_finds_the_namespace_default(local_control_plane: LocalControlPlane) -> None:
    assert "namespace/default" in local_control_plane.run_kubectl("get", "namespaces", "-o", "name")


def test_kubeconfig_is_private_complete_and_checks_the_server(local_control_plane: LocalControlPlane) -> None:
    file = local_control_plane.kubeconfig
    content = yaml.safe_load(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(local_control_plane.directory.stat().st_mode) == 0o700
    assert set(content["clusters"][0]["cluster"]) == {"server", "certificate-authority-data"}
    assert set(content["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}
    assert content["clusters"][0]["cluster"]["server"] == local_control_plane.server


def test_private_keys_are_readable_by_their_owner_only(local_control_plane: LocalControlPlane) -> None:
    keys = list((local_control_plane.directory / "pki").glob("*.key"))
    assert keys
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_every_component_listens_on_loopback_only(local_control_plane: LocalControlPlane) -> None:
    addresses = {name: listening_addresses(pid) for name, pid in local_control_plane.processes.items()}
    assert addresses == {
        "etcd": {LOOPBACK},
        "kube-apiserver": {LOOPBACK},
        "kube-controller-manager": {LOOPBACK},
        "supervisor": set(),
    }


def test_a_client_without_the_authority_refuses_the_server(local_control_plane: LocalControlPlane) -> None:
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"{local_control_plane.server}/readyz", timeout=10)  # noqa: S310 - always https


def test_a_client_without_credentials_is_unauthorized(local_control_plane: LocalControlPlane) -> None:
    context = ssl.create_default_context(cafile=str(authority_of(local_control_plane)))
    with pytest.raises(urllib.error.HTTPError, match="Unauthorized") as refused:
        urllib.request.urlopen(f"{local_control_plane.server}/readyz", timeout=10, context=context)  # noqa: S310 - always https
    refused.value.close()


def test_the_clusters_administrator_cannot_open_etcd(local_control_plane: LocalControlPlane) -> None:
    pki = local_control_plane.directory / "pki"
    context = ssl.create_default_context(cafile=str(pki / "benchhost-etcd-ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    url = f"https://127.0.0.1:{etcd_port(local_control_plane)}/health"
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        urllib.request.urlopen(url, timeout=10, context=context)
    context.load_cert_chain(pki / "etcd-client.crt", pki / "etcd-client.key")
    with urllib.request.urlopen(url, timeout=10, context=context) as answer:
        assert answer.status == 200


def test_rbac_binds_a_service_account(local_control_plane: LocalControlPlane) -> None:
    account = ServiceAccount("reader")
    local_control_plane.run_kubectl("create", "serviceaccount", account.name)
    kubeconfig = local_control_plane.kubeconfig_for(account)
    refused = kubectl_as(local_control_plane, kubeconfig, "get", "configmaps")
    assert refused.returncode == 1
    assert 'User "system:serviceaccount:default:reader" cannot list resource "configmaps"' in refused.stderr
    local_control_plane.run_kubectl(
        "create", "rolebinding", "reader", "--clusterrole=view", "--serviceaccount=default:reader"
    )
    assert kubectl_as(local_control_plane, kubeconfig, "get", "configmaps").returncode == 0
    assert kubectl_as(local_control_plane, kubeconfig, "delete", "configmap", "kube-root-ca.crt").returncode == 1
    assert stat.S_IMODE(kubeconfig.stat().st_mode) == 0o600


def test_rbac_binds_a_user_with_a_client_certificate(local_control_plane: LocalControlPlane) -> None:
    stranger = local_control_plane.kubeconfig_for(User("ada", groups=("bench",)))
    who = kubectl_as(local_control_plane, stranger, "auth", "whoami", "-o", "json")
    told = json.loads(who.stdout)["status"]["userInfo"]
    assert (told["username"], "bench" in told["groups"]) == ("ada", True)
    refused = kubectl_as(local_control_plane, stranger, "get", "secrets")
    assert 'User "ada" cannot list resource "secrets"' in refused.stderr


def test_a_token_for_an_account_that_is_not_there_is_refused_in_a_sentence(
    local_control_plane: LocalControlPlane,
) -> None:
    with pytest.raises(AccessError, match='serviceaccounts "nobody" not found'):
        local_control_plane.kubeconfig_for(ServiceAccount("nobody"))


def test_a_deleted_namespace_goes_away_with_its_content(local_control_plane: LocalControlPlane) -> None:
    local_control_plane.run_kubectl("create", "namespace", "gone")
    create(local_control_plane, {**CONFIG_MAP, "metadata": {"name": "content", "namespace": "gone"}})
    local_control_plane.run_kubectl("delete", "namespace", "gone", "--wait=true", "--timeout=20s")
    assert local_control_plane.run_kubectl("get", "namespace", "gone", "--ignore-not-found") == ""


def test_what_belongs_to_a_deleted_owner_is_collected(local_control_plane: LocalControlPlane) -> None:
    owner = create(local_control_plane, {**CONFIG_MAP, "metadata": {"name": "owner"}})["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    create(local_control_plane, {**CONFIG_MAP, "metadata": {"name": "owned", "ownerReferences": [reference]}})
    local_control_plane.run_kubectl("delete", "configmap", "owner")
    local_control_plane.run_kubectl("wait", "configmap/owned", "--for=delete", "--timeout=20s")


def wait_established(control_plane: LocalControlPlane, crd: str) -> None:
    """Wait until it is served; kubectl itself stumbles over one whose conditions are not there yet."""
    end = time.monotonic() + 60
    while True:
        try:
            control_plane.run_kubectl("wait", f"crd/{crd}", "--for=condition=Established", "--timeout=20s")
        except AccessError:
            assert time.monotonic() < end
            time.sleep(0.2)
        else:
            return


def test_a_custom_resource_is_served_and_deleted_with_its_definition(local_control_plane: LocalControlPlane) -> None:
    create(local_control_plane, CRD)
    wait_established(local_control_plane, "probes.local.test")
    create(local_control_plane, {"apiVersion": "local.test/v1", "kind": "Probe", "metadata": {"name": "one"}})
    assert local_control_plane.run_kubectl("get", "probes", "-o", "name") == "probe.local.test/one\n"
    local_control_plane.run_kubectl("delete", "crd", "probes.local.test", "--wait=true", "--timeout=20s")
    with pytest.raises(AccessError, match=r"could not find the requested resource|doesn't have a resource type"):
        local_control_plane.run_kubectl("get", "probes")


def test_a_pod_gets_a_token_of_its_service_account(local_control_plane: LocalControlPlane) -> None:
    container = {"name": "main", "image": "example.invalid/none"}
    pod = create(
        local_control_plane,
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "idle"}, "spec": {"containers": [container]}},
    )
    sources = [source for volume in pod["spec"]["volumes"] for source in volume["projected"]["sources"]]
    assert any("serviceAccountToken" in source for source in sources)
    local_control_plane.run_kubectl("create", "token", "default", "--bound-object-kind=Pod", "--bound-object-name=idle")


def test_the_api_server_restarts_on_the_same_port_and_keeps_the_data(local_control_plane: LocalControlPlane) -> None:
    create(local_control_plane, {**CONFIG_MAP, "metadata": {"name": "before"}})
    server, before = local_control_plane.server, dict(local_control_plane.processes)
    local_control_plane.restart_api_server()
    after = dict(local_control_plane.processes)
    assert local_control_plane.server == server
    assert not is_running(before["kube-apiserver"])
    assert after["kube-apiserver"] != before["kube-apiserver"]
    assert after["etcd"] == before["etcd"]
    assert "before" in local_control_plane.run_kubectl("get", "configmap", "before")
    assert local_control_plane.wait_for_failure(0) is None, "a restart that was asked for is no failure"
