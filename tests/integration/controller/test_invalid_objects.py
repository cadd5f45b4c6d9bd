"""Objects that the CRD of another version let in: they say what is wrong, and go when nothing is in the cloud."""

from collections.abc import Mapping
from typing import Any

import pytest

from benchhost.api.names import FINALIZER
from benchhost.cloud import CloudProvider
from benchhost.controller.api_server import ApiServer
from benchhost.controller.holders import Holders
from benchhost.controller.hosts import Hosts
from benchhost.controller.key_reads import KeyReads, console_reader
from benchhost.controller.probes import ReadinessProbes
from benchhost.controller.providers import Providers
from benchhost.controller.reconciler import Reconciler
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore
from benchhost.controller.surroundings import Surroundings
from support.builders import azure_spec
from support.stack import Kubectl

IN_THE_CLOUD = {"providerId": "azure:///subscriptions/s/x"}


def no_cloud(*_: object) -> CloudProvider:
    raise AssertionError("nothing may be asked of the cloud")


def make(kubectl: Kubectl) -> None:
    """A host that a controller has taken on."""
    kubectl.apply(
        {
            "apiVersion": "benchhost.dev/v1alpha1",
            "kind": "BenchHost",
            "metadata": {"name": "pg-1", "finalizers": [FINALIZER]},
            "spec": {"azure": azure_spec()},
        }
    )


async def pass_over(server: ApiServer, kubectl: Kubectl, *, status: Mapping[str, Any]) -> None:
    """One pass of a controller that takes another thing for a size than the CRD does."""
    body = kubectl.get("benchhost", "pg-1")
    store = HostStore()
    hosts = Hosts(server, store)
    providers = Providers(hosts, no_cloud)
    keys = KeyReads(console_reader(store, providers, cluster="cluster-1"), lambda _: None)
    reconciler = Reconciler(
        store,
        hosts,
        providers=providers,
        surroundings=Surroundings(Holders(server), ReadinessProbes(lambda _: None), keys),
        cluster="cluster-1",
        settings=ControllerSettings(),
    )
    store.put(body | {"spec": {"azure": azure_spec(sizes=["no size"])}, "status": dict(status)})
    assert await reconciler.reconcile((kubectl.namespace, "pg-1")) is None


def stalled(kubectl: Kubectl) -> str:
    (condition,) = kubectl.get("benchhost", "pg-1")["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Stalled", "True", "InvalidObject")
    return str(condition["message"])


async def test_the_field_is_named_and_what_to_do(server: ApiServer, kubectl: Kubectl) -> None:
    make(kubectl)
    await pass_over(server, kubectl, status={})
    message = stalled(kubectl)
    assert message.startswith("The object does not fit benchhost.dev/v1alpha1: spec.azure.sizes.0: ")
    assert message.endswith("Correct the field and apply it again.")
    kubectl.run("patch", "bh", "pg-1", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')


async def test_when_it_is_deleted_and_never_reached_the_cloud_it_goes(server: ApiServer, kubectl: Kubectl) -> None:
    make(kubectl)
    kubectl.run("delete", "bh", "pg-1", "--wait=false")
    await pass_over(server, kubectl, status={})
    assert kubectl.get("benchhosts")["items"] == []


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(IN_THE_CLOUD, id="something-may-be-in-the-cloud"),
        pytest.param({"history": [{"type": "Provision"}]}, id="nobody-can-tell"),
    ],
)
async def test_when_it_is_deleted_and_may_be_in_the_cloud_it_says_the_ways_out(
    status: Mapping[str, Any], server: ApiServer, kubectl: Kubectl
) -> None:
    make(kubectl)
    kubectl.run("delete", "bh", "pg-1", "--wait=false")
    await pass_over(server, kubectl, status=status)
    message = stalled(kubectl)
    assert "nothing of it is deleted in the cloud" in message
    assert "Correct the field (kubectl edit, which works while the object is being deleted)" in message
    assert f"remove the finalizer {FINALIZER}" in message
    kubectl.run("patch", "bh", "pg-1", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
