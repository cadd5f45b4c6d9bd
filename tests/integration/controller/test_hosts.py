"""What the controller may ask of the real API server, and what it makes of the answers."""

import pytest
from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.host import BenchHost
from benchhost.api.names import FINALIZER
from benchhost.controller.api_server import ApiServer
from benchhost.controller.hosts import HostChangedError, Hosts
from benchhost.controller.store import HostStore
from support.builders import azure_spec
from support.stack import Kubectl

KIND = {"apiVersion": "benchhost.dev/v1alpha1", "kind": "BenchHost"}


def make(kubectl: Kubectl, name: str, **metadata: object) -> BenchHost:
    kubectl.apply({**KIND, "metadata": {"name": name, **metadata}, "spec": {"azure": azure_spec()}})
    return BenchHost.from_dict(kubectl.get("benchhost", name))


@pytest.fixture
def store() -> HostStore:
    return HostStore()


@pytest.fixture
def hosts(server: ApiServer, store: HostStore) -> Hosts:
    return Hosts(server, store)


async def test_a_deleted_host_is_gone_and_deleting_it_again_is_success(hosts: Hosts, kubectl: Kubectl) -> None:
    host = make(kubectl, "pg-1")
    await hosts.delete(host)
    assert await hosts.read_uid(*host.key) is None
    await hosts.delete(host)


async def test_a_host_that_finalizers_hold_is_seen_to_be_deleting_at_once(
    hosts: Hosts, store: HostStore, kubectl: Kubectl
) -> None:
    host = make(kubectl, "pg-1", finalizers=[FINALIZER])
    await hosts.delete(host)
    body = store.get(host.key)
    assert body is not None
    assert BenchHost.from_dict(body).is_deleting
    await hosts.delete(host)  # as it was seen before: it is going already
    await hosts.remove_finalizer(BenchHost.from_dict(body).metadata)


async def test_a_host_that_somebody_has_changed_since_is_not_deleted(hosts: Hosts, kubectl: Kubectl) -> None:
    host = make(kubectl, "pg-1")
    kubectl.patch("pg-1", {"expiresAt": "2099-01-01T00:00:00Z"})
    with pytest.raises(HostChangedError):
        await hosts.delete(host)
    assert await hosts.read_uid(*host.key) == host.metadata.uid


async def test_the_next_host_of_the_same_name_is_not_deleted(hosts: Hosts, kubectl: Kubectl) -> None:
    old = make(kubectl, "pg-1")
    kubectl.run("delete", "benchhost", "pg-1")
    new = make(kubectl, "pg-1")
    await hosts.delete(old)
    assert await hosts.read_uid(*new.key) == new.metadata.uid


async def test_hosts_are_listed_by_namespace(hosts: Hosts, kubectl: Kubectl) -> None:
    uids = {make(kubectl, f"pg-{number}").metadata.uid for number in (1, 2)}
    here = await hosts.list_bodies((kubectl.namespace,))
    assert {body["metadata"]["uid"] for body in here} == uids
    assert await hosts.list_bodies(("nowhere",)) == []
    assert uids <= {body["metadata"]["uid"] for body in await hosts.list_bodies()}


async def test_a_list_of_many_pages_is_whole(server: ApiServer, kubectl: Kubectl) -> None:
    names = {f"pg-{number}" for number in range(5)}
    for name in names:
        make(kubectl, name)
    path = f"/apis/benchhost.dev/v1alpha1/namespaces/{kubectl.namespace}/benchhosts"
    found = await server.list_all(path, page=2)
    assert sorted(body["metadata"]["name"] for body in found) == sorted(names)


async def test_only_the_api_server_s_own_word_makes_a_host_absent(
    hosts: Hosts, kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await hosts.read_uid(kubectl.namespace, "nowhere") is None
    monkeypatch.setattr("benchhost.controller.hosts._API", "apis/benchhost.dev/v0")  # a type that does not exist
    with pytest.raises(ApiException):
        await hosts.read_uid(kubectl.namespace, "nowhere")
