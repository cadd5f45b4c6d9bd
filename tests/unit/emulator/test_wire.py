"""The parts of the wire that need no server."""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from benchhost.emulator.arm.api_versions import check_api_version
from benchhost.emulator.arm.messages import parse_path
from benchhost.emulator.arm.polling import RetryHints, timestamp
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.identifiers import IdentifierSource, ResourceId
from benchhost.emulator.cloud.latency import LatencyMode, LatencyModel
from benchhost.emulator.cloud.operations import RETENTION_SECONDS, Operation, OperationKind, Operations
from benchhost.emulator.cloud.resources import Resource
from benchhost.emulator.entra.tokens import TokenAuthority
from unit.emulator.driver import seeded

MACHINE = "/subscriptions/S/resourcegroups/RG/PROVIDERS/microsoft.COMPUTE/VirtualMachines/providers"


@pytest.mark.parametrize(
    ("path", "shape", "names"),
    [
        pytest.param("/subscriptions/S", "subscriptions/*", ("S",), id="subscription"),
        pytest.param(
            MACHINE,
            "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*",
            ("S", "RG", "providers"),
            id="case-does-not-matter-and-names-may-look-like-keywords",
        ),
        pytest.param(
            f"{MACHINE}/powerOff/",
            "subscriptions/*/resourcegroups/*/providers/microsoft.compute/virtualmachines/*/poweroff",
            ("S", "RG", "providers"),
            id="action",
        ),
        pytest.param(
            "//subscriptions/S/providers/Microsoft.Compute/locations/eastus/operations/42",
            "subscriptions/*/providers/microsoft.compute/locations/*/operations/*",
            ("S", "eastus", "42"),
            id="operation",
        ),
        pytest.param(
            "/subscriptions/S/resourceGroups/a%20b/resources",
            "subscriptions/*/resourcegroups/*/resources",
            ("S", "a b"),
            id="escapes",
        ),
    ],
)
def test_paths_are_taken_apart(path: str, shape: str, names: tuple[str, ...]) -> None:
    parsed = parse_path(path)
    assert (parsed.shape, parsed.names) == (shape, names)


@pytest.mark.parametrize(
    ("path", "provider", "types"),
    [
        pytest.param("/subscriptions/S/resourceGroups/providers", None, (), id="a-group-of-that-name"),
        pytest.param(MACHINE, "microsoft.COMPUTE", ("VirtualMachines",), id="resource"),
        pytest.param(
            f"{MACHINE}/providers/Microsoft.Authorization/locks/l", "Microsoft.Authorization", ("locks",),
            id="extension-of-a-resource",
        ),
        pytest.param("/subscriptions/S/providers", None, (), id="no-namespace"),
    ],
)  # fmt: skip
def test_the_provider_and_types_of_a_path(path: str, provider: str | None, types: tuple[str, ...]) -> None:
    parsed = parse_path(path)
    assert (parsed.provider, parsed.types) == (provider, types)


@pytest.mark.parametrize(
    ("method", "path", "version", "code"),
    [
        ("GET", MACHINE, None, "MissingApiVersionParameter"),
        ("GET", MACHINE, "2099-01-01", "InvalidResourceType"),
        ("PUT", MACHINE, "2099-01-01", "NoRegisteredProviderFound"),
        ("GET", "/subscriptions/S/providers/Microsoft.Compute/cats/tom", "2024-11-01", "InvalidResourceType"),
        ("GET", "/subscriptions/S/providers/Contoso.Cats/cats/tom", "2024-11-01", "InvalidResourceNamespace"),
        ("GET", "/subscriptions/S/resourceGroups", "2099-01-01", "InvalidApiVersionParameter"),
    ],
)
def test_api_versions_are_refused(method: str, path: str, version: str | None, code: str) -> None:
    with pytest.raises(ArmError) as refused:
        check_api_version(parse_path(path), version, method=method, locations=("eastus",))
    assert refused.value.code == code


@pytest.mark.parametrize("version", ["2026-04-01", "2024-11-01", "2020-12-01"])
def test_api_versions_are_served(version: str) -> None:
    assert check_api_version(parse_path(MACHINE), version, method="GET", locations=()) == version


@pytest.mark.parametrize(
    ("factor", "seconds", "headers"),
    [
        pytest.param(1, 10, {"Retry-After": "10"}, id="real-time-says-what-azure-says"),
        pytest.param(1, None, {}, id="real-time-says-nothing-where-azure-does"),
        pytest.param(0.1, 30, {"Retry-After": "3"}, id="whole-seconds-where-they-do"),
        pytest.param(0.1, 35, {"retry-after-ms": "3500"}, id="milliseconds-where-seconds-would-be-rounded"),
        pytest.param(0.05, 10, {"retry-after-ms": "500"}, id="milliseconds-below-a-second"),
        pytest.param(0.1, None, {"retry-after-ms": "500"}, id="scaled-time-stands-in-for-an-absent-hint"),
        pytest.param(0.0, 10, {"retry-after-ms": "1"}, id="never-zero-which-sdks-take-for-absent"),
    ],
)
def test_hints_of_how_long_to_wait(factor: float, seconds: float | None, headers: dict[str, str]) -> None:
    assert RetryHints(factor).headers(seconds) == headers


def test_times_have_seven_digits_and_an_offset() -> None:
    assert timestamp(1_700_000_000.25) == "2023-11-14T22:13:20.2500000+00:00"


