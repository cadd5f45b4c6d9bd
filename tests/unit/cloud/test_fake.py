"""What a test can arrange in the in-memory cloud. That it keeps the port's promises is checked in tests/contract."""

import contextlib
from datetime import timedelta

import pytest

from benchhost.api.conditions import Reason
from benchhost.api.spec import BenchHostSpec
from benchhost.cloud import (
    CapacityError,
    HostRequest,
    MachinePower,
    Observation,
    Part,
    PartState,
    Started,
    Step,
    TerminalError,
    ThrottledError,
    TransientError,
    Verb,
)
from benchhost.cloud.fake import Call, FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from support.builders import OWNER, azure_spec

MAKE = Step(Verb.ENSURE, Part.MACHINE)
STOP = Step(Verb.STOP, Part.MACHINE)
START = Step(Verb.START, Part.MACHINE)
LONG = timedelta(hours=1)
SIZE, OTHER_SIZE = "Standard_D2s_v5", "Standard_D4s_v5"
DISKS = [{"lun": 0, "sizeGiB": 32}]


def request(size: str = SIZE, zone: str | None = None, **azure: object) -> HostRequest:
    spec = BenchHostSpec.model_validate({"azure": azure_spec(**azure)})
    return HostRequest(OWNER, spec, size, zone=zone)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def cloud(clock: SettableClock) -> FakeCloud:
    return FakeCloud(clock)


async def start(cloud: FakeCloud, step: Step, host: HostRequest | None = None) -> Started:
    host = host or request()
    return await cloud.start(host, step, await cloud.observe(host))


async def begin(cloud: FakeCloud, host: HostRequest | None = None) -> Started:
    for part in (Part.NETWORK, Part.ADDRESS, Part.INTERFACE):
        await start(cloud, Step(Verb.ENSURE, part), host)
    return await start(cloud, MAKE, host)


async def build(cloud: FakeCloud, clock: SettableClock, host: HostRequest | None = None) -> None:
    await begin(cloud, host)
    clock.advance(LONG)


async def power(cloud: FakeCloud, host: HostRequest | None = None) -> MachinePower | None:
    machine = (await cloud.observe(host or request())).machine
    return machine.power if machine else None


async def test_an_operation_lasts_as_long_as_it_was_told(cloud: FakeCloud, clock: SettableClock) -> None:
    cloud.durations[MAKE] = timedelta(seconds=10)
    url = (await begin(cloud)).poll_url
    assert url is not None
    for seconds, finished in ((9, False), (1, True)):
        clock.advance(timedelta(seconds=seconds))
        state = await cloud.poll(request(), url)
        assert state is not None
        assert state.finished is finished
    assert state.end_time == clock.now
    assert state.start_time == clock.now - timedelta(seconds=10)


async def test_a_step_without_a_duration_is_finished_at_once(cloud: FakeCloud) -> None:
    del cloud.durations[MAKE]
    assert (await begin(cloud)).finished
    assert await power(cloud) is MachinePower.RUNNING


async def test_a_refused_start_changes_nothing_and_the_next_one_works(cloud: FakeCloud) -> None:
    cloud.refuse(MAKE, ThrottledError("slow down"))
    with pytest.raises(ThrottledError):
        await begin(cloud)
    assert (await cloud.observe(request())).machine is None
    assert (await start(cloud, MAKE)).poll_url is not None


async def test_a_creation_that_fails_leaves_a_failed_machine_that_can_be_made_again(
    cloud: FakeCloud, clock: SettableClock
) -> None:
    host = request(name="db-1")
    cloud.fail(MAKE, CapacityError("no room", code="AllocationFailed"))
    started = await begin(cloud, host)
    clock.advance(LONG)
    assert started.poll_url is not None
    state = await cloud.poll(host, started.poll_url)
    assert state is not None
    assert isinstance(state.error, CapacityError)
    seen = await cloud.observe(host)
    assert seen.parts[Part.MACHINE].state is PartState.FAILED
    assert seen.machine is not None
    assert (seen.machine.power, seen.machine.failure_code) == (MachinePower.UNKNOWN, "AllocationFailed")
    await start(cloud, MAKE, host)
    clock.advance(LONG)
    seen = await cloud.observe(host)
    assert seen.parts[Part.MACHINE].state is PartState.READY
    assert seen.machine is not None
    assert (seen.machine.power, seen.machine.failure_code) == (MachinePower.RUNNING, None)


