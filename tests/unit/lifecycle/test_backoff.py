"""When to try again: how long each kind of failure waits, and that a new spec starts a new row."""

from datetime import UTC, datetime, timedelta

import pytest

from benchhost.api.conditions import Reason
from benchhost.api.status import Failure, OperationType
from benchhost.cloud.errors import (
    AdminError,
    CapacityError,
    CloudError,
    CredentialsError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from benchhost.lifecycle.backoff import FailedAttempt, delay_after, is_blocking, next_failure

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 20
JITTER = 0.2


def fail(error: CloudError, *, times: int = 1, generation: int = 1, operation: OperationType | None = None) -> Failure:
    """The failure that status shows after the same error so many times."""
    failure = None
    for _ in range(times):
        failure = next_failure(error, failure, FailedAttempt(generation, operation), seed="uid", now=NOW)
    assert failure is not None
    return failure


@pytest.mark.parametrize(
    ("error", "cap"),
    [
        pytest.param(TransientError("x"), timedelta(minutes=5), id="transient"),
        pytest.param(ThrottledError("x"), timedelta(minutes=5), id="throttled"),
        pytest.param(CapacityError("x"), timedelta(minutes=15), id="no-capacity"),
        pytest.param(AdminError("x"), timedelta(minutes=15), id="no-rights"),
        pytest.param(CredentialsError("x"), timedelta(minutes=15), id="credentials-rejected-by-the-cloud"),
        pytest.param(
            CredentialsError("x", reason=Reason.CREDENTIALS_MISSING),
            timedelta(seconds=30),
            id="no-credentials-in-cluster",
        ),
        pytest.param(AdminError("x", reason=Reason.SECRET_MISSING), timedelta(seconds=30), id="no-secret-in-cluster"),
    ],
)
def test_delays_double_up_to_the_cap_of_their_kind(error: CloudError, cap: timedelta) -> None:
    delays = [delay_after(count, error, seed="uid") for count in range(1, MANY)]
    for count, delay in enumerate(delays, start=1):
        assert delay is not None
        plain = min(timedelta(seconds=2) * 2 ** (count - 1), cap)
        assert plain * (1 - JITTER) <= delay <= plain


@pytest.mark.parametrize(
    ("operation", "is_final"),
    [
        pytest.param(OperationType.PROVISION, True, id="what-the-spec-has-to-change-for-is-not-tried-again"),
        pytest.param(OperationType.RESIZE, True, id="nor-is-a-size-that-does-not-exist"),
        pytest.param(OperationType.DELETE, False, id="a-deletion-is-never-given-up"),
        pytest.param(OperationType.DEALLOCATE, False, id="nor-is-whatever-else-ends-a-bill"),
        pytest.param(OperationType.STOP, False, id="nor-is-a-stop"),
        pytest.param(None, False, id="nor-is-looking"),
    ],
)
def test_a_terminal_failure(operation: OperationType | None, is_final: bool) -> None:
    failure = fail(TerminalError("x"), times=MANY, operation=operation)
    assert (failure.next_attempt_at is None) is is_final
    assert is_final or not is_blocking(failure, generation=1, now=NOW + timedelta(minutes=15), operation=operation)


def test_the_cloud_s_wish_is_the_least_delay() -> None:
    failure = fail(TransientError("x", retry_after=timedelta(seconds=180)))
    assert failure.next_attempt_at == NOW + timedelta(seconds=180)


def test_hosts_that_failed_together_do_not_return_together() -> None:
    delays = {delay_after(5, TransientError("x"), seed=f"uid-{number}") for number in range(20)}
    assert len(delays) > 10


def test_a_row_counts_and_keeps_its_start() -> None:
    failure = fail(CapacityError("x"), times=3)
    assert (failure.count, failure.since) == (3, NOW)


@pytest.mark.parametrize(
    ("error", "generation"),
    [
        pytest.param(CapacityError("x"), 2, id="a-new-spec"),
        pytest.param(TransientError("x"), 1, id="another-kind-of-failure"),
    ],
)
def test_a_row_ends_with(error: CloudError, generation: int) -> None:
    later = next_failure(error, fail(CapacityError("x"), times=3), FailedAttempt(generation), seed="uid", now=NOW)
    assert later.count == 1


def test_a_new_spec_is_never_held_back() -> None:
    failure = fail(AdminError("x"), times=MANY)
    assert is_blocking(failure, generation=1, now=NOW)
    assert not is_blocking(failure, generation=2, now=NOW)
    assert not is_blocking(failure, generation=1, now=NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    ("failed", "wanted", "blocked"),
    [
        pytest.param(OperationType.RESIZE, OperationType.DEALLOCATE, False, id="a-failed-resize-does-not-hold-a-bill"),
        pytest.param(OperationType.PROVISION, OperationType.DELETE, False, id="a-failed-creation-can-be-deleted"),
        pytest.param(OperationType.DEALLOCATE, OperationType.DEALLOCATE, True, id="its-own-failure-does"),
        pytest.param(None, OperationType.STOP, True, id="a-cloud-that-cannot-be-looked-at-does"),
        pytest.param(OperationType.RESIZE, OperationType.START, True, id="whatever-needs-the-spec-waits"),
    ],
)
def test_what_ends_a_bill_is_held_back_only_by(
    failed: OperationType | None, wanted: OperationType, blocked: bool
) -> None:
    failure = next_failure(TerminalError("x"), None, FailedAttempt(1, failed), seed="uid", now=NOW)
    assert is_blocking(failure, generation=1, now=NOW, operation=wanted) is blocked