@pytest.mark.parametrize(
    ("factor", "wait", "headers"),
    [
        pytest.param(1, 14.2, {"Retry-After": "15"}, id="real-time-whole-seconds-and-never-too-early"),
        pytest.param(1, 0.2, {"Retry-After": "1"}, id="real-time-never-zero"),
        pytest.param(0.1, 1.4, {"Retry-After": "2"}, id="scaled-whole-seconds-where-they-do"),
        pytest.param(
            0.1, 0.0304, {"retry-after-ms": "31", "x-ms-retry-after-ms": "31"}, id="scaled-milliseconds-in-both-headers"
        ),
    ],
)
def test_refusals_say_when_to_come_back(factor: float, wait: float, headers: dict[str, str]) -> None:
    assert RetryHints(factor).refusal(wait) == headers


def test_recorded_durations_have_the_recorded_median_and_scale() -> None:
    for scale in (1.0, 0.1):
        model = LatencyModel(LatencyMode.RECORDED, scale, seeded(3))
        drawn = [model.operation(OperationKind.CREATE_MACHINE) for _ in range(4000)]
        assert statistics.median(drawn) == pytest.approx(45 * scale, rel=0.05)
        assert statistics.quantiles(drawn, n=20)[-1] == pytest.approx(80 * scale, rel=0.08)


def test_no_latency_means_none_at_any_scale() -> None:
    model = LatencyModel(LatencyMode.NONE, 1.0, seeded(3))
    assert {model.operation(kind) for kind in OperationKind} == {0.0}


def _operations(seconds: dict[OperationKind, float]) -> tuple[Operations, list[Any]]:
    operations = Operations(IdentifierSource(seeded(0)), lambda kind: seconds[kind])
    completed: list[Any] = []
    for kind in seconds:
        operations.on_completion(kind, lambda operation, now: completed.append((operation.kind, now)))
    return operations, completed


def _resource(name: str) -> Resource:
    return Resource(
        id=ResourceId("s", "rg", "Microsoft.Compute", ("disks",), (name,)),
        location="eastus",
        guid="g",
        created_at=0.0,
    )


def test_operations_complete_in_order_of_their_time_however_late_anybody_looks() -> None:
    operations, completed = _operations({OperationKind.WRITE_DISK: 5.0, OperationKind.DELETE_DISK: 2.0})
    operations.begin(OperationKind.WRITE_DISK, _resource("a"), 0.0)
    operations.begin(OperationKind.DELETE_DISK, _resource("b"), 1.0)
    operations.advance(100.0)
    assert completed == [(OperationKind.DELETE_DISK, 3.0), (OperationKind.WRITE_DISK, 5.0)]


def test_a_preempted_operation_never_completes_and_can_be_asked_about() -> None:
    operations, completed = _operations({OperationKind.WRITE_DISK: 5.0})
    disk = _resource("a")
    operation: Operation = operations.begin(OperationKind.WRITE_DISK, disk, 0.0)
    operations.preempt(disk, 1.0)
    operations.advance(100.0)
    assert completed == []
    assert operations.find(operation.id) is operation
    assert operation.ended == 1.0


def test_ended_operations_are_forgotten_in_the_end() -> None:
    operations, _ = _operations({OperationKind.WRITE_DISK: 5.0})
    preempted, completed = _resource("a"), _resource("b")
    ids = [operations.begin(OperationKind.WRITE_DISK, disk, 0.0).id for disk in (preempted, completed)]
    operations.preempt(preempted, 1.0)
    operations.advance(RETENTION_SECONDS / 2)
    assert all(operations.find(known) is not None for known in ids)
    operations.advance(RETENTION_SECONDS + 10)
    operations.advance(2 * RETENTION_SECONDS)
    assert [operations.find(known) for known in ids] == [None, None]


def test_tokens_are_checked_for_signature_audience_and_time() -> None:
    tokens = TokenAuthority("t", issuer="https://issuer", audience="https://arm", lifetime_seconds=100)
    others = TokenAuthority("t", issuer="https://issuer", audience="https://arm", lifetime_seconds=100)
    good = tokens.issue("client", "object", 1000.0)
    assert tokens.check(f"Bearer {good}", 1099.0).client_id == "client"
    refused = {
        None: "AuthenticationFailed",
        "Basic abc": "AuthenticationFailedInvalidHeader",
        "Bearer abc": "InvalidAuthenticationToken",
        f"Bearer {others.issue('client', 'object', 1000.0)}": "InvalidAuthenticationToken",
        f"Bearer {good[:-4]}AAAA": "InvalidAuthenticationToken",
        f"Bearer {good}": "ExpiredAuthenticationToken",
    }
    for header, code in refused.items():
        with pytest.raises(ArmError) as error:
            tokens.check(header, 1100.0)
        assert (error.value.status, error.value.code) == (401, code)
        assert error.value.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_for_another_audience_is_refused() -> None:
    tokens = TokenAuthority("t", issuer="https://issuer", audience="https://arm", lifetime_seconds=100)
    token = tokens.issue("client", "object", 1000.0)
    tokens.audience = "https://other"
    with pytest.raises(ArmError) as error:
        tokens.check(f"Bearer {token}", 1000.0)
    assert error.value.code == "InvalidAuthenticationTokenAudience"
