"""What is read from ARM's answers: where to look, how an operation stands, how long to wait."""

from datetime import UTC, datetime, timedelta

import pytest

from benchhost.azure import AzureCloudSettings
from benchhost.azure.attempt import read_started
from benchhost.azure.calls import json_of, refusal_of, request_id, retry_after
from benchhost.azure.polling import read_state, to_time
from benchhost.cloud import CapacityError, OperationState, Started, TransientError
from unit.azure.responses import Response

ARM = "https://localhost:8443"
SETTINGS = AzureCloudSettings(resource_manager_endpoint=ARM)
OPERATION = f"{ARM}/subscriptions/s/providers/Microsoft.Compute/locations/eastus/operations/1?t=1&s=a%2Fb"


@pytest.mark.parametrize(
    ("answer", "started"),
    [
        pytest.param(
            Response(201, {"properties": {"provisioningState": "Creating"}}, {"Azure-AsyncOperation": OPERATION}),
            Started(poll_url=OPERATION),
            id="accepted-creation",
        ),
        pytest.param(
            Response(202, None, {"Azure-AsyncOperation": OPERATION, "Location": f"{OPERATION}&monitor=true"}),
            Started(poll_url=OPERATION),
            id="async-operation-comes-before-location",
        ),
        pytest.param(Response(202, None, {"Location": OPERATION}), Started(poll_url=OPERATION), id="location-only"),
        pytest.param(
            Response(202, None, {"Location": "/subscriptions/s/x"}),
            Started(poll_url=f"{ARM}/subscriptions/s/x"),
            id="relative-location",
        ),
        pytest.param(
            Response(201, {"properties": {"provisioningState": "Succeeded"}}, {"Azure-AsyncOperation": OPERATION}),
            Started(poll_url=OPERATION),
            id="done-in-the-body-but-with-an-operation",
        ),
        pytest.param(
            Response(202, None, {"Location": "https://elsewhere.example/x"}), Started(), id="location-of-a-stranger"
        ),
        pytest.param(
            Response(201, {"properties": {"provisioningState": "Succeeded"}}),
            Started(finished=True),
            id="done-at-once",
        ),
        pytest.param(Response(200), Started(finished=True), id="done-without-a-body"),
        pytest.param(Response(204), Started(finished=True), id="nothing-to-delete"),
        pytest.param(Response(202), Started(), id="accepted-without-a-place-to-look"),
        pytest.param(
            Response(200, {"properties": {"provisioningState": "Updating"}}), Started(), id="to-be-seen-in-its-body"
        ),
        pytest.param(
            Response(202, None, {"Location": OPERATION, "Retry-After": "10", "x-ms-request-id": "r-1"}),
            Started(poll_url=OPERATION, retry_after=timedelta(seconds=10), request_id="r-1"),
            id="with-a-wish-and-an-id",
        ),
    ],
)
def test_an_accepted_request_says_where_to_look(answer: Response, started: Started) -> None:
    assert read_started(answer, SETTINGS) == started


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"Retry-After": "35"}, 35.0, id="seconds"),
        pytest.param({"retry-after-ms": "150", "Retry-After": "1"}, 0.15, id="milliseconds-come-first"),
        pytest.param({"x-ms-retry-after-ms": "250"}, 0.25, id="milliseconds-by-their-older-name"),
        pytest.param({"RETRY-AFTER": "0"}, 0.0, id="at-once"),
        pytest.param({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, id="a-date-which-arm-does-not-send"),
        pytest.param({"retry-after-ms": "x", "Retry-After": "7"}, 7.0, id="the-next-one-when-one-is-odd"),
        pytest.param({"Retry-After": "inf"}, None, id="infinity"),
        pytest.param({"Retry-After": "nan"}, None, id="not-a-number"),
        pytest.param({}, None, id="no-wish"),
    ],
)
def test_how_long_the_server_wants_to_be_left_alone(headers: dict[str, str], seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after(Response(200, None, headers).headers) == expected


def test_the_request_id_is_the_providers_or_else_the_correlation_id() -> None:
    both = {"x-ms-request-id": "a", "x-ms-correlation-request-id": "b"}
    assert request_id(Response(200, None, both).headers) == "a"
    assert request_id(Response(200, None, {"x-ms-correlation-request-id": "b"}).headers) == "b"
    assert request_id(Response(200).headers) is None


START, END = "2026-03-01T12:00:00.1234567+00:00", "2026-03-01T12:00:42.1234567Z"


@pytest.mark.parametrize(
    ("answer", "finished", "wish"),
    [
        pytest.param(Response(200, {"status": "InProgress"}), False, None, id="in-progress"),
        pytest.param(Response(200, {"status": "Running"}), False, None, id="a-word-that-is-not-terminal"),
        pytest.param(Response(200, {"status": "InProgress"}, {"Retry-After": "35"}), False, 35, id="with-a-wish"),
        pytest.param(Response(200, {"status": "succeeded"}), True, None, id="succeeded-in-small-letters"),
        pytest.param(Response(202, None, {"Retry-After": "15"}), False, 15, id="location-still-working"),
        pytest.param(Response(200), True, None, id="location-done"),
        pytest.param(Response(204), True, None, id="location-done-with-nothing-to-show"),
        pytest.param(Response(200, {"properties": {}}), True, None, id="location-done-with-the-resource"),
    ],
)
def test_an_operation_runs_or_has_succeeded(answer: Response, finished: bool, wish: int | None) -> None:
    state = read_state(answer, "x")
    assert state == OperationState(finished=finished, retry_after=None if wish is None else timedelta(seconds=wish))


def test_an_operation_tells_its_times_by_the_clouds_clock() -> None:
    state = read_state(Response(200, {"status": "Succeeded", "startTime": START, "endTime": END}), "x")
    assert state.start_time == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert state.end_time == datetime(2026, 3, 1, 12, 0, 42, 123456, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "yesterday", 5], ids=["absent", "empty", "a-word", "a-number"])
def test_a_time_that_cannot_be_read_is_none(text: object) -> None:
    assert to_time(text) is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert to_time("2026-03-01T12:00:00") == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_failed_operation_tells_why() -> None:
    error = {"code": "AllocationFailed", "message": "Allocation failed."}
    state = read_state(Response(200, {"status": "Failed", "error": error}), "finish x")
    assert (state.finished, state.canceled) == (True, False)
    assert isinstance(state.error, CapacityError)
    assert str(state.error) == "Azure did not finish x: Allocation failed. (AllocationFailed)"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"status": "Canceled"}, id="canceled"),
        pytest.param({"status": "Failed", "error": {"code": "OperationPreempted"}}, id="preempted"),
    ],
)
def test_an_operation_that_gave_way_is_canceled(body: object) -> None:
    state = read_state(Response(200, body), "x")
    assert state.canceled
    assert isinstance(state.error, TransientError)


def test_a_location_that_ends_in_an_error_is_a_failed_operation() -> None:
    state = read_state(Response(409, {"error": {"code": "SkuNotAvailable"}}), "x")
    assert state.finished
    assert isinstance(state.error, CapacityError)


@pytest.mark.parametrize("body", ["<html>bad gateway</html>", None, "{"], ids=["a-page", "nothing", "cut-off"])
def test_a_body_that_is_no_json_is_none(body: str | None) -> None:
    assert json_of(Response(502, body)) is None
    assert refusal_of(Response(502, body, {"Retry-After": "3"})).retry_after == timedelta(seconds=3)
