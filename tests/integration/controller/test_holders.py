"""Leases on the real API server, as a holder writes them and an administrator permits them."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchhost.api.host import BenchHost
from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.api_server import ApiServer
from benchhost.controller.holders import Holders
from benchhost.lifecycle.circumstances import HolderState
from benchhost.local import ControlPlane, ServiceAccount
from integration.controller.connections import connected
from support.builders import host
from support.stack import Kubectl

RENEWED = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)


def micro_time(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def lease(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "experiment-7"},
        "spec": {"holderIdentity": "me", "leaseDurationSeconds": 30, "renewTime": micro_time(RENEWED), **spec},
    }


def held(kubectl: Kubectl) -> BenchHost:
    return host(spec={"holder": {"leaseName": "experiment-7"}}, metadata={"namespace": kubectl.namespace})


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(RENEWED + timedelta(seconds=10))


async def test_a_lease_tells_until_when_it_is_held(server: ApiServer, kubectl: Kubectl, clock: SettableClock) -> None:
    kubectl.apply(lease())
    assert await Holders(server, clock=clock).read(held(kubectl)) == HolderState(RENEWED + timedelta(seconds=30))


async def test_a_valid_lease_is_read_again_when_it_can_have_expired(
    server: ApiServer, kubectl: Kubectl, clock: SettableClock
) -> None:
    kubectl.apply(lease())
    holders = Holders(server, clock=clock)
    first = await holders.read(held(kubectl))
    kubectl.apply(lease(leaseDurationSeconds=300))
    assert await holders.read(held(kubectl)) == first
    clock.advance(timedelta(seconds=20))
    assert await holders.read(held(kubectl)) == HolderState(RENEWED + timedelta(seconds=300))


async def test_an_expired_lease_is_looked_at_each_time(
    server: ApiServer, kubectl: Kubectl, clock: SettableClock
) -> None:
    kubectl.apply(lease(leaseDurationSeconds=1))
    holders = Holders(server, clock=clock)
    assert await holders.read(held(kubectl)) == HolderState(RENEWED + timedelta(seconds=1))
    kubectl.apply(lease(leaseDurationSeconds=60))
    assert await holders.read(held(kubectl)) == HolderState(RENEWED + timedelta(seconds=60))


async def test_a_holder_that_dies_with_a_clock_ahead_is_lost_when_its_last_renewal_is_old(
    server: ApiServer, kubectl: Kubectl, clock: SettableClock
) -> None:
    ahead = clock() + timedelta(hours=1)
    kubectl.apply(lease(renewTime=micro_time(ahead)))
    holders, began = Holders(server, clock=clock), clock()
    held_until = HolderState(began + timedelta(seconds=30))
    assert await holders.read(held(kubectl)) == held_until
    for minutes in (1, 30, 60):  # also when its renewal is in the past at last
        clock.advance(timedelta(minutes=minutes))
        assert await holders.read(held(kubectl)) == held_until
    kubectl.apply(lease(renewTime=micro_time(ahead + timedelta(hours=2))))
    assert await holders.read(held(kubectl)) == HolderState(clock() + timedelta(seconds=30))


async def test_no_lease_and_no_holder_are_told_apart(server: ApiServer, kubectl: Kubectl, clock: SettableClock) -> None:
    holders = Holders(server, clock=clock)
    assert await holders.read(held(kubectl)) == HolderState(None)
    assert await holders.read(host()) is None


async def test_a_controller_that_may_not_read_leases_says_so_once_and_loses_nobody(
    control_plane: ControlPlane, kubectl: Kubectl, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    kubectl.apply(lease(leaseDurationSeconds=1))
    kubectl.run("create", "serviceaccount", "powerless")
    kubeconfig = control_plane.kubeconfig_for(ServiceAccount("powerless", kubectl.namespace))
    with caplog.at_level(logging.WARNING):
        async with connected(kubeconfig) as server:
            holders = Holders(server, clock=clock)
            assert [await holders.read(held(kubectl)) for _ in range(3)] == [None, None, None]
    assert len(caplog.messages) == 1
    for word in (f"{kubectl.namespace}/experiment-7", "403", "manifests/base"):
        assert word in caplog.messages[0]


async def test_an_api_server_that_does_not_answer_loses_nobody(
    server: ApiServer, kubectl: Kubectl, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl.apply(lease(leaseDurationSeconds=1))
    monkeypatch.setattr(server._client.configuration, "host", "https://127.0.0.1:9")
    assert await Holders(server, clock=clock).read(held(kubectl)) is None


async def test_the_controller_s_role_is_enough_to_read_a_lease(
    control_plane: ControlPlane, kubectl: Kubectl, clock: SettableClock
) -> None:
    kubectl.apply(lease())
    kubeconfig = control_plane.kubeconfig_for(ServiceAccount("benchhost-controller", "benchhost-system"))
    async with connected(kubeconfig) as server:
        assert await Holders(server, clock=clock).read(held(kubectl)) == HolderState(RENEWED + timedelta(seconds=30))
