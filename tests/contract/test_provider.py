"""What every provider promises to the reconciler."""

import pytest

from benchhost.api.conditions import Reason
from benchhost.api.status import AddressType
from benchhost.cloud import (
    AdminError,
    CapacityError,
    CloudError,
    MachinePower,
    Owner,
    Part,
    PartState,
    TransientError,
    Verb,
)
from benchhost.lifecycle import required_parts
from contract.clouds import BUILD_ORDER, DELETE_ORDER, OTHER, STRANGER, Cloud
from support.builders import OWNER


async def test_a_host_that_was_never_made_has_no_parts(cloud: Cloud) -> None:
    observation = await cloud.provider.observe(cloud.request())
    assert (dict(observation.parts), observation.machine) == ({}, None)


@pytest.mark.parametrize("name", [None, "db-1"], ids=["interface-with-the-machine", "interface-before-the-machine"])
async def test_a_host_is_built_part_by_part_until_it_runs_with_its_addresses(cloud: Cloud, name: str | None) -> None:
    request = cloud.request(tags={"team": "db"}, name=name)
    order = required_parts(request.spec.azure)
    for built, part in enumerate(order):
        before = await cloud.provider.observe(request)
        assert set(before.parts) == set(order[:built])
        await cloud.do(request, Verb.ENSURE, part)
    seen = await cloud.provider.observe(request)
    assert set(seen.parts) == {*BUILD_ORDER, Part.DISK}
    assert {part.state for part in seen.parts.values()} == {PartState.READY}
    assert {seen.parts[part].owner for part in seen.parts if part is not Part.NETWORK} == {OWNER}
    assert seen.parts[Part.NETWORK].owner == Owner(cluster=OWNER.cluster, namespace="", name="", uid="")
    assert seen.parts[Part.NETWORK].in_use
    machine = seen.machine
    assert machine is not None
    assert (machine.power, machine.size, machine.tags) == (
        MachinePower.RUNNING,
        "Standard_D2s_v5",
        {"team": "db"},
    )
    assert {address.type for address in machine.addresses} == {AddressType.INTERNAL_IP, AddressType.EXTERNAL_IP}
    assert machine.vm_id
    assert machine.created_at is not None
    assert machine.changed_at is not None
    assert machine.changed_at > machine.created_at


async def test_a_creation_under_way_is_visible_and_tells_its_times_when_it_ends(cloud: Cloud) -> None:
    request = cloud.request()
    for part in BUILD_ORDER[:-1]:
        await cloud.do(request, Verb.ENSURE, part)
    started = await cloud.start(request, Verb.ENSURE)
    assert started.poll_url is not None
    assert not started.finished
    state = await cloud.provider.poll(request, started.poll_url)
    assert state is not None
    assert not state.finished
    observation = await cloud.provider.observe(request)
    assert observation.parts[Part.MACHINE].state is PartState.PENDING
    ended = await cloud.finish(request, started)
    assert (ended.error, ended.canceled) == (None, False)
    assert ended.start_time is not None
    assert ended.end_time is not None
    assert ended.start_time < ended.end_time


async def test_ensuring_what_is_there_changes_nothing(cloud: Cloud) -> None:
    request = cloud.request()
    before = await cloud.build(request)
    for part in (*BUILD_ORDER, Part.DISK):
        assert (await cloud.start(request, Verb.ENSURE, part)).finished
    assert await cloud.provider.observe(request) == before


async def test_ensuring_what_is_being_made_starts_nothing_new(cloud: Cloud) -> None:
    request = cloud.request()
    for part in BUILD_ORDER[:-1]:
        await cloud.do(request, Verb.ENSURE, part)
    first = await cloud.start(request, Verb.ENSURE)
    again = await cloud.start(request, Verb.ENSURE)
    assert (again.finished, again.poll_url) == (False, None)
    ended = await cloud.finish(request, first)
    assert (ended.error, ended.canceled) == (None, False)


async def test_a_machine_is_stopped_started_deallocated_and_restarted(cloud: Cloud) -> None:
    request = cloud.request()
    vm_id = (await cloud.build(request)).machine
    steps = [
        (Verb.STOP, MachinePower.STOPPED),
        (Verb.START, MachinePower.RUNNING),
        (Verb.DEALLOCATE, MachinePower.DEALLOCATED),
        (Verb.START, MachinePower.RUNNING),
        (Verb.RESTART, MachinePower.RUNNING),
    ]
    for verb, power in steps:
        state = await cloud.do(request, verb)
        assert state is not None
        assert state.error is None
        machine = (await cloud.provider.observe(request)).machine
        assert machine is not None
        assert machine.power is power, verb
        assert vm_id is not None
        assert machine.vm_id == vm_id.vm_id