async def test_a_stop_that_fails_leaves_the_machine_running(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    cloud.fail(STOP, TransientError("try later", code="InternalOperationError"))
    await start(cloud, STOP)
    assert await power(cloud) is MachinePower.STOPPING
    clock.advance(LONG)
    assert await power(cloud) is MachinePower.RUNNING
    assert (await cloud.observe(request())).parts[Part.MACHINE].state is PartState.FAILED
    vm_id = (await cloud.observe(request())).machine
    assert (await start(cloud, MAKE)).poll_url is not None
    clock.advance(LONG)
    seen = await cloud.observe(request())
    assert seen.machine is not None
    assert vm_id is not None
    assert seen.machine.vm_id == vm_id.vm_id
    assert seen.parts[Part.MACHINE].state is PartState.READY


async def test_a_machine_can_go_and_be_switched_off_behind_our_back(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    cloud.set_power(request(), MachinePower.DEALLOCATED)
    assert await power(cloud) is MachinePower.DEALLOCATED
    cloud.remove_machine(request())
    assert set((await cloud.observe(request())).parts) == {Part.NETWORK}


async def test_an_operation_on_a_machine_that_went_away_brings_nothing_back(
    cloud: FakeCloud, clock: SettableClock
) -> None:
    await begin(cloud)
    cloud.remove_machine(request())
    clock.advance(LONG)
    assert (await cloud.observe(request())).machine is None


async def test_a_strangers_machine_and_network_have_no_owner(cloud: FakeCloud) -> None:
    cloud.add_network(request())
    cloud.add_machine(request())
    seen = await cloud.observe(request())
    assert {part: seen.parts[part].owner for part in seen.parts} == {Part.NETWORK: None, Part.MACHINE: None}
    assert await power(cloud) is MachinePower.RUNNING


async def test_a_forgotten_operation_goes_on_without_being_found(cloud: FakeCloud, clock: SettableClock) -> None:
    started = await begin(cloud)
    cloud.forget_operations()
    assert started.poll_url is not None
    assert await cloud.poll(request(), started.poll_url) is None
    clock.advance(LONG)
    assert await power(cloud) is MachinePower.RUNNING


async def test_while_nothing_answers_every_call_says_so(cloud: FakeCloud) -> None:
    cloud.unreachable = TransientError("no route")
    for call in (cloud.observe(request()), cloud.start(request(), MAKE, Observation({})), cloud.poll(request(), "x")):
        with pytest.raises(TransientError, match="no route"):
            await call
    cloud.unreachable = None
    assert (await cloud.observe(request())).machine is None


async def test_the_log_tells_every_call_in_order(cloud: FakeCloud) -> None:
    await cloud.observe(request())
    await start(cloud, Step(Verb.ENSURE, Part.NETWORK))
    await cloud.poll(request(), "x")
    assert cloud.calls == [
        Call("observe", OWNER),
        Call("observe", OWNER),
        Call("start", OWNER, step=Step(Verb.ENSURE, Part.NETWORK)),
        Call("poll", OWNER, poll_url="x"),
    ]


async def test_what_exists_can_be_counted(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    assert len(cloud.resource_ids) == 5
    await start(cloud, Step(Verb.DELETE, Part.MACHINE))
    clock.advance(LONG)
    await start(cloud, Step(Verb.DELETE, Part.NETWORK))
    assert cloud.resource_ids == ()


async def test_a_stopped_machine_without_hardware_stays_without(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    cloud.set_power(request(), MachinePower.DEALLOCATED)
    await start(cloud, STOP)
    clock.advance(LONG)
    assert await power(cloud) is MachinePower.DEALLOCATED
    with pytest.raises(TransientError):
        await start(cloud, Step(Verb.RESTART, Part.MACHINE))
    await start(cloud, START)
    clock.advance(LONG)
    assert await power(cloud) is MachinePower.RUNNING


async def test_a_size_without_room_is_refused_until_there_is_some(cloud: FakeCloud) -> None:
    cloud.no_room(SIZE)
    with pytest.raises(CapacityError) as caught:
        await begin(cloud)
    assert caught.value.reason is Reason.CAPACITY_UNAVAILABLE
    assert (await cloud.observe(request())).machine is None
    assert (await start(cloud, MAKE, request(OTHER_SIZE))).poll_url is not None


@pytest.mark.parametrize(
    ("size", "zone", "has_room"),
    [
        pytest.param(SIZE, "1", False, id="that-size-in-that-zone"),
        pytest.param(SIZE, "2", True, id="that-size-in-another-zone"),
        pytest.param(OTHER_SIZE, "1", True, id="another-size-in-that-zone"),
        pytest.param(SIZE, None, True, id="that-size-wherever-there-is-room"),
    ],
)
async def test_room_is_counted_by_size_and_zone(cloud: FakeCloud, size: str, zone: str | None, has_room: bool) -> None:
    cloud.no_room(SIZE, "1")
    host = request(size, zone)
    with contextlib.nullcontext() if has_room else pytest.raises(CapacityError):
        await begin(cloud, host)
    assert ((await cloud.observe(host)).machine is not None) is has_room


async def test_a_deallocated_machine_starts_only_where_there_is_room(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    cloud.no_room(SIZE)
    cloud.set_power(request(), MachinePower.DEALLOCATED)
    started = await start(cloud, START)
    clock.advance(LONG)
    assert started.poll_url is not None
    state = await cloud.poll(request(), started.poll_url)
    assert state is not None
    assert isinstance(state.error, CapacityError)
    assert await power(cloud) is MachinePower.DEALLOCATED
    cloud.make_room(SIZE)
    await start(cloud, START)
    clock.advance(LONG)
    assert await power(cloud) is MachinePower.RUNNING


async def test_a_size_that_is_not_to_be_had_here_needs_deallocation_first(
    cloud: FakeCloud, clock: SettableClock
) -> None:
    await build(cloud, clock)
    cloud.no_room(OTHER_SIZE)
    resize = Step(Verb.RESIZE, Part.MACHINE)
    with pytest.raises(CapacityError) as caught:
        await start(cloud, resize, request(OTHER_SIZE))
    assert caught.value.reason is Reason.DEALLOCATION_NEEDED
    cloud.set_power(request(), MachinePower.DEALLOCATED)
    await start(cloud, resize, request(OTHER_SIZE))
    clock.advance(LONG)
    machine = (await cloud.observe(request())).machine
    assert machine is not None
    assert machine.size == OTHER_SIZE


async def test_an_evicted_machine_is_deallocated_or_gone(cloud: FakeCloud, clock: SettableClock) -> None:
    host = request(spot={}, dataDisks=DISKS)
    await build(cloud, clock, host)
    cloud.evict(host)
    assert await power(cloud, host) is MachinePower.DEALLOCATED
    assert (await cloud.observe(host)).data_disks.keys() == {0}
    cloud.evict(request(spot={"evictionPolicy": "Delete"}, dataDisks=DISKS))
    seen = await cloud.observe(host)
    assert (set(seen.parts), dict(seen.data_disks)) == ({Part.NETWORK}, {})


async def test_only_a_spot_machine_is_evicted(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    with pytest.raises(ValueError, match="spot"):
        cloud.evict(request())


async def test_an_eviction_ends_what_is_under_way(cloud: FakeCloud, clock: SettableClock) -> None:
    host = request(spot={})
    started = await begin(cloud, host)
    cloud.evict(host)
    assert started.poll_url is not None
    state = await cloud.poll(host, started.poll_url)
    assert state is not None
    assert state.canceled
    clock.advance(LONG)
    assert await power(cloud, host) is MachinePower.DEALLOCATED


async def test_disks_can_be_left_behind_and_stand_in_the_way(cloud: FakeCloud, clock: SettableClock) -> None:
    host = request(dataDisks=DISKS)
    await build(cloud, clock, host)
    cloud.remove_machine(host, keep_disks=True)
    seen = await cloud.observe(host)
    assert (set(seen.parts), seen.data_disks.keys()) == ({Part.NETWORK, Part.DISK}, {0})
    with pytest.raises(TransientError) as caught:
        await begin(cloud, host)
    assert caught.value.code == "ConflictingUserInput"
    for step in (Step(Verb.DELETE, Part.DISK), Step(Verb.DELETE, Part.DATA_DISK, 0)):
        assert (await start(cloud, step, host)).finished
    assert (await begin(cloud, host)).poll_url is not None


async def test_an_update_that_fails_leaves_the_new_disk_loose(cloud: FakeCloud, clock: SettableClock) -> None:
    await build(cloud, clock)
    host, update = request(dataDisks=DISKS), Step(Verb.UPDATE, Part.MACHINE)
    cloud.fail(update, TransientError("try later"))
    await start(cloud, update, host)
    clock.advance(LONG)
    seen = await cloud.observe(host)
    assert seen.machine is not None
    assert (seen.machine.data_disks, seen.data_disks.keys()) == ((), {0})
    await start(cloud, update, host)
    clock.advance(LONG)
    seen = await cloud.observe(host)
    assert seen.machine is not None
    assert [disk.lun for disk in seen.machine.data_disks] == [0]


async def test_an_ephemeral_machine_has_no_disk_and_is_never_deallocated(
    cloud: FakeCloud, clock: SettableClock
) -> None:
    host = request(osDisk={"ephemeral": True})
    await build(cloud, clock, host)
    assert Part.DISK not in (await cloud.observe(host)).parts
    with pytest.raises(TerminalError):
        await start(cloud, Step(Verb.DEALLOCATE, Part.MACHINE), host)


async def test_only_a_machine_that_was_made_for_it_hibernates(cloud: FakeCloud, clock: SettableClock) -> None:
    hibernate = Step(Verb.HIBERNATE, Part.MACHINE)
    host = request(hibernation=True)
    await build(cloud, clock, host)
    with pytest.raises(TerminalError):
        await start(cloud, hibernate)
    await start(cloud, hibernate, host)
    clock.advance(LONG)
    assert await power(cloud, host) is MachinePower.DEALLOCATED
    with pytest.raises(TransientError):
        await start(cloud, hibernate, host)


async def test_the_console_is_shown_while_it_is_recorded(cloud: FakeCloud, clock: SettableClock) -> None:
    cloud.set_console(request(), "login: ")
    assert await cloud.read_console(request()) is None
    await build(cloud, clock)
    assert await cloud.read_console(request()) == "login: "
    cloud.set_console(request(), "first" + "x" * 64 * 1024)
    assert await cloud.read_console(request()) == "x" * 64 * 1024
    assert (await cloud.read_console(request(), whole=True) or "").startswith("first")
    cloud.unreachable = TransientError("no route")
    assert await cloud.read_console(request()) is None
    cloud.unreachable = None
    await start(cloud, Step(Verb.UPDATE, Part.MACHINE), request(bootDiagnostics=False))
    clock.advance(LONG)
    assert await cloud.read_console(request()) is None


async def test_identities_follow_the_spec_and_are_told_in_small_letters(cloud: FakeCloud, clock: SettableClock) -> None:
    blue = "/subscriptions/s/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Blue"
    await build(cloud, clock, request(identityIds=[blue]))
    for wanted in ([blue.replace("Blue", "Red")], []):
        await start(cloud, Step(Verb.UPDATE, Part.MACHINE), request(identityIds=wanted))
        clock.advance(LONG)
        machine = (await cloud.observe(request())).machine
        assert machine is not None
        assert machine.identity_ids == {identity_id.lower() for identity_id in wanted}
