"""Hosts that are seen in lists look exactly as they do one by one. On the emulator, over HTTPS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest

from benchhost.azure import AzureCloudSettings, credentials_from_secret, inventory, listing
from benchhost.azure.clients import AzureClients
from benchhost.azure.group_lists import GroupLists
from benchhost.azure.listed import ReadListed
from benchhost.azure.names import HostNames
from benchhost.azure.observation import ReadAlone, observe
from benchhost.azure.parameters import to_body
from benchhost.cloud import (
    AdminError,
    DeferredError,
    HostRequest,
    MachinePower,
    Observation,
    Part,
    PartState,
    Step,
    Verb,
)
from contract.clouds import BUILD_ORDER, Cloud, azure_provider
from support.builders import OWNER


@dataclass
class Counted:
    """Clients that remember what they were asked for, apart from what the SDK's own operations ask."""

    clients: AzureClients
    urls: list[str]


@asynccontextmanager
async def counted(azure: Cloud) -> AsyncIterator[Counted]:
    connection = azure.connection
    assert connection is not None
    settings = AzureCloudSettings(
        resource_manager_endpoint=connection.endpoint,
        resource_manager_audience=connection.audience,
        authority_host=connection.authority,
        ca_bundle=connection.ca_bundle,
    )
    values = {
        "AZURE_TENANT_ID": connection.tenant_id,
        "AZURE_CLIENT_ID": connection.client_id,
        "AZURE_CLIENT_SECRET": connection.client_secret,
    }
    clients = AzureClients(settings, credentials_from_secret(values))
    made = Counted(clients, [])
    plain = clients.get

    async def get(url: str) -> Any:
        made.urls.append(url)
        return await plain(url)

    clients.get = get  # type: ignore[method-assign]
    try:
        yield made
    finally:
        await clients.close()


def seconds_ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def lists_of(clients: AzureClients, request: HostRequest) -> GroupLists:
    azure = request.spec.azure
    return GroupLists(clients, azure.subscription_id, azure.resource_group, azure.location)


def host(azure: Cloud, name: str, **changes: Any) -> HostRequest:
    owner = replace(OWNER, name=name, uid=f"{OWNER.uid[:-4]}{crc32(name.encode()) % 10_000:04}")
    return azure.request(owner, **changes)


async def prepare(azure: Cloud, request: HostRequest, parts: tuple[Part, ...], *verbs: Verb) -> None:
    """Make parts of a host and change its power, through a provider that knows no other host."""
    assert azure.connection is not None
    alone = replace(azure, provider=azure_provider(azure.connection))
    try:
        for part in parts:
            await alone.do(request, Verb.ENSURE, part)
        for verb in verbs:
            await alone.do(request, verb)
    finally:
        await alone.provider.close()


async def make_every_state(azure: Cloud) -> list[HostRequest]:
    """Hosts in as many states as there are; what is under way begins last, so that it still is."""
    verbs: dict[str, tuple[Verb, ...]] = {
        "running": (),
        "stopped": (Verb.STOP,),
        "deallocated": (Verb.DEALLOCATE,),
        "starting": (Verb.DEALLOCATE,),
        "deleting": (),
    }
    hosts = {name: host(azure, name) for name in (*verbs, "new", "half", "creating")}
    for name, powered in verbs.items():
        await prepare(azure, hosts[name], BUILD_ORDER, *powered)
    for name in ("half", "creating"):
        await prepare(azure, hosts[name], BUILD_ORDER[:-1])
    await azure.start(hosts["creating"], Verb.ENSURE)
    azure.advance(timedelta(seconds=5))
    await azure.start(hosts["starting"], Verb.START)
    await azure.start(hosts["deleting"], Verb.DELETE)
    return list(hosts.values())


async def test_every_state_looks_the_same_in_lists(azure: Cloud) -> None:
    requests = await make_every_state(azure)
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, requests[0])
        listed = await asyncio.gather(*(observe(ReadListed(lists, request, None), request) for request in requests))
        rounds = len(asked.urls)
        alone = [await observe(ReadAlone(asked.clients, HostNames.of(request)), request) for request in requests]
        await lists.close()
    assert listed == alone
    assert rounds == len(set(asked.urls)) == 6
    seen = {one.machine.power for one in listed if one.machine is not None}
    assert {MachinePower.RUNNING, MachinePower.STOPPED, MachinePower.DEALLOCATED, MachinePower.STARTING} <= seen
    assert {PartState.DELETING, PartState.PENDING, PartState.READY} <= {
        one.parts[Part.MACHINE].state for one in listed if one.machine is not None
    }