async def test_a_power_change_under_way_shows_and_refuses_a_second_one(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    started = await cloud.start(request, Verb.DEALLOCATE)
    observation = await cloud.provider.observe(request)
    assert observation.parts[Part.MACHINE].state is PartState.PENDING
    assert observation.machine is not None
    assert observation.machine.power is MachinePower.DEALLOCATING
    with pytest.raises(TransientError):
        await cloud.start(request, Verb.START)
    assert (await cloud.finish(request, started)).error is None


async def test_a_machine_is_resized_once(cloud: Cloud) -> None:
    await cloud.build(cloud.request())
    request = cloud.request(size="Standard_D4s_v5")
    await cloud.do(request, Verb.RESIZE)
    machine = (await cloud.provider.observe(request)).machine
    assert machine is not None
    assert machine.size == "Standard_D4s_v5"
    assert (await cloud.start(request, Verb.RESIZE)).finished


async def test_everything_is_deleted_in_order_and_deleting_again_is_success(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    for part in DELETE_ORDER:
        await cloud.do(request, Verb.DELETE, part)
        assert (await cloud.provider.observe(request)).get(part) is None
        assert (await cloud.start(request, Verb.DELETE, part)).finished
    assert dict((await cloud.provider.observe(request)).parts) == {}


async def test_a_machine_takes_its_interface_disk_and_address_along(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    await cloud.do(request, Verb.DELETE)
    assert set((await cloud.provider.observe(request)).parts) == {Part.NETWORK}


async def test_deletion_pushes_a_creation_aside(cloud: Cloud) -> None:
    request = cloud.request()
    for part in BUILD_ORDER[:-1]:
        await cloud.do(request, Verb.ENSURE, part)
    creating = await cloud.start(request, Verb.ENSURE)
    deleting = await cloud.start(request, Verb.DELETE)
    ended = await cloud.finish(request, creating)
    assert ended.canceled
    assert isinstance(ended.error, TransientError)
    assert (await cloud.finish(request, deleting)).error is None
    assert (await cloud.provider.observe(request)).machine is None


async def test_what_is_in_use_is_not_deleted(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    for part in (Part.INTERFACE, Part.ADDRESS, Part.DISK, Part.NETWORK):
        with pytest.raises(TransientError):
            await cloud.start(request, Verb.DELETE, part)
    assert {*BUILD_ORDER, Part.DISK} == set((await cloud.provider.observe(request)).parts)


@pytest.mark.parametrize("verb", [Verb.ENSURE, Verb.DELETE, Verb.STOP, Verb.RESIZE, Verb.TAG, Verb.RELEASE])
async def test_another_owners_machine_is_left_alone(cloud: Cloud, verb: Verb) -> None:
    own = cloud.request(name="db-1")
    before = await cloud.build(own)
    foreign = cloud.request(STRANGER, name="db-1", size="Standard_D4s_v5", adopt=True)
    with pytest.raises(AdminError) as caught:
        await cloud.start(foreign, verb)
    assert caught.value.reason is Reason.NOT_OWNED
    assert await cloud.provider.observe(own) == before


async def test_a_released_host_keeps_running_without_an_owner(cloud: Cloud) -> None:
    request = cloud.request(tags={"team": "db"}, name="db-1")
    await cloud.build(request)
    for part in (Part.MACHINE, Part.INTERFACE, Part.ADDRESS):
        await cloud.do(request, Verb.RELEASE, part)
        assert (await cloud.start(request, Verb.RELEASE, part)).finished
    seen = await cloud.provider.observe(request)
    assert {seen.parts[part].owner for part in (Part.MACHINE, Part.INTERFACE, Part.ADDRESS)} == {None}
    assert seen.machine is not None
    assert (seen.machine.power, seen.machine.tags) == (MachinePower.RUNNING, {"team": "db"})
    with pytest.raises(AdminError, match="db-1"):
        await cloud.start(request, Verb.DELETE)


async def test_a_released_disk_has_no_owner(cloud: Cloud) -> None:
    request = cloud.request(name="db-1")
    await cloud.build(request)
    await cloud.do(request, Verb.RELEASE)
    assert (await cloud.provider.observe(request)).parts[Part.DISK].owner == OWNER
    await cloud.do(request, Verb.RELEASE, Part.DISK)
    assert (await cloud.provider.observe(request)).parts[Part.DISK].owner is None


async def test_a_machine_without_owner_is_taken_over_only_where_the_spec_says_so(cloud: Cloud) -> None:
    first = cloud.request(name="db-1")
    await cloud.build(first)
    await cloud.do(first, Verb.RELEASE)
    with pytest.raises(AdminError):
        await cloud.start(cloud.request(OTHER, name="db-1"), Verb.TAG)
    second = cloud.request(OTHER, name="db-1", adopt=True, tags={"team": "db"})
    await cloud.do(second, Verb.TAG)
    seen = await cloud.provider.observe(second)
    assert seen.parts[Part.MACHINE].owner == OTHER
    assert seen.machine is not None
    assert seen.machine.tags == {"team": "db"}
    assert (await cloud.start(second, Verb.TAG)).finished


async def test_a_network_goes_with_the_last_host_in_it(cloud: Cloud) -> None:
    first, second = cloud.request(), cloud.request(OTHER)
    await cloud.build(first)
    await cloud.build(second)
    await cloud.do(first, Verb.DELETE)
    assert (await cloud.provider.observe(first)).parts[Part.NETWORK].in_use
    with pytest.raises(TransientError):
        await cloud.start(first, Verb.DELETE, Part.NETWORK)
    await cloud.do(second, Verb.DELETE)
    assert not (await cloud.provider.observe(first)).parts[Part.NETWORK].in_use
    await cloud.do(first, Verb.DELETE, Part.NETWORK)
    assert dict((await cloud.provider.observe(second)).parts) == {}


async def test_a_network_that_we_did_not_make_is_used_and_never_deleted(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.do(request, Verb.ENSURE, Part.NETWORK)
    await cloud.do(request, Verb.RELEASE, Part.NETWORK)
    await cloud.build(request)
    seen = (await cloud.provider.observe(request)).parts[Part.NETWORK]
    assert (seen.owner, seen.in_use) == (None, True)
    await cloud.do(request, Verb.DELETE)
    with pytest.raises(AdminError):
        await cloud.start(request, Verb.DELETE, Part.NETWORK)
    assert set((await cloud.provider.observe(request)).parts) == {Part.NETWORK}


async def test_a_machine_is_not_made_before_its_interface(cloud: Cloud) -> None:
    request = cloud.request(name="db-1")
    await cloud.do(request, Verb.ENSURE, Part.NETWORK)
    with pytest.raises(CloudError):
        await cloud.start(request, Verb.ENSURE)
    assert set((await cloud.provider.observe(request)).parts) == {Part.NETWORK}


async def test_a_machine_that_brings_its_interface_needs_the_network(cloud: Cloud) -> None:
    request = cloud.request()
    with pytest.raises(CloudError):
        await cloud.start(request, Verb.ENSURE)
    assert dict((await cloud.provider.observe(request)).parts) == {}


async def test_a_creation_that_failed_keeps_what_it_brought_until_the_machine_is_deleted(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.do(request, Verb.ENSURE, Part.NETWORK)
    await cloud.fail_next_creation()
    ended = await cloud.do(request, Verb.ENSURE)
    assert ended is not None
    assert isinstance(ended.error, CapacityError)
    seen = await cloud.provider.observe(request)
    assert seen.parts[Part.MACHINE].state is PartState.FAILED
    own = (Part.MACHINE, Part.INTERFACE, Part.ADDRESS)
    assert {seen.parts[part].owner for part in own} == {OWNER}
    await cloud.do(request, Verb.DELETE)
    assert set((await cloud.provider.observe(request)).parts) == {Part.NETWORK}
    again = await cloud.build(request)
    assert again.machine is not None
    assert again.machine.power is MachinePower.RUNNING
    assert len(again.machine.addresses) == 2


async def test_a_failed_machine_that_is_ensured_gets_no_second_interface(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.do(request, Verb.ENSURE, Part.NETWORK)
    await cloud.fail_next_creation()
    await cloud.do(request, Verb.ENSURE)
    before = (await cloud.provider.observe(request)).parts[Part.INTERFACE].resource_id
    await cloud.do(request, Verb.ENSURE)
    assert (await cloud.provider.observe(request)).parts[Part.INTERFACE].resource_id == before
    await cloud.do(request, Verb.DELETE)
    assert set((await cloud.provider.observe(request)).parts) == {Part.NETWORK}


async def test_everything_that_a_computed_name_has_made_can_be_let_go(cloud: Cloud) -> None:
    request = cloud.request(dataDisks=[{"lun": 0, "sizeGiB": 32}])
    await cloud.build(request)
    for part in (Part.MACHINE, Part.INTERFACE, Part.DISK, Part.ADDRESS):
        await cloud.do(request, Verb.RELEASE, part)
    await cloud.do(request, Verb.RELEASE, Part.DATA_DISK, 0)
    seen = await cloud.provider.observe(request)
    own = [*(part for kind, part in seen.parts.items() if kind is not Part.NETWORK), *seen.data_disks.values()]
    assert [part.owner for part in own] == [None] * 5


@pytest.mark.parametrize("verb", [Verb.START, Verb.STOP, Verb.DEALLOCATE, Verb.RESTART, Verb.RESIZE, Verb.TAG])
async def test_a_machine_that_is_gone_cannot_be_changed(cloud: Cloud, verb: Verb) -> None:
    with pytest.raises(TransientError):
        await cloud.start(cloud.request(), verb)


async def test_an_operation_that_nobody_knows_is_none(cloud: Cloud) -> None:
    assert await cloud.provider.poll(cloud.request(), "https://elsewhere.invalid/operations/1") is None


async def test_a_machine_that_was_deleted_is_made_again_as_another_machine(cloud: Cloud) -> None:
    request = cloud.request()
    first = (await cloud.build(request)).machine
    await cloud.do(request, Verb.DELETE)
    second = (await cloud.build(request)).machine
    assert first is not None
    assert second is not None
    assert first.vm_id != second.vm_id
    assert first.provider_id == second.provider_id
