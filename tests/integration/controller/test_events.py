"""Events on the real API server, as kubectl shows them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from benchhost.api.host import BenchHost
from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.api_server import ApiServer
from benchhost.controller.changes import Event, Severity
from benchhost.controller.events import EventRecorder, Regarding
from benchhost.local import ControlPlane, ServiceAccount
from integration.controller.connections import connected
from support.builders import azure_spec, host
from support.stack import Kubectl

FAILED = Event(Severity.WARNING, "CapacityUnavailable", "No room for Standard_D2s_v5.")


class Drops:
    """How many Events were not written."""

    count = 0

    def __call__(self) -> None:
        self.count += 1


@asynccontextmanager
async def recording(server: ApiServer, clock: SettableClock, drops: Drops) -> AsyncIterator[EventRecorder]:
    recorder = EventRecorder(server, clock=clock, on_drop=drops)
    task = asyncio.create_task(recorder.run())
    yield recorder
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def drops() -> Drops:
    return Drops()


@pytest.fixture
async def recorder(server: ApiServer, clock: SettableClock, drops: Drops) -> AsyncIterator[EventRecorder]:
    async with recording(server, clock, drops) as running:
        yield running


@pytest.fixture
def target(kubectl: Kubectl) -> BenchHost:
    kubectl.apply(
        {
            "apiVersion": "benchhost.dev/v1alpha1",
            "kind": "BenchHost",
            "metadata": {"name": "pg-1"},
            "spec": {"azure": azure_spec()},
        }
    )
    return BenchHost.from_dict(kubectl.get("benchhost", "pg-1"))


def events(kubectl: Kubectl) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kubectl.get("events")["items"]
    return found


async def test_describe_shows_what_happened(
    recorder: EventRecorder, target: BenchHost, kubectl: Kubectl, clock: SettableClock
) -> None:
    before = kubectl.get("benchhost", "pg-1")["status"]
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "Provisioning",
        "message": "The cloud is at work.",
        "lastTransitionTime": clock.now.isoformat(),
    }
    after = host(status={**before, "conditions": [condition]}).status
    recorder.record_change(target, after)
    await recorder.drain()
    lines = kubectl.run("describe", "benchhost", "pg-1").stdout.splitlines()
    last = lines[-1].split(maxsplit=2)
    assert last[:2] == ["Normal", "Provisioning"]
    assert last[2].split()[-6:] == ["benchhost-controller", "The", "cloud", "is", "at", "work."]


async def test_a_repetition_is_counted_on_the_object_that_is_there(
    recorder: EventRecorder, target: BenchHost, kubectl: Kubectl, clock: SettableClock
) -> None:
    for _ in range(3):
        recorder.record(Regarding.of(target), FAILED)
        clock.advance(timedelta(minutes=9))
    await recorder.drain()
    (event,) = events(kubectl)
    assert event["count"] == 3
    assert (event["firstTimestamp"], event["lastTimestamp"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:18:00Z")
    assert "x3 over" in kubectl.run("describe", "benchhost", "pg-1").stdout


async def test_after_ten_quiet_minutes_it_is_a_new_event(
    recorder: EventRecorder, target: BenchHost, kubectl: Kubectl, clock: SettableClock
) -> None:
    recorder.record(Regarding.of(target), FAILED)
    clock.advance(timedelta(minutes=10))
    recorder.record(Regarding.of(target), FAILED)
    await recorder.drain()
    assert [event["count"] for event in events(kubectl)] == [1, 1]


async def test_a_repetition_of_an_event_that_has_expired_is_written_anew(
    recorder: EventRecorder, target: BenchHost, kubectl: Kubectl, drops: Drops
) -> None:
    recorder.record(Regarding.of(target), FAILED)
    await recorder.drain()
    kubectl.run("delete", "events", "--all")
    recorder.record(Regarding.of(target), FAILED)
    await recorder.drain()
    assert [event["message"] for event in events(kubectl)] == [FAILED.message]
    assert drops.count == 0


async def test_a_host_that_says_too_much_is_cut_short_and_others_are_heard(
    recorder: EventRecorder, target: BenchHost, kubectl: Kubectl, clock: SettableClock, drops: Drops
) -> None:
    for number in range(30):
        recorder.record(Regarding.of(target), Event(Severity.NORMAL, f"Reason{number}", ""))
    assert drops.count == 5
    other = Regarding(kubectl.namespace, "pg-2", "another-uid")
    recorder.record(other, FAILED)
    clock.advance(timedelta(minutes=5))
    for _ in range(2):
        recorder.record(Regarding.of(target), FAILED)
    await recorder.drain()
    assert drops.count == 6
    named = [event["involvedObject"]["name"] for event in events(kubectl)]
    assert (named.count("pg-1"), named.count("pg-2")) == (26, 1)


async def test_a_line_that_is_full_drops_and_never_waits(
    server: ApiServer, clock: SettableClock, drops: Drops, kubectl: Kubectl
) -> None:
    silent = EventRecorder(server, clock=clock, on_drop=drops)  # nobody takes Events out of the line
    for number in range(1100):
        silent.record(Regarding(kubectl.namespace, "pg-1", f"uid-{number}"), FAILED)
    assert drops.count == 100


async def test_a_long_message_is_shortened_to_what_any_event_may_have(
    recorder: EventRecorder, target: BenchHost, kubectl: Kubectl
) -> None:
    recorder.record(Regarding.of(target), Event(Severity.WARNING, "CloudError", "ü" * 2000))
    await recorder.drain()
    (event,) = events(kubectl)
    assert len(event["message"].encode()) <= 1024
    assert event["message"].endswith("ü...")


async def test_a_host_with_the_longest_name_has_events_too(recorder: EventRecorder, kubectl: Kubectl) -> None:
    name = "a" * 199 + "-" + "b" * 53
    recorder.record(Regarding(kubectl.namespace, name, "uid"), FAILED)
    await recorder.drain()
    assert [event["involvedObject"]["name"] for event in events(kubectl)] == [name]


async def test_events_of_a_namespace_that_is_gone_are_dropped_in_silence(
    recorder: EventRecorder, drops: Drops, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        recorder.record(Regarding("no-such-namespace", "pg-1", "uid"), FAILED)
        await recorder.drain()
    assert (drops.count, caplog.messages) == (1, [])


async def test_the_controller_s_role_is_enough_and_its_lack_is_told_once(
    control_plane: ControlPlane, kubectl: Kubectl, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    kubectl.run("create", "serviceaccount", "powerless")
    accounts = {
        "benchhost-system": ServiceAccount("benchhost-controller", "benchhost-system"),
        "here": ServiceAccount("powerless", kubectl.namespace),
    }
    dropped = []
    for account in accounts.values():
        drops = Drops()
        async with (
            connected(control_plane.kubeconfig_for(account)) as server,
            recording(server, clock, drops) as recorder,
        ):
            for _ in range(2):
                recorder.record(Regarding(kubectl.namespace, "pg-1", "uid"), FAILED)
            await recorder.drain()
        dropped.append(drops.count)
    assert dropped == [0, 2]
    assert [event["count"] for event in events(kubectl)] == [2]
    assert len([line for line in caplog.messages if "403" in line]) == 1
