"""The life of data disks, from their machine's creation to their own end."""

import pytest

from benchhost.api.conditions import Reason
from benchhost.cloud import AdminError, AttachedDisk, Observation, Part, PartState, TransientError, Verb
from contract.clouds import STRANGER, Cloud
from support.builders import OWNER

SMALL = {"lun": 0, "sizeGiB": 32}
CACHED = {"lun": 3, "sizeGiB": 64, "caching": "ReadOnly"}


def disks_of(seen: Observation) -> dict[int, tuple[int | None, str | None]]:
    """What the machine has: size and caching by logical unit number."""
    assert seen.machine is not None
    return {disk.lun: (disk.size_gib, disk.caching) for disk in seen.machine.data_disks}


def ids_of(disks: tuple[AttachedDisk, ...]) -> set[str]:
    return {disk.resource_id.lower() for disk in disks}


async def test_data_disks_are_made_with_the_machine_and_go_with_it(cloud: Cloud) -> None:
    request = cloud.request(dataDisks=[SMALL, CACHED])
    seen = await cloud.build(request)
    assert disks_of(seen) == {0: (32, "None"), 3: (64, "ReadOnly")}
    assert seen.machine is not None
    assert {disk.resource_id.lower() for disk in seen.data_disks.values()} == ids_of(seen.machine.data_disks)
    states = {lun: (disk.state, disk.owner, disk.size_gib) for lun, disk in seen.data_disks.items()}
    assert states == {0: (PartState.READY, OWNER, 32), 3: (PartState.READY, OWNER, 64)}
    await cloud.do(request, Verb.DELETE)
    assert dict((await cloud.provider.observe(request)).data_disks) == {}


async def test_a_disk_is_added_to_a_machine_and_the_others_stay(cloud: Cloud) -> None:
    before = await cloud.build(cloud.request(dataDisks=[SMALL]))
    request = cloud.request(dataDisks=[SMALL, CACHED])
    state = await cloud.do(request, Verb.UPDATE)
    assert state is not None
    assert state.error is None
    seen = await cloud.provider.observe(request)
    assert disks_of(seen) == {0: (32, "None"), 3: (64, "ReadOnly")}
    assert seen.data_disks[0].resource_id == before.data_disks[0].resource_id
    assert (await cloud.start(request, Verb.UPDATE)).finished


async def test_a_disk_that_leaves_the_spec_is_let_go_and_can_then_be_deleted(cloud: Cloud) -> None:
    await cloud.build(cloud.request(dataDisks=[SMALL, CACHED]))
    request = cloud.request(dataDisks=[CACHED])
    with pytest.raises(TransientError):
        await cloud.start(request, Verb.DELETE, Part.DATA_DISK, 0)
    await cloud.do(request, Verb.UPDATE)
    seen = await cloud.provider.observe(request)
    assert disks_of(seen) == {3: (64, "ReadOnly")}
    assert seen.data_disks.keys() == {0, 3}
    await cloud.do(request, Verb.DELETE, Part.DATA_DISK, 0)
    assert (await cloud.provider.observe(request)).data_disks.keys() == {3}
    assert (await cloud.start(request, Verb.DELETE, Part.DATA_DISK, 0)).finished


async def test_a_disk_that_was_let_go_comes_back_and_not_a_new_one(cloud: Cloud) -> None:
    with_disk, without = cloud.request(dataDisks=[SMALL]), cloud.request()
    await cloud.build(with_disk)
    await cloud.do(without, Verb.UPDATE)
    loose = (await cloud.provider.observe(with_disk)).data_disks[0]
    await cloud.do(with_disk, Verb.UPDATE)
    seen = await cloud.provider.observe(with_disk)
    assert disks_of(seen) == {0: (32, "None")}
    assert seen.data_disks[0].resource_id == loose.resource_id
    await cloud.do(with_disk, Verb.DELETE)
    assert dict((await cloud.provider.observe(with_disk)).data_disks) == {}


async def test_a_disk_grows_by_itself_and_once(cloud: Cloud) -> None:
    await cloud.build(cloud.request(dataDisks=[SMALL]))
    request = cloud.request(dataDisks=[SMALL | {"sizeGiB": 128}])
    assert (await cloud.start(request, Verb.UPDATE)).finished
    await cloud.do(request, Verb.ENSURE, Part.DATA_DISK, 0)
    assert (await cloud.provider.observe(request)).data_disks[0].size_gib == 128
    assert (await cloud.start(request, Verb.ENSURE, Part.DATA_DISK, 0)).finished
    with pytest.raises(TransientError):
        await cloud.start(request, Verb.ENSURE, Part.DATA_DISK, 1)


async def test_caching_follows_the_spec(cloud: Cloud) -> None:
    await cloud.build(cloud.request(dataDisks=[SMALL]))
    request = cloud.request(dataDisks=[SMALL | {"caching": "ReadWrite"}])
    await cloud.do(request, Verb.UPDATE)
    assert disks_of(await cloud.provider.observe(request)) == {0: (32, "ReadWrite")}


async def test_a_released_data_disk_has_no_owner_and_is_not_deleted(cloud: Cloud) -> None:
    request = cloud.request(name="db-1", dataDisks=[SMALL])
    await cloud.build(request)
    await cloud.do(request, Verb.RELEASE)
    await cloud.do(request, Verb.RELEASE, Part.DATA_DISK, 0)
    assert (await cloud.provider.observe(request)).data_disks[0].owner is None
    assert (await cloud.start(request, Verb.RELEASE, Part.DATA_DISK, 0)).finished
    with pytest.raises(AdminError):
        await cloud.start(request, Verb.DELETE, Part.DATA_DISK, 0)


@pytest.mark.parametrize("verb", [Verb.ENSURE, Verb.DELETE, Verb.RELEASE, Verb.TAG])
async def test_another_owners_data_disk_is_left_alone(cloud: Cloud, verb: Verb) -> None:
    own = cloud.request(name="db-1", dataDisks=[SMALL])
    await cloud.build(own)
    await cloud.do(cloud.request(name="db-1"), Verb.UPDATE)
    foreign = cloud.request(STRANGER, name="db-1", dataDisks=[SMALL | {"sizeGiB": 64}])
    with pytest.raises(AdminError) as caught:
        await cloud.start(foreign, verb, Part.DATA_DISK, 0)
    assert caught.value.reason is Reason.NOT_OWNED
    assert (await cloud.provider.observe(own)).data_disks[0].size_gib == 32
