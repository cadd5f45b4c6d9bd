"""Orphans are found, told and deleted; what has an owner, or may have one, is not: real API server, in-memory cloud."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from kubernetes.aio.client.exceptions import ApiException

from benchhost.cloud import AdminError, Owner, Part, Scope, Step, TransientError, Verb
from benchhost.cloud.fake import FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.api_server import ApiServer
from benchhost.controller.events import EventRecorder
from benchhost.controller.hosts import Hosts
from benchhost.controller.orphans import Findings, Orphans
from benchhost.controller.providers import Providers
from benchhost.controller.store import HostStore
from benchhost.controller.sweep import Sweep
from contract.clouds import BUILD_ORDER, Cloud
from support.builders import SUBSCRIPTION, azure_spec
from support.stack import Kubectl

CLUSTER = "cluster-1"
SCOPE = Scope(SUBSCRIPTION, "bench-rg")
OLD = timedelta(minutes=15)
OWN_PARTS = {Part.MACHINE, Part.INTERFACE, Part.DISK, Part.ADDRESS}


@dataclass
class Setting:
    """A namespace and a cloud."""

    kubectl: Kubectl
    server: ApiServer
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        self.hosts = Hosts(self.server, HostStore())
        self.fake = FakeCloud(self.clock)
        self.cloud = Cloud(self.fake, self.clock.advance)
        self.providers = Providers(self.hosts, lambda *_: self.fake, own=lambda: self.fake, own_namespaces=("*",))
        self.fake.calls.clear()

    def orphans(self, **options: Any) -> Orphans:
        async def pause(seconds: float) -> None:
            self.clock.advance(timedelta(seconds=seconds))

        defaults = {"namespaces": (self.kubectl.namespace,), "hosts": self.hosts, "scopes": ()}
        chosen = defaults | options
        hosts = chosen.pop("hosts")
        return Orphans(hosts, self.providers, cluster=CLUSTER, clock=self.clock, pause=pause, **chosen)

    async def make(self, name: str, **azure: Any) -> Owner:
        """A host with everything in the cloud."""
        self.kubectl.apply(
            {
                "apiVersion": "benchhost.dev/v1alpha1",
                "kind": "BenchHost",
                "metadata": {"name": name},
                "spec": {"azure": azure_spec(**azure)},
            }
        )
        uid = self.kubectl.get("benchhost", name)["metadata"]["uid"]
        owner = Owner(CLUSTER, self.kubectl.namespace, name, uid)
        await self.cloud.build(self.cloud.request(owner, **azure))
        return owner

    def lose(self, name: str) -> None:
        """The object goes and nobody cleans up, as when somebody removes the finalizer by hand."""
        self.kubectl.run("delete", "benchhost", name)

    @property
    def deleted(self) -> list[Part]:
        return [call.step.part for call in self.fake.calls if call.method == "delete_owned" and call.step is not None]


@pytest.fixture
def setting(kubectl: Kubectl, server: ApiServer) -> Setting:
    return Setting(kubectl, server)


def parts(findings: Findings) -> list[Part]:
    return [orphan.part for orphan in findings.orphans]


async def test_a_host_that_exists_has_no_orphans_however_old(setting: Setting) -> None:
    await setting.make("pg-1")
    setting.clock.advance(timedelta(days=30))
    orphans = setting.orphans()
    assert await orphans.find() == Findings(scopes=(SCOPE,))
    setting.clock.advance(OLD)
    assert await orphans.find() == Findings(scopes=(SCOPE,))


async def test_what_a_lost_host_leaves_is_found_when_it_is_old_enough(setting: Setting) -> None:
    kept, lost = await setting.make("pg-1"), await setting.make("pg-2")
    setting.lose("pg-2")
    orphans = setting.orphans()
    assert (await orphans.find()).orphans == ()
    setting.clock.advance(OLD - timedelta(seconds=1))
    # The machine has a date, 41 s ago and more; what has none counts from the first look.
    assert parts(await orphans.find()) == [Part.MACHINE]
    setting.clock.advance(timedelta(seconds=1))
    found = await orphans.find()
    assert parts(found) == [Part.MACHINE, Part.INTERFACE, Part.DISK, Part.ADDRESS]
    assert {orphan.owner for orphan in found.orphans} == {lost}
    assert kept != lost


async def test_the_next_host_of_the_same_name_does_not_own_what_the_first_left(setting: Setting) -> None:
    first = await setting.make("pg-1")
    setting.lose("pg-1")
    second = await setting.make("pg-1")
    setting.clock.advance(OLD)
    orphans = setting.orphans(min_age=timedelta(0))
    assert {orphan.owner for orphan in (await orphans.find()).orphans} == {first}
    assert first.uid != second.uid


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(Owner("cluster-2", "bench", "pg-1", "uid-1"), id="another-cluster-s"),
        pytest.param(Owner(CLUSTER, "not-watched", "pg-1", "uid-1"), id="of-a-namespace-that-is-not-watched"),
    ],
)
async def test_what_is_not_ours_to_judge_is_no_orphan(setting: Setting, owner: Owner) -> None:
    await setting.cloud.build(setting.cloud.request(owner))
    setting.clock.advance(OLD)
    findings = await setting.orphans(scopes=[SCOPE], min_age=timedelta(0)).find()
    assert findings == Findings(scopes=(SCOPE,))


async def test_a_host_that_is_not_in_the_list_yet_is_asked_for_itself(setting: Setting) -> None:
    class LateHosts(Hosts):
        async def list_bodies(self, _: tuple[str, ...] = ()) -> list[dict[str, Any]]:
            return []  # read before the host was made

    await setting.make("pg-1")
    orphans = setting.orphans(hosts=LateHosts(setting.server, HostStore()), scopes=[SCOPE], min_age=timedelta(0))
    assert (await orphans.find()).orphans == ()
    setting.lose("pg-1")
    assert set(parts(await orphans.find())) == OWN_PARTS


async def test_an_api_server_that_cannot_tell_makes_no_orphans(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    await setting.make("pg-1")
    orphans = setting.orphans(min_age=timedelta(0))
    await orphans.find()
    monkeypatch.setattr("benchhost.controller.hosts._API", "apis/benchhost.dev/v0")
    with pytest.raises(ApiException):
        await orphans.find()
    assert setting.deleted == []


async def test_a_scope_is_remembered_when_its_last_host_is_gone_and_given_after_a_restart(setting: Setting) -> None:
    await setting.make("pg-1")
    orphans = setting.orphans(min_age=timedelta(0))
    await orphans.find()
    setting.lose("pg-1")
    assert set(parts(await orphans.find())) == OWN_PARTS
    assert (await setting.orphans(min_age=timedelta(0)).find()).scopes == ()
    assert set(parts(await setting.orphans(min_age=timedelta(0), scopes=[SCOPE]).find())) == OWN_PARTS


async def test_a_cloud_that_cannot_be_asked_is_a_problem_and_no_orphan(setting: Setting) -> None:
    await setting.make("pg-1")
    setting.fake.unreachable = TransientError("Azure could not be reached.")
    findings = await setting.orphans().find()
    assert findings.problems == (f"{SCOPE} could not be listed: Azure could not be reached.",)


async def test_a_shared_network_is_an_orphan_when_nobody_is_in_it_or_wants_it(setting: Setting) -> None:
    name = f"net-of-{setting.kubectl.namespace}"
    network = {"virtualNetwork": {"name": name, "create": True}, "publicAddress": "Static"}
    await setting.make("pg-1", network=network)
    orphans = setting.orphans(namespaces=(), scopes=[SCOPE], min_age=timedelta(0))
    setting.lose("pg-1")
    in_use = await orphans.find()
    assert set(parts(in_use)) == OWN_PARTS
    left = await orphans.delete(in_use)
    assert parts(left) == []  # with the host's last part the network had become one, and went
    assert setting.fake.resource_ids == ()

    setting.kubectl.apply(
        {
            "apiVersion": "benchhost.dev/v1alpha1",
            "kind": "BenchHost",
            "metadata": {"name": "pg-2"},
            "spec": {"azure": azure_spec(network=network)},
        }
    )
    wanting = setting.cloud.request(Owner(CLUSTER, setting.kubectl.namespace, "pg-2", "uid"), network=network)
    await setting.cloud.do(wanting, Verb.ENSURE, Part.NETWORK)
    assert (await orphans.find()).orphans == ()


async def test_deletion_goes_part_by_part_and_leaves_everything_else(setting: Setting) -> None:
    await setting.make("pg-1")
    before = set(setting.fake.resource_ids)
    await setting.make("pg-2")
    setting.lose("pg-2")
    orphans = setting.orphans(min_age=timedelta(0))
    left = await orphans.delete(await orphans.find())
    assert left == Findings(scopes=(SCOPE,))
    assert set(setting.fake.resource_ids) == before
    assert setting.deleted == [Part.MACHINE]  # the rest went with it, as the cloud was told at its creation


async def test_parts_that_are_left_without_their_machine_go_too(setting: Setting) -> None:
    request = setting.cloud.request(Owner(CLUSTER, setting.kubectl.namespace, "pg-9", "uid-9"), name="db-9")
    for part in BUILD_ORDER[:-1]:
        await setting.cloud.do(request, Verb.ENSURE, part)
    orphans = setting.orphans(min_age=timedelta(0), scopes=[SCOPE])
    left = await orphans.delete(await orphans.find())
    assert left.orphans == ()
    assert setting.deleted == [Part.INTERFACE]  # and the address with it
    assert [name for name in setting.fake.resource_ids if "/network/" not in name] == []


async def test_what_the_cloud_refuses_to_delete_is_told_and_does_not_stop_the_rest(setting: Setting) -> None:
    lost = [await setting.make(name) for name in ("pg-1", "pg-2")]
    refusal = AdminError("The client has no rights to delete.")
    for name in ("pg-1", "pg-2"):
        setting.lose(name)

    class Reluctant(FakeCloud):
        async def delete_owned(self, resource: Any) -> Any:
            if resource.owner == lost[0]:
                raise refusal
            return await super().delete_owned(resource)

    setting.fake.__class__ = Reluctant
    orphans = setting.orphans(min_age=timedelta(0), scopes=[SCOPE])
    left = await orphans.delete(await orphans.find())
    assert {orphan.owner for orphan in left.orphans} == {lost[0]}
    assert len(left.problems) == len(OWN_PARTS)
    assert all(
        problem.endswith("could not be deleted: The client has no rights to delete.") for problem in left.problems
    )


@pytest.fixture
async def recorder(server: ApiServer) -> AsyncIterator[EventRecorder]:
    made = EventRecorder(server)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_by_default_orphans_are_told_once_and_left_alone(
    setting: Setting, recorder: EventRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    await setting.make("pg-1")
    counted: list[dict[str, int]] = []
    sweep = Sweep(
        setting.orphans(min_age=timedelta(0), scopes=[SCOPE]),
        recorder,
        interval=timedelta(minutes=10),
        on_count=lambda counts: counted.append(dict(counts)),
    )
    setting.lose("pg-1")
    before = setting.fake.resource_ids
    with caplog.at_level(logging.WARNING):
        await sweep.look()
        await sweep.look()
    await recorder.drain()
    assert setting.fake.resource_ids == before
    assert setting.deleted == []
    assert counted == [dict.fromkeys(map(str, OWN_PARTS), 1)] * 2
    assert len(caplog.messages) == len(OWN_PARTS)
    told = setting.kubectl.get("events")["items"]
    assert {(event["reason"], event["type"], event["involvedObject"]["name"]) for event in told} == {
        ("OrphanFound", "Warning", "pg-1")
    }
    assert sorted(event["message"] for event in told) == sorted(
        line.removeprefix("orphans: ") for line in caplog.messages
    )
    command = f"benchhost operator sweep --delete-orphans --sweep-scope {SCOPE}."
    assert all(event["message"].endswith(command) for event in told)


async def test_a_network_that_nobody_is_in_is_told_of_with_the_cluster(
    setting: Setting, recorder: EventRecorder
) -> None:
    name = f"net-of-{setting.kubectl.namespace}"
    cluster = setting.kubectl.get("namespace", "kube-system")["metadata"]["uid"]
    owner = Owner(cluster, setting.kubectl.namespace, "pg-1", "uid-1")
    request = setting.cloud.request(owner, network={"virtualNetwork": {"name": name, "create": True}})
    await setting.cloud.do(request, Verb.ENSURE, Part.NETWORK)
    orphans = Orphans(
        setting.hosts, setting.providers, cluster=cluster, scopes=[SCOPE], min_age=timedelta(0), clock=setting.clock
    )
    (found,) = (await Sweep(orphans, recorder, interval=timedelta(minutes=10)).look()).orphans
    await recorder.drain()
    told = setting.kubectl.run("events", "--for", "namespace/kube-system", "--namespace", "default").stdout
    assert f"The {Part.NETWORK} {found.resource_id} is an orphan, as no host of this cluster uses it" in told


async def test_the_task_goes_on_when_the_api_server_does_not_answer(
    setting: Setting, recorder: EventRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    class LateHosts(Hosts):
        late = True

        async def list_bodies(self, namespaces: tuple[str, ...] = ()) -> list[dict[str, Any]]:
            if self.late:
                self.late = False
                raise TimeoutError
            return await super().list_bodies(namespaces)

    await setting.make("pg-1")
    setting.lose("pg-1")
    looked = asyncio.Event()
    hosts = LateHosts(setting.server, HostStore())
    sweep = Sweep(
        setting.orphans(hosts=hosts, min_age=timedelta(0), scopes=[SCOPE]),
        recorder,
        interval=timedelta(seconds=0.05),
        delete=True,
        on_count=lambda counts: None if counts else looked.set(),
    )
    task = asyncio.create_task(sweep.run())
    async with asyncio.timeout(10):
        await looked.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert "orphans are looked for later" in caplog.messages[0]
    assert Step(Verb.DELETE, Part.MACHINE) in [call.step for call in setting.fake.calls]
