"""The client's calls, on a real API server."""

import socket
from pathlib import Path

import pytest
import yaml

from benchhost.api import PowerState
from benchhost.client import (
    BenchHostClient,
    ConflictError,
    ConnectionSettings,
    CrdMissingError,
    Deadline,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnreachableError,
    UntrustedServerError,
)
from benchhost.client.transport import Collection
from support.builders import azure_spec
from support.stack import Kubectl

MANIFEST = {"metadata": {"name": "pg"}, "spec": {"azure": azure_spec()}}


def test_an_object_is_created_read_listed_changed_and_deleted(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    assert created.metadata.uid
    assert client.get("pg") == created
    assert [host.metadata.name for host in client.list()] == ["pg"]
    patched = client.patch("pg", {"spec": {"powerState": "Stopped"}})
    assert patched.spec.power_state is PowerState.STOPPED
    assert client.delete("pg") is True
    assert client.get("pg") is None
    assert client.delete("pg") is False


def test_lists_choose_by_label(client: BenchHostClient) -> None:
    client.create({**MANIFEST, "metadata": {"name": "a", "labels": {"team": "x"}}})
    client.create({**MANIFEST, "metadata": {"name": "b"}})
    assert [host.metadata.name for host in client.list(label_selector="team=x")] == ["a"]


def test_preconditions_protect_other_objects(client: BenchHostClient) -> None:
    first = client.create(MANIFEST)
    change = {"spec": {"paused": True}}
    with pytest.raises(ConflictError, match="another object"):
        client.patch("pg", change, uid="00000000-0000-4000-8000-000000000000")
    client.patch("pg", change, uid=first.metadata.uid, resource_version=first.metadata.resource_version)
    with pytest.raises(ConflictError, match="modified"):
        client.patch("pg", {"spec": {"paused": False}}, resource_version=first.metadata.resource_version)
    assert client.delete("pg", uid="00000000-0000-4000-8000-000000000000") is False
    assert client.get("pg") is not None


def test_ensure_writes_once_and_then_only_what_differs(client: BenchHostClient) -> None:
    wanted = {"metadata": {"labels": {"a": "b"}}, "spec": MANIFEST["spec"]}
    first = client.ensure("pg", lambda _: wanted)
    again = client.ensure("pg", lambda _: wanted)
    assert again.metadata.resource_version == first.metadata.resource_version
    changed = client.ensure("pg", lambda _: {"spec": {"azure": {"sizes": ["Standard_B2s"]}}})
    assert changed.metadata.generation == 2
    assert changed.metadata.labels == {"a": "b"}


def test_ensure_asks_again_when_somebody_else_was_faster(client: BenchHostClient) -> None:
    client.create(MANIFEST)
    asked = []

    def get_wanted(current: object) -> dict[str, object]:
        asked.append(current)
        if len(asked) == 1:
            client.patch("pg", {"spec": {"adopt": True}})
        return {"spec": {"paused": True}}

    result = client.ensure("pg", get_wanted)
    assert len(asked) == 2
    assert result.spec.paused
    assert result.spec.adopt


@pytest.mark.parametrize(
    ("azure", "field"),
    [({"sizes": []}, "spec.azure.sizes"), ({"locaton": "x"}, "spec.azure.locaton"), ({"location": None}, "location")],
    ids=["too-few", "unknown", "missing"],
)
def test_refused_objects_name_the_field(client: BenchHostClient, azure: dict[str, object], field: str) -> None:
    with pytest.raises(RefusedError, match=field) as caught:
        client.create({"metadata": {"name": "bad"}, "spec": {"azure": azure_spec(**azure)}})
    assert "bad" in str(caught.value)


def test_immutable_fields_say_what_to_do(client: BenchHostClient) -> None:
    client.create(MANIFEST)
    with pytest.raises(RefusedError, match=r"spec\.azure\.location is immutable; delete the BenchHost"):
        client.patch("pg", {"spec": {"azure": {"location": "westus"}}})


def test_missing_namespace_says_how_to_create_it(kubectl: Kubectl) -> None:
    settings = ConnectionSettings(kubeconfig=str(kubectl.kubeconfig), namespace="absent")
    with BenchHostClient(settings) as client:
        with pytest.raises(NotFoundError, match="kubectl create namespace absent"):
            client.create(MANIFEST)
        with pytest.raises(NotFoundError, match="kubectl create namespace absent"):
            client.ensure("pg", lambda _: MANIFEST, deadline=Deadline.after(5))


def changed_copy(kubectl: Kubectl, target: Path, **changes: object) -> ConnectionSettings:
    """A kubeconfig with another server, user or CA."""
    content = yaml.safe_load(kubectl.kubeconfig.read_text())
    if "server" in changes:
        content["clusters"][0]["cluster"]["server"] = changes["server"]
    if "user" in changes:
        content["users"][0]["user"] = changes["user"]
    if "no_ca" in changes:
        content["clusters"][0]["cluster"].pop("certificate-authority-data", None)
        content["clusters"][0]["cluster"].pop("certificate-authority", None)
    target.write_text(yaml.safe_dump(content))
    return ConnectionSettings(kubeconfig=str(target), namespace=kubectl.namespace, request_timeout_seconds=1)


def test_bad_token_says_log_in(kubectl: Kubectl, tmp_path: Path) -> None:
    settings = changed_copy(kubectl, tmp_path / "k", user={"token": "expired"})
    with BenchHostClient(settings) as client, pytest.raises(UnauthorizedError, match="log in again"):
        client.list()


def test_a_token_that_was_renewed_in_the_file_is_found(kubectl: Kubectl, tmp_path: Path) -> None:
    settings = changed_copy(kubectl, tmp_path / "k", user={"token": "expired"})
    with BenchHostClient(settings) as client:
        (tmp_path / "k").write_text(kubectl.kubeconfig.read_text())
        assert client.list() == []


def test_missing_rights_say_who_cannot_what(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.run("create", "serviceaccount", "nobody")
    token = kubectl.run("create", "token", "nobody").stdout.strip()
    settings = changed_copy(kubectl, tmp_path / "k", user={"token": token})
    with BenchHostClient(settings) as client, pytest.raises(ForbiddenError, match=r"nobody.*cannot list"):
        client.list()


def test_unknown_ca_says_so_at_once(kubectl: Kubectl, tmp_path: Path) -> None:
    settings = changed_copy(kubectl, tmp_path / "k", no_ca=True)
    with BenchHostClient(settings) as client, pytest.raises(UntrustedServerError, match="CA certificate"):
        client.list()


def test_unreachable_server_is_tried_until_the_deadline_and_named(kubectl: Kubectl, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = changed_copy(kubectl, tmp_path / "k", server=f"https://127.0.0.1:{port}")
    deadline = Deadline.after(1)
    with BenchHostClient(settings) as client, pytest.raises(UnreachableError, match=rf"{port}.*refused"):
        client.list(deadline=deadline)


def test_a_server_that_never_answers_does_not_hang_the_call(kubectl: Kubectl, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = changed_copy(kubectl, tmp_path / "k", server=f"https://127.0.0.1:{silent.getsockname()[1]}")
        deadline = Deadline.after(3)
        with BenchHostClient(settings) as client, pytest.raises(UnreachableError):
            client.list(deadline=deadline)
        assert deadline.remaining < 3


def test_missing_crd_says_how_to_install_it(client: BenchHostClient, monkeypatch: pytest.MonkeyPatch) -> None:
    # The CRD is shared with other tests; a version that no CRD serves is answered in the same way.
    monkeypatch.setattr(
        client._transport, "_collection", Collection("BenchHost", "/apis/benchhost.dev/v0", "benchhosts")
    )
    for call in (client.list, lambda: client.get("pg"), lambda: client.create(MANIFEST)):
        with pytest.raises(CrdMissingError, match="kubectl apply -f crds/"):
            call()
