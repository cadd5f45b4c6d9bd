"""Where the sweep looks, how long it remembers a place, and what it does when the cloud's turn has not come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from benchhost.cloud import AdminError, CredentialsError, DeferredError, OwnedResource, Part, Scope, TransientError
from benchhost.cloud.fake import FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.hosts import Hosts
from benchhost.controller.orphans import Findings, Orphans
from benchhost.controller.providers import Providers
from contract.clouds import Cloud
from support.builders import OWNER, SUBSCRIPTION, host_dict

DAY = timedelta(days=1)
SCOPE = Scope(SUBSCRIPTION, "bench-rg")


class Cluster(Hosts):
    """BenchHosts and Secrets, without an API server."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.secrets: dict[tuple[str, str], dict[str, bytes]] = {}
        self.read: list[str] = []

    async def list_bodies(self, _: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        return self.bodies

    async def read_uid(self, namespace: str, name: str) -> str | None:
        return next(
            (
                body["metadata"]["uid"]
                for body in self.bodies
                if (body["metadata"]["namespace"], body["metadata"]["name"]) == (namespace, name)
            ),
            None,
        )

    async def read_secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        self.read.append(name)
        return self.secrets.get((namespace, name))


class Client(FakeCloud):
    """A provider that tells whether it is closed, and refuses to delete as often as it is told to."""

    closed = False
    refusals: list[Exception]

    async def delete_owned(self, resource: OwnedResource) -> Any:
        if self.refusals:
            raise self.refusals.pop(0)
        return await super().delete_owned(resource)

    async def close(self) -> None:
        self.closed = True


@dataclass
class Setting:
    """A cluster with a cloud, and the sweep."""

    clock: SettableClock = field(default_factory=SettableClock)
    cluster: Cluster = field(default_factory=Cluster)
    paused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fake = Client(self.clock)
        self.fake.refusals = []
        self.cloud = Cloud(self.fake, self.clock.advance)
        self.orphans = Orphans(
            self.cluster,
            Providers(self.cluster, self.make),
            cluster=OWNER.cluster,
            min_age=timedelta(minutes=15),
            clock=self.clock,
            pause=self.pause,
        )

    def make(self, *_: object) -> FakeCloud:
        self.fake.closed = False
        return self.fake

    async def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    def add(self, ref: str = "creds", **metadata: str) -> Mapping[str, Any]:
        self.cluster.secrets["bench", ref] = {"key": ref.encode()}
        body = host_dict(spec={"credentialsRef": {"name": ref}}, metadata=metadata)
        self.cluster.bodies.append(body)
        return body

    async def look_after(self, time: timedelta) -> Findings:
        self.clock.advance(time)
        return await self.orphans.find()


@pytest.fixture
def setting() -> Setting:
    return Setting()


async def test_a_place_is_forgotten_when_its_hosts_and_their_resources_are_gone(setting: Setting) -> None:
    setting.add()
    await setting.cloud.build(setting.cloud.request(OWNER))
    await setting.look_after(DAY)
    setting.cluster.bodies.clear()
    assert (await setting.look_after(DAY)).orphans  # they are why it is remembered
    await setting.orphans.delete(await setting.orphans.find())
    await setting.look_after(DAY)
    assert setting.fake.closed
    setting.cluster.read.clear()
    assert await setting.look_after(DAY) == Findings()
    assert setting.cluster.read == []


async def test_a_place_is_kept_for_a_while_though_nothing_is_seen_there_yet(setting: Setting) -> None:
    setting.add()
    await setting.orphans.find()
    setting.cluster.bodies.clear()
    assert (await setting.look_after(timedelta(minutes=14))).scopes == (SCOPE,)
    assert (await setting.look_after(timedelta(minutes=14))).scopes == (SCOPE,)
    assert (await setting.look_after(timedelta(minutes=14))).scopes == ()


async def test_credentials_that_are_gone_are_told_once_and_forgotten_with_their_last_host(setting: Setting) -> None:
    setting.add()
    setting.cluster.secrets.clear()
    for _ in range(2):
        (problem,) = (await setting.look_after(DAY)).problems  # a host still names them
        assert "Secret bench/creds, which spec.credentialsRef names, does not exist" in problem
    setting.cluster.bodies.clear()
    assert len((await setting.look_after(DAY)).problems) == 1
    assert await setting.look_after(DAY) == Findings()


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(TransientError("Azure could not be reached."), id="the-cloud-cannot-be-reached"),
        pytest.param(CredentialsError("The client secret has expired."), id="the-secret-has-to-be-renewed"),
        pytest.param(AdminError("The client has no rights."), id="a-role-is-missing"),
    ],
)
async def test_a_place_that_cannot_be_looked_at_for_now_is_remembered(setting: Setting, trouble: Exception) -> None:
    setting.add()
    await setting.cloud.build(setting.cloud.request(OWNER))
    await setting.look_after(DAY)
    setting.cluster.bodies.clear()
    setting.fake.unreachable = trouble
    for _ in range(3):
        assert (await setting.look_after(DAY)).problems
    setting.fake.unreachable = None
    assert (await setting.look_after(DAY)).orphans


async def test_credentials_that_no_host_names_any_more_give_way_to_those_that_work(setting: Setting) -> None:
    setting.add("old")
    await setting.cloud.build(setting.cloud.request(OWNER))
    await setting.orphans.find()
    setting.cluster.bodies.clear()
    setting.add("new")
    await setting.look_after(DAY)
    setting.cluster.read.clear()
    await setting.look_after(DAY)
    assert setting.cluster.read == ["new"]


async def test_whoever_comes_too_early_waits_for_its_turn_and_deletes_all_the_same(setting: Setting) -> None:
    await setting.cloud.build(setting.cloud.request(OWNER))
    setting.add(uid="another", name="pg-2")
    setting.fake.refusals = [DeferredError(timedelta(seconds=seconds), "deletes") for seconds in (2, 3, 1200)]
    left = await setting.orphans.delete(await setting.look_after(DAY))
    assert (left.orphans, left.problems) == ((), ())
    assert setting.paused[:3] == [2, 3, 5]  # a long wait is left to the next round


async def test_what_passes_by_itself_is_tried_again_in_the_next_round(setting: Setting) -> None:
    await setting.cloud.build(setting.cloud.request(OWNER))
    setting.add(uid="another", name="pg-2")
    setting.fake.refusals = [TransientError("Azure is busy.")] * 3
    left = await setting.orphans.delete(await setting.look_after(DAY))
    assert (left.orphans, left.problems) == ((), ())


async def test_what_does_not_pass_in_time_is_told(setting: Setting) -> None:
    await setting.cloud.build(setting.cloud.request(OWNER))
    setting.add(uid="another", name="pg-2")
    setting.fake.refusals = [TransientError("Azure is busy.")] * 1000
    left = await setting.orphans.delete(await setting.look_after(DAY))
    assert Part.MACHINE in {orphan.part for orphan in left.orphans}
    (problem,) = left.problems
    assert problem.endswith("could not be deleted: Azure is busy.")
    assert sum(setting.paused) <= 600
