"""What a test can arrange in the in-memory cloud. That it keeps the port's promises is checked in tests/contract."""

from datetime import timedelta

import pytest

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


def request(**azure: object) -> HostRequest:
    spec = BenchHostSpec.model_validate({"azure": azure_spec(**azure)})
    return HostRequest(OWNER, spec, "Standard_D2s_v5")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def cloud(clock: SettableClock) -> FakeCloud:
    return FakeCloud(clock)


async def start(cloud: FakeCloud, step: Step) -> Started:
    return await cloud.start(request(), step, await cloud.observe(request()))


async def begin(cloud: FakeCloud) -> Started:
    for part in (Part.NETWORK, Part.ADDRESS, Part.INTERFACE):
        await start(cloud, Step(Verb.ENSURE, part))
    return await start(cloud, MAKE)


async def build(cloud: FakeCloud, clock: SettableClock) -> None:
    await begin(cloud)
    clock.advance(LONG)


async def power(cloud: FakeCloud) -> MachinePower | None:
    machine = (await cloud.observe(request())).machine
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
    cloud.fail(MAKE, CapacityError("no room", code="AllocationFailed"))
    started = await begin(cloud)
    clock.advance(LONG)
    assert started.poll_url is not None
    state = await cloud.poll(request(), started.poll_url)
    assert state is not None
    assert isinstance(state.error, CapacityError)
    seen = await cloud.observe(request())
    assert seen.parts[Part.MACHINE].state is PartState.FAILED
    assert seen.machine is not None
    assert (seen.machine.power, seen.machine.failure_code) == (MachinePower.UNKNOWN, "AllocationFailed")
    await start(cloud, MAKE)
    clock.advance(LONG)
    seen = await cloud.observe(request())
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