async def test_a_round_that_grows_old_is_renewed_before_anybody_has_to_wait_for_it(azure: Cloud) -> None:
    request, age = host(azure, "pg"), timedelta(seconds=2)
    async with counted(azure) as asked:
        listing = lists_of(asked.clients, request).of(Part.MACHINE)
        first = await listing.recent(age)
        assert await listing.recent(age) is first
        await asyncio.sleep(1.1)
        assert await listing.recent(age) is first
        assert listing._round is not None
        await listing._round
        second = await listing.recent(age)
        assert first.ended < second.started < first.ended + age
        await listing.close()


async def test_lists_that_nobody_has_read_lately_are_read_side_by_side(azure: Cloud) -> None:
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, host(azure, "pg"))
        lists.wake()
        lists.wake()
        await asyncio.sleep(0.5)
        lists.wake()
        assert sorted(asked.urls) == sorted(set(asked.urls))
        assert len(asked.urls) == 6
        await lists.close()


async def test_a_list_that_was_refused_is_not_read_until_somebody_needs_it(
    azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []

    def refusing(_: AzureClients, url: str, *__: Any, **___: Any) -> AsyncIterator[Any]:
        began.append(url)
        raise AdminError("not allowed", code="AuthorizationFailed")

    monkeypatch.setattr(listing, "read_pages", refusing)
    async with counted(azure) as asked:
        machines = lists_of(asked.clients, host(azure, "pg")).of(Part.MACHINE)
        for _ in range(3):
            machines.wake()
            await asyncio.sleep(0.1)
        assert len(began) == 1
        with pytest.raises(AdminError):
            await machines.recent(timedelta(seconds=2))
        assert len(began) == 2


async def test_a_look_into_lists_says_how_old_it_is(azure: Cloud) -> None:
    requests = [host(azure, f"pg-{number}") for number in range(30)]
    before = datetime.now(UTC)
    first, *others = await asyncio.gather(*(look(azure, request) for request in requests))
    assert first.as_of is None
    ages = {seen.as_of for seen in others if seen.as_of is not None}
    assert len(ages) >= 1
    assert all(before <= age <= datetime.now(UTC) for age in ages)


async def test_a_round_that_began_before_a_change_is_not_used_for_it(azure: Cloud) -> None:
    request = host(azure, "pg")
    await azure.build(request)
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, request)
        assert (await observe(ReadListed(lists, request, None), request)).machine is not None
        once = len(asked.urls)
        await observe(ReadListed(lists, request, None), request)
        assert len(asked.urls) == once
        await azure.do(request, Verb.STOP)
        seen = await observe(ReadListed(lists, request, seconds_ago(0)), request)
        await lists.close()
    assert seen.machine is not None
    assert seen.machine.power is MachinePower.STOPPED
    assert len(asked.urls) > once


async def test_what_was_listed_once_and_is_no_more_is_gone_without_another_look(azure: Cloud) -> None:
    request = host(azure, "pg")
    await azure.build(request)
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, request)
        reader = ReadListed(lists, request, None)
        await observe(reader, request)
        for part in (Part.DISK, Part.ADDRESS, Part.INTERFACE):
            await reader.part(part)
        await azure.do(request, Verb.DELETE)
        changed = replace(request, not_before=datetime.now(UTC))
        seen = await observe(ReadListed(lists, changed, seconds_ago(0)), changed)
        await lists.close()
    assert set(seen.parts) == {Part.NETWORK}


