"""What every provider promises to the orphan sweep."""

from datetime import timedelta

import pytest

from benchhost.api.conditions import Reason
from benchhost.cloud import AdminError, OwnedResource, Owner, Part, PartState, Scope, TransientError, Verb
from contract.clouds import BUILD_ORDER, DELETE_ORDER, OTHER, STRANGER, Cloud
from support.builders import OWNER

SHARED = Owner(cluster=OWNER.cluster, namespace="", name="", uid="")
WHOLE_HOST = {*BUILD_ORDER, Part.DISK}


def scope(cloud: Cloud) -> Scope:
    return Scope(cloud.subscription_id, "bench-rg")


async def owned(cloud: Cloud, cluster: str = OWNER.cluster) -> list[OwnedResource]:
    return await cloud.provider.list_owned(scope(cloud), cluster)


async def the(cloud: Cloud, part: Part) -> OwnedResource:
    return next(resource for resource in await owned(cloud) if resource.part is part)


async def delete(cloud: Cloud, resource: OwnedResource) -> None:
    """Start to delete it, and let the time pass that it takes."""
    await cloud.provider.delete_owned(resource)
    for _ in range(60):
        if resource.resource_id not in {seen.resource_id for seen in await owned(cloud)}:
            return
        cloud.advance(timedelta(seconds=5))
    raise AssertionError(f"the {resource.part} is still there")


async def test_an_empty_group_and_one_that_does_not_exist_have_nothing(cloud: Cloud) -> None:
    assert await owned(cloud) == []
    assert await cloud.provider.list_owned(Scope(cloud.subscription_id, "nowhere"), OWNER.cluster) == []


async def test_every_part_of_every_host_is_listed_with_its_owner(cloud: Cloud) -> None:
    await cloud.build(cloud.request())
    await cloud.build(cloud.request(OTHER))
    found = await owned(cloud)
    assert {resource.scope for resource in found} == {scope(cloud)}
    assert {resource.state for resource in found} == {PartState.READY}
    for owner in (OWNER, OTHER):
        assert {resource.part for resource in found if resource.owner == owner} == WHOLE_HOST - {Part.NETWORK}
    shared = [resource for resource in found if resource.is_shared]
    assert [(resource.part, resource.owner, resource.in_use) for resource in shared] == [(Part.NETWORK, SHARED, True)]
    seen = await cloud.provider.observe(cloud.request())
    assert seen.machine is not None
    machine = next(one for one in found if one.part is Part.MACHINE and one.owner == OWNER)
    assert machine.created_at == seen.machine.created_at


async def test_the_resource_group_is_found_whatever_its_case(cloud: Cloud) -> None:
    await cloud.build(cloud.request(resourceGroup="Bench-RG"))
    of_spec = Scope.of(cloud.request(resourceGroup="Bench-RG").spec)
    found = await cloud.provider.list_owned(of_spec, OWNER.cluster)
    assert {resource.part for resource in found} == WHOLE_HOST


async def test_another_cluster_s_resources_are_not_listed(cloud: Cloud) -> None:
    await cloud.build(cloud.request(STRANGER))
    assert await owned(cloud) == []
    assert {resource.owner.cluster for resource in await owned(cloud, STRANGER.cluster)} == {STRANGER.cluster}


async def test_what_was_let_go_is_not_listed(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    for part in DELETE_ORDER:
        await cloud.do(request, Verb.RELEASE, part)
    assert await owned(cloud) == []


async def test_a_host_is_deleted_part_by_part_without_its_spec(cloud: Cloud) -> None:
    await cloud.build(cloud.request())
    await delete(cloud, await the(cloud, Part.MACHINE))
    while rest := await owned(cloud):
        await delete(cloud, min(rest, key=lambda resource: DELETE_ORDER.index(resource.part)))
    assert dict((await cloud.provider.observe(cloud.request())).parts) == {}


async def test_a_deletion_under_way_is_shown_and_starting_it_again_is_fine(cloud: Cloud) -> None:
    await cloud.build(cloud.request())
    machine = await the(cloud, Part.MACHINE)
    first = await cloud.provider.delete_owned(machine)
    assert not first.finished
    assert (await the(cloud, Part.MACHINE)).state is PartState.DELETING
    assert not (await cloud.provider.delete_owned(machine)).finished


async def test_deleting_what_is_gone_is_success(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    machine = await the(cloud, Part.MACHINE)
    await cloud.do(request, Verb.DELETE)
    assert (await cloud.provider.delete_owned(machine)).finished


async def test_what_is_in_use_is_not_deleted(cloud: Cloud) -> None:
    await cloud.build(cloud.request())
    for part in (Part.NETWORK, Part.INTERFACE, Part.DISK, Part.ADDRESS):
        with pytest.raises(TransientError):
            await cloud.provider.delete_owned(await the(cloud, part))
    assert {resource.part for resource in await owned(cloud)} == WHOLE_HOST


async def test_what_was_let_go_since_it_was_listed_is_left_alone(cloud: Cloud) -> None:
    request = cloud.request(name="db-1")
    await cloud.build(request)
    machine = await the(cloud, Part.MACHINE)
    await cloud.do(request, Verb.RELEASE)
    with pytest.raises(AdminError) as caught:
        await cloud.provider.delete_owned(machine)
    assert caught.value.reason is Reason.NOT_OWNED
    assert (await cloud.provider.observe(request)).machine is not None


async def test_a_list_of_several_pages_is_whole(azure: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchhost.emulator.arm.pages.PAGE_SIZE", 2)
    await azure.build(azure.request())
    found = await owned(azure)
    assert {resource.part for resource in found} == WHOLE_HOST
    assert all(resource.created_at is not None for resource in found)
