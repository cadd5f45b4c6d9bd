"""Passes over one host on a real API server, with the in-memory cloud and a clock that the test moves.

The watch is left out: each pass is called by hand, so that a crash can be put between any two calls.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config

from benchhost.api import get_condition, is_true
from benchhost.api.conditions import ConditionType
from benchhost.api.model import to_timestamp
from benchhost.cloud import (
    CapacityError,
    DeferredError,
    MachinePower,
    Part,
    Step,
    TerminalError,
    TransientError,
    Verb,
)
from support.bench import NAME, Bench, CrashError
from support.builders import azure_spec
from support.stack import Kubectl

CREATE = Step(Verb.ENSURE, Part.MACHINE)
DELETE = Step(Verb.DELETE, Part.MACHINE)
NETWORK = Step(Verb.ENSURE, Part.NETWORK)
CALLS_IN_A_LIFE = 35
"""To the cloud and to the API server, in ``live``; a crash is put before and after each of them."""
CALLS_IN_A_MOVE = 14
"""At most, from the loss of hardware until the host runs on another."""


@pytest.fixture
async def bench(kubectl: Kubectl) -> AsyncIterator[Bench]:
    configuration = Configuration()
    await load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    async with ApiClient(configuration) as client:
        yield Bench(client, kubectl)
    kubectl.run("patch", "bh", NAME, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', check=False)


async def test_no_room_for_the_first_size_takes_the_second(bench: Bench) -> None:
    bench.cloud.refuse(CREATE, CapacityError("No room for Standard_D2s_v5.", code="SkuNotAvailable"))
    bench.create()
    await bench.settle()
    assert (await bench.host()).status.size == "Standard_D4s_v5"


async def test_a_creation_that_fails_at_its_end_is_told_tried_again_and_kept_in_history(bench: Bench) -> None:
    bench.cloud.fail(CREATE, CapacityError("Allocation failed.", code="AllocationFailed"))
    bench.create()
    for _ in range(10):
        await bench.step()
        host = await bench.host()
        if host.status.failure is not None:
            break
    condition = get_condition(host.status.conditions, ConditionType.READY)
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "CapacityUnavailable")
    assert "AllocationFailed" in condition.message
    await bench.settle()
    host = await bench.host()
    assert [(entry.type, entry.result, entry.reason) for entry in host.status.history] == [
        ("Provision", "Failed", "AllocationFailed"),
        ("CleanUp", "Succeeded", None),
        ("Provision", "Succeeded", None),
    ]
    assert host.status.failure is None


async def test_an_end_that_cannot_be_seen_yet_is_told_once_and_with_what_the_host_is_then(bench: Bench) -> None:
    bench.create()
    while "poll" not in [call.method for call in bench.cloud.calls]:
        await bench.step()
    under_way = (await bench.host()).status
    bench.clock.advance(timedelta(minutes=1))
    bench.cloud.delay_looks(*[DeferredError(timedelta(seconds=seconds), "reads") for seconds in (2, 5)])
    before = len(bench.cloud.calls)
    for _ in range(2):
        await bench.step()
        assert (await bench.host()).status == under_way
    await bench.step()
    status = (await bench.host()).status
    assert status.phase == "Running"
    assert [(entry.type, entry.result) for entry in status.history] == [("Provision", "Succeeded")]
    assert [call.method for call in bench.cloud.calls[before:]] == ["poll", "observe", "observe", "observe"]


async def test_a_deletion_that_waits_for_its_turn_need_not_be_seen_anew(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    for seconds in (2, 3):
        bench.cloud.refuse(DELETE, DeferredError(timedelta(seconds=seconds), "deletes"))
    await bench.delete()
    before = len(bench.cloud.calls)
    for _ in range(3):
        await bench.step()
    looks = [call.not_before for call in bench.cloud.calls[before:] if call.method == "observe"]
    assert len(looks) >= 3
    assert len(set(looks[:3])) == 1


async def test_on_an_old_look_something_is_done_and_nothing_is_concluded(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    request = await bench.request()
    bench.cloud.freeze_looks(request)
    bench.clock.advance(timedelta(minutes=1))
    bench.cloud.remove_machine(request)
    before = len(bench.cloud.calls)
    await bench.step()
    assert [call.method for call in bench.cloud.calls[before:]][:3] == ["observe", "observe", "start"]
    assert (await bench.host()).status.phase == "Provisioning"
    await bench.settle()

    bench.cloud.freeze_looks(request)
    bench.clock.advance(timedelta(minutes=1))
    await bench.patch({"powerState": "Deallocated"})
    before = len(bench.cloud.calls)
    await bench.step()
    assert [call.method for call in bench.cloud.calls[before:]] == ["observe", "start"]


async def test_nothing_is_on_record_of_a_host_whose_turn_is_far_and_its_deletion_is_no_work(bench: Bench) -> None:
    bench.cloud.refuse(NETWORK, DeferredError(timedelta(seconds=60), "writes"))
    bench.create()
    await bench.step()
    host = await bench.host()
    synced = get_condition(host.status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert (host.status.phase, synced.reason, host.status.operation) == ("Pending", "Queued", None)
    assert not host.has_finalizer
    await bench.delete()
    before = len(bench.cloud.calls)
    await bench.step()
    assert await bench.read() is None
    assert bench.cloud.calls[before:] == []


async def test_what_a_host_waits_for_is_put_on_record_when_its_turn_has_come(bench: Bench) -> None:
    bench.cloud.refuse(NETWORK, DeferredError(timedelta(seconds=60), "writes"))
    bench.create()
    await bench.step()
    waited = bench.clock()
    await bench.step()
    host = await bench.host()
    assert host.has_finalizer
    assert host.status.operation is not None
    assert host.status.operation.started_at == waited
    await bench.settle()
    assert is_true((await bench.host()).status.conditions, ConditionType.READY)


async def test_a_finalizer_that_somebody_has_taken_off_is_put_back(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    bench.kubectl.run("patch", "bh", NAME, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    await bench.step()
    assert (await bench.host()).has_finalizer


async def test_what_can_never_work_is_tried_once(bench: Bench) -> None:
    bench.cloud.refuse(CREATE, TerminalError("No such image.", code="PlatformImageNotFound"))
    bench.create()
    for _ in range(8):
        await bench.step()
    starts = [call for call in bench.cloud.calls if call.step == CREATE]
    assert len(starts) == 1
    assert is_true((await bench.host()).status.conditions, ConditionType.STALLED)


async def test_a_machine_deleted_behind_our_back_is_made_again_on_a_new_epoch(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    bench.cloud.remove_machine(await bench.request())
    await bench.step()
    await bench.settle()
    placement = (await bench.host()).status.placement
    assert placement is not None
    assert (placement.epoch, placement.reason) == (2, "DeletedOutOfBand")


async def test_a_machine_stopped_behind_our_back_is_started_again(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    bench.cloud.set_power(await bench.request(), MachinePower.STOPPED)
    await bench.step()
    await bench.settle()
    assert (await bench.host()).status.power_state == "Running"


async def test_whoever_doubts_the_status_has_the_cloud_looked_at_once(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    bench.cloud.set_power(await bench.request(), MachinePower.STOPPED)
    await bench.patch({"observeAt": "2026-03-01T12:00:00Z"})
    await bench.settle()
    status = (await bench.host()).status
    assert (status.power_state, status.last_observe_time) == ("Running", datetime(2026, 3, 1, 12, tzinfo=UTC))


async def test_an_operation_that_the_cloud_has_forgotten_is_seen_through_the_machine(bench: Bench) -> None:
    bench.create()
    while (await bench.host()).status.operation is None or (await bench.host()).status.operation.poll_url is None:  # type: ignore[union-attr]
        await bench.step()
    bench.cloud.forget_operations()
    await bench.settle()
    assert bench.machines_made() == 1


async def test_past_its_time_limit_a_creation_is_told_to_be_late_and_still_finished(bench: Bench) -> None:
    bench.create(timeouts={"provision": "10s"})
    reasons = set()
    for _ in range(30):
        await bench.step()
        condition = get_condition((await bench.host()).status.conditions, ConditionType.READY)
        assert condition is not None
        reasons.add(condition.reason)
        if condition.status == "True":
            break
    assert {"TimedOut", "Running"} <= reasons


async def test_a_blip_leaves_a_ready_host_ready(bench: Bench) -> None:
    bench.create()
    await bench.settle()
    bench.cloud.unreachable = TransientError("No answer.")
    await bench.step()
    host = await bench.host()
    assert is_true(host.status.conditions, ConditionType.READY)
    assert not is_true(host.status.conditions, ConditionType.SYNCED)
    bench.cloud.unreachable = None
    await bench.settle()


async def test_a_host_that_never_reached_the_cloud_is_deleted_without_it(bench: Bench) -> None:
    bench.create(powerState="Deallocated")
    bench.cloud.unreachable = TransientError("No answer.")
    await bench.step()
    bench.kubectl.run("delete", "bh", NAME, "--wait=false")
    await bench.step()
    assert await bench.read() is None


async def test_an_object_that_does_not_fit_the_api_says_so_and_harms_nobody(bench: Bench) -> None:
    bench.create()
    body = await bench.read()
    assert body is not None
    bench.store.put({**body, "spec": {**body["spec"], "powerState": "On"}})  # as a CRD of another version let through
    assert await bench.reconciler.reconcile((bench.kubectl.namespace, NAME)) is None
    condition = get_condition((await bench.host()).status.conditions, ConditionType.STALLED)
    assert condition is not None
    assert condition.reason == "InvalidObject"
    assert "spec.powerState" in condition.message
    assert bench.cloud.calls == []


async def test_a_mistake_of_ours_is_told_on_the_object_and_does_not_end_the_worker(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.create()
    bench.cloud.unreachable = ZeroDivisionError("ours")  # type: ignore[assignment]
    assert await bench.step() is not None
    failure = (await bench.host()).status.failure
    assert failure is not None
    assert failure.reason == "InternalError"
    assert "ZeroDivisionError" in caplog.text
    bench.cloud.unreachable = None
    await bench.settle()


async def live(bench: Bench) -> None:
    """A life with every kind of call in it: creation, restart, deallocation, deletion."""
    bench.create()
    await bench.settle()
    bench.clock.advance(timedelta(seconds=1))  # a host that was made at the very moment would need no restart
    bench.kubectl.patch(NAME, {"restartAt": to_timestamp(bench.clock.now)})
    bench.clock.advance(timedelta(seconds=1))
    await bench.settle()
    bench.kubectl.patch(NAME, {"powerState": "Deallocated"})
    await bench.settle()
    bench.kubectl.run("delete", "bh", NAME, "--wait=false")
    await bench.settle()


async def test_a_life_without_a_crash(bench: Bench) -> None:
    await live(bench)
    assert bench.cloud.resource_ids == ()
    assert await bench.read() is None
    assert bench.counter.calls == CALLS_IN_A_LIFE


@pytest.mark.parametrize("after", [False, True], ids=["before-it-takes-effect", "after-it-has-taken-effect"])
@pytest.mark.parametrize("crash_at", range(1, CALLS_IN_A_LIFE + 1))
async def test_a_crash_at_any_call_is_the_same_as_a_slow_pass(bench: Bench, crash_at: int, after: bool) -> None:
    bench.counter.crash_at, bench.counter.after = crash_at, after
    await live(bench)
    assert bench.cloud.resource_ids == ()
    assert await bench.read() is None
    creates = [call for call in bench.cloud.calls if call.step == CREATE]
    restarts = [call for call in bench.cloud.calls if call.step is not None and call.step.verb is Verb.RESTART]
    assert len(creates) == 1
    assert len(restarts) == 1


async def move(bench: Bench) -> None:
    """Other hardware, because somebody asks for it."""
    bench.clock.advance(timedelta(seconds=1))
    bench.kubectl.patch(NAME, {"reallocateAt": to_timestamp(bench.clock.now)})
    bench.clock.advance(timedelta(seconds=1))
    await bench.settle()


async def lose(bench: Bench) -> None:
    """Other hardware, because the cloud takes the spot capacity back."""
    bench.cloud.evict(await bench.request())
    await bench.step()
    await bench.settle()


@pytest.mark.parametrize("after", [False, True], ids=["before-it-takes-effect", "after-it-has-taken-effect"])
@pytest.mark.parametrize("crash_at", range(1, CALLS_IN_A_MOVE + 1))
@pytest.mark.parametrize(("change", "reason"), [(move, "Reallocated"), (lose, "Evicted")], ids=["moved", "evicted"])
async def test_other_hardware_is_another_epoch_whatever_call_is_the_last(
    bench: Bench, change: Callable[[Bench], Awaitable[None]], reason: str, crash_at: int, after: bool
) -> None:
    await bench.make(azure_spec(spot={}))
    await bench.settle()
    before = bench.hardware()
    bench.counter.crash_at, bench.counter.after = bench.counter.calls + crash_at, after
    try:
        await change(bench)
    except CrashError:
        bench.restart()
        await bench.settle()
    placement = (await bench.host()).status.placement
    assert placement is not None
    assert bench.hardware() != before
    assert (placement.epoch, placement.reason) == (2, reason)


async def test_a_tag_that_something_else_sets_back_is_tried_ever_more_rarely_while_the_host_stays_ready(
    bench: Bench,
) -> None:
    bench.create()
    await bench.settle()
    bench.cloud.force_tags({"Env": "production"})
    await bench.patch({"azure": {"tags": {"env": "bench", "team": "db"}}})
    began = bench.clock()
    while bench.clock() - began < timedelta(minutes=10):
        await bench.step()
    status = (await bench.host()).status
    tagged = [call for call in bench.cloud.calls if call.step == Step(Verb.TAG, Part.MACHINE)]
    assert 6 <= len(tagged) <= 12
    assert is_true(status.conditions, ConditionType.READY)
    synced = get_condition(status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert (synced.status, synced.reason) == ("False", "OutOfSync")
    assert "something else may set it back" in synced.message
    bench.cloud.force_tags({})
    await bench.settle()
    assert (await bench.host()).status.failure is None