@pytest.fixture
def lagging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists that do not show anything yet."""

    async def empty(*_: Any, **__: Any) -> AsyncIterator[dict[str, Any]]:
        yield {"value": []}

    monkeypatch.setattr(listing, "read_pages", empty)


@pytest.mark.usefixtures("lagging")
async def test_what_is_too_new_to_be_listed_is_looked_at_by_itself(azure: Cloud) -> None:
    request = host(azure, "pg")
    await azure.build(request)
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, request)
        unknown = await observe(ReadListed(lists, request, None), request)
        deleting = replace(request, not_before=seconds_ago(60))
        careful = await observe(ReadListed(lists, deleting, None), deleting)
        for part in BUILD_ORDER:
            lists.expect(request, part)
        made_here = await observe(ReadListed(lists, request, None), request)
        await lists.close()
    assert unknown == Observation({})
    assert careful.machine is not None
    assert set(careful.parts) == set(made_here.parts) == set(Part) - {Part.DATA_DISK}


async def test_without_a_right_to_the_whole_subscription_machines_are_read_one_by_one(
    azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = host(azure, "pg")
    await azure.build(request)
    read_pages = listing.read_pages

    def refusing(clients: AzureClients, url: str, what: str, *, is_patient: bool) -> AsyncIterator[Any]:
        if "statusOnly" in url:
            raise AdminError("not allowed", code="AuthorizationFailed")
        return read_pages(clients, url, what, is_patient=is_patient)

    monkeypatch.setattr(listing, "read_pages", refusing)
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, request)
        for _ in range(2):
            seen = await observe(ReadListed(lists, request, seconds_ago(0)), request)
            assert seen.machine is not None
            assert seen.machine.power is MachinePower.RUNNING
        await lists.close()


async def look(azure: Cloud, request: HostRequest) -> Observation:
    """Look at a host, and come back when the turn has come."""
    while True:
        try:
            return await azure.provider.observe(request)
        except DeferredError as deferred:
            await asyncio.sleep(deferred.retry_after.total_seconds())


@pytest.mark.parametrize("not_before", [None, seconds_ago(60)], ids=["wanted", "being-deleted"])
async def test_of_many_hosts_in_a_resource_group_that_is_gone_nothing_is_there(
    azure: Cloud, not_before: datetime | None
) -> None:
    requests = [host(azure, f"pg-{number}", resourceGroup="gone") for number in range(12)]
    seen = await asyncio.gather(*(look(azure, replace(request, not_before=not_before)) for request in requests))
    assert seen == [Observation({})] * 12


async def test_hosts_that_ask_together_are_seen_in_a_few_lists(azure: Cloud) -> None:
    requests = [host(azure, f"pg-{number}") for number in range(30)]
    for request in requests[:3]:
        await azure.build(request)
    seen = await asyncio.gather(*(look(azure, request) for request in requests))
    assert [one.machine is not None for one in seen] == [True] * 3 + [False] * 27


async def test_operations_that_are_asked_for_together_end_as_they_would_alone(
    azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "CROWD", 4)  # and no crowd, which would take all that the subscription allows
    requests = [host(azure, f"pg-{number}") for number in range(6)]
    for request in requests:
        for part in BUILD_ORDER[:-1]:
            await azure.do(request, Verb.ENSURE, part)
    started = [await azure.provider.start(r, Step(Verb.ENSURE, Part.MACHINE), Observation({})) for r in requests]
    urls = [one.poll_url or "" for one in started]
    before = await asyncio.gather(*map(azure.provider.poll, requests, urls))
    assert [state is not None and state.finished for state in before] == [False] * len(urls)
    azure.advance(timedelta(minutes=5))
    await asyncio.sleep(2.1)  # as old as what tells of operations may be
    after = await asyncio.gather(*map(azure.provider.poll, requests, urls))
    assert [state is not None and state.finished and state.error is None for state in after] == [True] * len(urls)
    assert all(state is not None and state.end_time is not None for state in after)


OTHERS_NETWORK = {"virtualNetwork": {"name": "bench-net"}}


def new_host(azure: Cloud, called: str, /, **changes: Any) -> HostRequest:
    """One for which nothing was asked yet, in a network that it does not make."""
    owner = host(azure, called).owner
    return replace(azure.request(owner, **{"network": OTHERS_NETWORK} | changes), is_new=True)


async def test_a_new_host_is_not_looked_for_where_others_were_seen(azure: Cloud) -> None:
    async with counted(azure) as asked:
        shelf = inventory.Inventory(asked.clients)
        assert await shelf.observe(new_host(azure, "new")) == Observation({})
        looks = len(asked.urls)
        assert looks > 0, "nobody has looked into the group before"
        assert await shelf.observe(new_host(azure, "other")) == Observation({})
        assert len(asked.urls) == looks
        await shelf.close()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"is_new": False}, id="asked-for-before"),
        pytest.param({"not_before": seconds_ago(0)}, id="doubted"),
        pytest.param({"max_age": timedelta(seconds=15)}, id="concluded-from"),
    ],
)
async def test_a_host_that_may_be_there_is_looked_for(azure: Cloud, changes: dict[str, Any]) -> None:
    await azure.build(host(azure, "there"))
    async with counted(azure) as asked:
        shelf = inventory.Inventory(asked.clients)
        await shelf.observe(host(azure, "other"))
        found = await shelf.observe(replace(new_host(azure, "there"), **changes))
        assert found.machine is not None
        await shelf.close()


@pytest.mark.parametrize(
    "azure_changes",
    [
        pytest.param({"name": "mine"}, id="its-name-is-given"),
        pytest.param({"network": {"virtualNetwork": {"name": "net", "create": True}}}, id="its-network-is-shared"),
    ],
)
async def test_a_new_host_is_looked_for_where_others_may_have_its_parts(
    azure: Cloud, azure_changes: dict[str, Any]
) -> None:
    async with counted(azure) as asked:
        shelf = inventory.Inventory(asked.clients)
        await shelf.observe(host(azure, "other"))
        looks = len(asked.urls)
        await shelf.observe(new_host(azure, "new", **azure_changes))
        assert len(asked.urls) > looks
        await shelf.close()


async def look_both_ways(azure: Cloud, request: HostRequest) -> Observation:
    """What is seen of a host, which must be the same one by one and in lists."""
    async with counted(azure) as asked:
        lists = lists_of(asked.clients, request)
        listed = await observe(ReadListed(lists, request, None), request)
        alone = await observe(ReadAlone(asked.clients, HostNames.of(request)), request)
        await lists.close()
    assert listed == alone
    return alone


async def test_a_host_that_was_made_part_by_part_is_still_found_and_deleted(azure: Cloud) -> None:
    request = host(azure, "pg")
    before = azure.request(request.owner, name=HostNames.of(request).machine)
    await azure.build(before)
    seen = await look_both_ways(azure, request)
    assert seen == await azure.provider.observe(before)
    assert seen.parts.keys() == {*BUILD_ORDER, Part.DISK}
    await azure.do(request, Verb.DELETE)
    assert set((await look_both_ways(azure, request)).parts) == {Part.NETWORK}


async def test_what_was_made_before_its_machine_is_found_and_deleted_without_one(azure: Cloud) -> None:
    request = host(azure, "pg")
    await prepare(azure, azure.request(request.owner, name=HostNames.of(request).machine), BUILD_ORDER[:-1])
    seen = await look_both_ways(azure, request)
    assert seen.parts.keys() == set(BUILD_ORDER[:-1])
    for part in (Part.INTERFACE, Part.ADDRESS):
        await azure.do(request, Verb.DELETE, part)
    assert set((await look_both_ways(azure, request)).parts) == {Part.NETWORK}


async def test_an_interface_that_a_machine_has_left_is_found_by_the_beginning_of_its_name(azure: Cloud) -> None:
    request = host(azure, "pg", network={"virtualNetwork": {"name": "bench-net", "create": True}})
    await azure.do(request, Verb.ENSURE, Part.NETWORK)
    names = HostNames.of(request)
    body = {**to_body(request, Part.INTERFACE), "tags": {}}
    async with counted(azure) as asked:
        interfaces = asked.clients.network(azure.subscription_id).network_interfaces
        for suffix in ("cff6ed40", "0a1b2c3d"):
            await interfaces.begin_create_or_update("bench-rg", f"{names.machine}-nic-{suffix}", body, polling=False)
    azure.advance(timedelta(seconds=30))
    for suffix in ("0a1b2c3d", "cff6ed40"):
        left = (await look_both_ways(azure, request)).parts[Part.INTERFACE]
        assert (left.resource_id.rpartition("-")[2], left.owner) == (suffix, request.owner)
        await azure.do(request, Verb.DELETE, Part.INTERFACE)
    assert set((await look_both_ways(azure, request)).parts) == {Part.NETWORK}


async def test_who_wants_a_round_younger_than_rounds_can_be_comes_back_for_one_that_has_just_ended(
    azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    age = timedelta(seconds=0.6)
    read_pages = listing.read_pages

    async def slow(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async for page in read_pages(*arguments, **options):
            await asyncio.sleep(1.3)  # longer than anybody is kept waiting
            yield page

    monkeypatch.setattr(listing, "read_pages", slow)
    async with counted(azure) as asked:
        machines = lists_of(asked.clients, host(azure, "pg")).of(Part.MACHINE)
        with pytest.raises(DeferredError) as deferred:
            await machines.recent(age)
        await asyncio.sleep(deferred.value.retry_after.total_seconds())
        found = await machines.recent(age)
        assert datetime.now(UTC) - found.started > age
        assert len(asked.urls) == 1
        await machines.close()
