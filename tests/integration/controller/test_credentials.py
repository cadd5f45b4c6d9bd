"""Credentials that are refused and replaced, pass by pass, on a real API server with a clock that the test moves."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config

from benchhost.api import get_condition
from benchhost.api.conditions import ConditionType
from benchhost.cloud import CloudProvider, CredentialsError, HostRequest, Observation
from benchhost.cloud.fake import FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.api_server import ApiServer
from benchhost.controller.hosts import Hosts
from benchhost.controller.providers import Providers
from benchhost.controller.reconciler import Reconciler
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore
from integration.controller.test_cloud_weather import NAME, Bench
from support.stack import Kubectl

GOOD = "right"


class Refusing(FakeCloud):
    """A cloud that knows one password and counts how often it is asked with another."""

    refused = 0

    async def observe(self, request: HostRequest) -> Observation:
        del request  # whoever asks, for whatever
        self.refused += 1
        raise CredentialsError("The cloud does not know you.", code="AADSTS7000215")


class SecretBench(Bench):
    """A bench whose hosts name a Secret."""

    def restart(self) -> None:
        self.store = HostStore()
        self.refusing = Refusing(self.clock)
        server = ApiServer(self.client)
        hosts = Hosts(server, self.store)
        self.providers = Providers(hosts, self.make)
        self.reconciler = Reconciler(
            self.store,
            hosts,
            providers=self.providers,
            surroundings=self.surroundings(server, self.providers),
            cluster="cluster-1",
            settings=ControllerSettings(),
            clock=self.clock,
        )

    def make(self, values: Mapping[str, str], may_use_own: bool) -> CloudProvider:
        assert not may_use_own
        return self.cloud if values["password"] == GOOD else self.refusing

    def put_secret(self, password: str) -> None:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "creds"}}
        self.kubectl.apply({**secret, "stringData": {"password": password}})

    async def look(self) -> float:
        """One pass, without moving the clock."""
        body = await self.read()
        assert body is not None
        self.store.put(body)
        delay = await self.reconciler.reconcile((self.kubectl.namespace, NAME))
        assert delay is not None
        return delay

    async def wait_for_backoff(self, length: timedelta) -> None:
        """Let passes fail until the cloud is left alone for so long."""
        for _ in range(100):
            delay = await self.look()
            failure = (await self.host()).status.failure
            assert failure is not None
            assert failure.next_attempt_at is not None
            if failure.next_attempt_at - self.clock() > length:
                return
            self.clock.advance(timedelta(seconds=delay))
        raise AssertionError("the backoff did not grow")


@pytest.fixture
async def bench(kubectl: Kubectl) -> AsyncIterator[SecretBench]:
    configuration = Configuration()
    await load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield SecretBench(client, kubectl, SettableClock())
    kubectl.run("patch", "bh", NAME, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', check=False)


async def test_a_new_secret_is_used_within_half_a_minute_and_the_cloud_is_not_asked_for_it(bench: SecretBench) -> None:
    bench.put_secret("wrong")
    bench.create(credentialsRef={"name": "creds"})
    assert await bench.look() <= 2
    condition = get_condition((await bench.host()).status.conditions, ConditionType.READY)
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "CredentialsRejected")

    await bench.wait_for_backoff(timedelta(minutes=2))
    before = bench.refusing.refused
    assert await bench.look() == 30
    assert bench.refusing.refused == before

    bench.put_secret("wrong as well")
    await bench.look()
    assert bench.refusing.refused == before + 1
    assert await bench.look() <= 30
    assert bench.refusing.refused == before + 1

    bench.put_secret(GOOD)
    await bench.look()
    assert (await bench.host()).status.operation is not None
    await bench.settle()
    assert (await bench.host()).status.failure is None
    assert bench.refusing.refused == before + 1


async def test_a_host_that_is_gone_leaves_no_provider_behind(bench: SecretBench) -> None:
    bench.put_secret(GOOD)
    bench.create(credentialsRef={"name": "creds"})
    await bench.settle()
    key = (bench.kubectl.namespace, NAME)
    assert bench.providers.digest_of(key) is not None
    bench.kubectl.run("delete", "bh", NAME, "--wait=false")
    await bench.settle()
    bench.store.remove(
        {"metadata": {"namespace": key[0], "name": key[1], "uid": bench.store.get(key)["metadata"]["uid"]}}
    )  # type: ignore[index]
    await bench.reconciler.reconcile(key)
    assert bench.providers.digest_of(key) is None
