"""What a scrape shows."""

import asyncio
import re
import socket
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from prometheus_client import generate_latest

from benchhost.api.spec import BenchHostSpec
from benchhost.api.status import BenchHostStatus
from benchhost.cloud import DeferredError, GuestSecrets, HostRequest, Part, Scope, Step, TransientError, Verb
from benchhost.cloud.fake import FakeCloud
from benchhost.controller.metrics import Metrics
from benchhost.controller.metrics_server import MetricsServerError, serving
from support.builders import EARLIER, NOW, OWNER, azure_spec, host, placed

READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Running",
    "message": "",
    "lastTransitionTime": NOW.isoformat(),
}


def entry(kind: str, seconds: float, result: str = "Succeeded") -> dict[str, Any]:
    end = EARLIER + timedelta(seconds=seconds)
    return {
        "type": kind,
        "startTime": EARLIER.isoformat(),
        "endTime": end.isoformat(),
        "seconds": seconds,
        "result": result,
    }


def failure(count: int) -> dict[str, Any]:
    return {"reason": "QuotaExceeded", "message": "No.", "class": "Capacity", "count": count, "since": NOW.isoformat()}


@pytest.fixture
def bodies() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def metrics(bodies: list[dict[str, Any]]) -> Metrics:
    return Metrics(lambda: bodies, ["a", "b", "c"], version="1.2.3")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def change(metrics: Metrics, before: dict[str, Any], after: dict[str, Any]) -> None:
    metrics.record_change(host(status=before), BenchHostStatus.model_validate(after), now=NOW)


def test_hosts_are_counted_by_phase_and_empty_phases_are_zero(metrics: Metrics, bodies: list[dict[str, Any]]) -> None:
    bodies += [{"status": {"phase": "Running"}}, {"status": {"phase": "Running"}}, {"status": {}}, {}]
    counts = {phase: value(metrics, "benchhost_hosts", phase=phase) for phase in ("Running", "Pending", "Failed")}
    assert counts == {"Running": 2, "Pending": 2, "Failed": 0}


def test_waiting_work_and_version_are_shown(metrics: Metrics) -> None:
    assert value(metrics, "benchhost_queue_depth") == 3
    assert value(metrics, "benchhost_build_info", version="1.2.3") == 1


def test_each_finished_operation_is_counted_once(metrics: Metrics) -> None:
    change(metrics, {}, {"history": [entry("Provision", 42)]})
    change(metrics, {"history": [entry("Provision", 42)]}, {"history": [entry("Provision", 42), entry("Stop", 4)]})
    labels = {"type": "Provision", "result": "Succeeded"}
    assert value(metrics, "benchhost_operation_seconds_count", **labels) == 1
    assert value(metrics, "benchhost_operation_seconds_sum", **labels) == 42
    assert value(metrics, "benchhost_operation_seconds_bucket", le="30.0", **labels) == 0
    assert value(metrics, "benchhost_operation_seconds_bucket", le="45.0", **labels) == 1
    assert value(metrics, "benchhost_operation_seconds_count", type="Stop", result="Succeeded") == 1


def test_failures_are_counted_by_class_each_time(metrics: Metrics) -> None:
    assert value(metrics, "benchhost_reconcile_errors_total", **{"class": "Capacity"}) == 0
    change(metrics, {}, {"failure": failure(1)})
    change(metrics, {"failure": failure(1)}, {"failure": failure(2)})
    change(metrics, {"failure": failure(2)}, {"failure": failure(2)})
    assert value(metrics, "benchhost_reconcile_errors_total", **{"class": "Capacity"}) == 2


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        pytest.param(
            {},
            {"conditions": [READY], "placement": placed(1), "history": [entry("Provision", 42)]},
            3600,
            id="first-time-counts-from-creation",
        ),
        pytest.param(
            {"conditions": [READY]},
            {"conditions": [READY], "placement": placed(1), "history": [entry("Provision", 42)]},
            0,
            id="still-ready-is-no-news",
        ),
        pytest.param(
            {},
            {"conditions": [READY], "placement": placed(1), "history": [entry("Provision", 42), entry("Start", 3)]},
            0,
            id="ready-after-a-start-is-not-the-first-time",
        ),
        pytest.param(
            {}, {"conditions": [READY], "placement": placed(2)}, 0, id="ready-on-other-hardware-is-not-the-first-time"
        ),
    ],
)
def test_time_to_ready_is_that_of_new_hosts(
    metrics: Metrics, before: dict[str, Any], after: dict[str, Any], seconds: float
) -> None:
    change(metrics, before, after)
    assert value(metrics, "benchhost_time_to_ready_seconds_sum") == seconds
    assert value(metrics, "benchhost_time_to_ready_seconds_count") == bool(seconds)


async def test_calls_of_the_cloud_are_counted_by_their_end(metrics: Metrics) -> None:
    cloud = FakeCloud()
    provider = metrics.metered(cloud)
    request = HostRequest(
        OWNER, BenchHostSpec.model_validate({"azure": azure_spec()}), "Standard_D2s_v5", GuestSecrets()
    )
    seen = await provider.observe(request)
    ensure = Step(Verb.ENSURE, Part.NETWORK)
    cloud.refuse(ensure, TransientError("Busy."))
    with pytest.raises(TransientError):
        await provider.start(request, ensure, seen)
    assert (await provider.start(request, ensure, seen)).finished
    assert await provider.poll(request, "https://cloud.invalid/1") is None
    (network,) = await provider.list_owned(Scope.of(request.spec), OWNER.cluster)
    assert (await provider.delete_owned(network)).finished
    for operation, result in [
        ("observe", "Succeeded"),
        ("ensure_network", "Transient"),
        ("ensure_network", "Succeeded"),
        ("poll", "Succeeded"),
        ("list_owned", "Succeeded"),
        ("delete_owned", "Succeeded"),
    ]:
        assert value(metrics, "benchhost_cloud_requests_total", operation=operation, result=result) == 1


async def test_a_call_that_was_put_off_is_no_error(metrics: Metrics) -> None:
    class Busy(FakeCloud):
        async def poll(self, *_: object) -> None:
            raise DeferredError(timedelta(seconds=1), "reads")

    request = HostRequest(OWNER, BenchHostSpec.model_validate({"azure": azure_spec()}), "Standard_D2s_v5")
    with pytest.raises(DeferredError):
        await metrics.metered(Busy()).poll(request, "x")
    assert value(metrics, "benchhost_cloud_requests_total", operation="poll", result="Deferred") == 1


async def test_passes_are_timed_whether_they_end_well_or_not(metrics: Metrics) -> None:
    async def handle(key: tuple[str, str]) -> float | None:
        if key[1] == "bad":
            raise LookupError
        return 7.0

    timed = metrics.timed(handle)
    assert await timed(("bench", "good")) == 7.0
    with pytest.raises(LookupError):
        await timed(("bench", "bad"))
    assert value(metrics, "benchhost_work_seconds_count") == 2


def test_orphans_and_dropped_events_are_shown(metrics: Metrics) -> None:
    metrics.set_orphans({str(Part.DISK): 2})
    metrics.set_orphans({str(Part.MACHINE): 1})
    assert value(metrics, "benchhost_orphans", kind="disk") == 0
    assert value(metrics, "benchhost_orphans", kind="machine") == 1
    metrics.record_drop()
    assert value(metrics, "benchhost_events_dropped_total") == 1


def test_two_processes_in_one_share_nothing(metrics: Metrics) -> None:
    other = Metrics(list, [], version="2")
    metrics.record_drop()
    assert value(other, "benchhost_events_dropped_total") == 0


def test_names_follow_the_conventions_and_no_label_names_an_object(metrics: Metrics) -> None:
    change(metrics, {}, {"failure": failure(1), "history": [entry("Provision", 42)]})
    text = generate_latest(metrics.registry).decode()
    names = set(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert all(kind != "counter" or name.endswith("_total") for name, kind in names)
    assert OWNER.name not in text
    assert OWNER.uid not in text


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


async def test_metrics_are_served_where_they_are_asked_for(metrics: Metrics, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/metrics"
    async with serving(metrics.registry, url), aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert answer.content_type == "text/plain"
            assert answer.headers["Connection"] == "close"
            assert "benchhost_queue_depth 3.0" in await answer.text()
        async with session.get(f"http://127.0.0.1:{free_port}/other") as answer:
            assert answer.status == 404
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", free_port)


@pytest.mark.parametrize("url", ["127.0.0.1:8081", "https://127.0.0.1:8081/metrics", "http://x/metrics", "http://x:y/"])
async def test_an_address_that_makes_no_sense_is_told(metrics: Metrics, url: str) -> None:
    with pytest.raises(MetricsServerError, match=re.escape(f"{url} is no address for metrics")):
        async with serving(metrics.registry, url):
            pass


async def test_a_port_that_is_taken_is_told(metrics: Metrics) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/metrics"
        with pytest.raises(MetricsServerError, match="in use; choose another port"):
            async with serving(metrics.registry, url):
                pass


async def test_without_an_address_nothing_is_served(metrics: Metrics) -> None:
    async with serving(metrics.registry, None):
        assert asyncio.all_tasks() == {asyncio.current_task()}
