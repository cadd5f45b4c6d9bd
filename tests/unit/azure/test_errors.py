from datetime import timedelta

import pytest

from benchhost.api.conditions import Reason
from benchhost.azure.errors import Refusal, classify, read_refusal
from benchhost.cloud import (
    AdminError,
    CapacityError,
    CloudError,
    CredentialsError,
    TerminalError,
    ThrottledError,
    TransientError,
)

WHAT = "create virtual machine db-1 in resource group bench-rg"
QUOTA = (
    "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional "
    "details - Deployment Model: Resource Manager, Location: eastus, Current Limit: 50, Current Usage: 50, "
    "Additional Required: 2, (Minimum) New Limit Required: 52."
)
FAMILY = "Operation results in exceeding quota limits of Core. Maximum allowed: 4, Current in use: 4."
RESERVED = "Nic(s) in request is reserved for another Virtual Machine for 180 seconds."

Row = tuple[int, str, str, tuple[str, ...], type[CloudError], Reason]
ROWS: dict[str, Row] = {
    "no-such-size-here": (409, "SkuNotAvailable", "", (), CapacityError, Reason.CAPACITY_UNAVAILABLE),
    "no-room-after-accepting": (200, "AllocationFailed", "", (), CapacityError, Reason.CAPACITY_UNAVAILABLE),
    "no-room-in-the-zone": (200, "ZonalAllocationFailed", "", (), CapacityError, Reason.CAPACITY_UNAVAILABLE),
    "too-many-constraints": (
        200,
        "OverconstrainedAllocationRequest",
        "",
        (),
        CapacityError,
        Reason.CAPACITY_UNAVAILABLE,
    ),
    "regional-quota": (409, "OperationNotAllowed", QUOTA, (), CapacityError, Reason.QUOTA_EXCEEDED),
    "quota-by-another-text": (409, "OperationNotAllowed", FAMILY, (), CapacityError, Reason.QUOTA_EXCEEDED),
    "quota-by-code": (400, "QuotaExceeded", "", (), CapacityError, Reason.QUOTA_EXCEEDED),
    "too-many-addresses": (400, "PublicIPCountLimitReached", "", (), CapacityError, Reason.QUOTA_EXCEEDED),
    "resize-in-a-full-cluster": (
        409,
        "OperationNotAllowed",
        "Unable to resize the VM since requested size X is not available in the current hardware cluster.",
        (),
        CapacityError,
        Reason.CAPACITY_UNAVAILABLE,
    ),
    "throttled-by-compute": (
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this subscription.",
        ("TooManyRequests",),
        ThrottledError,
        Reason.THROTTLED,
    ),
    "throttled-by-the-front-door": (429, "SubscriptionRequestsThrottled", "", (), ThrottledError, Reason.THROTTLED),
    "throttled-without-a-word": (429, "", "", (), ThrottledError, Reason.THROTTLED),
    "network-not-ready-with-429": (
        429,
        "RetryableError",
        "",
        ("ReferencedResourceNotProvisioned",),
        TransientError,
        Reason.CLOUD_ERROR,
    ),
    "another-operation-with-429": (429, "AnotherOperationInProgress", "", (), TransientError, Reason.CLOUD_ERROR),
    "another-operation": (409, "OperationNotAllowed", "An ongoing operation", (), TransientError, Reason.CLOUD_ERROR),
    "conflict": (409, "Conflict", "", (), TransientError, Reason.CLOUD_ERROR),
    "no-rights": (403, "AuthorizationFailed", "", (), AdminError, Reason.AUTHORIZATION_FAILED),
    "no-rights-on-the-subnet": (403, "LinkedAuthorizationFailed", "", (), AdminError, Reason.AUTHORIZATION_FAILED),
    "policy": (403, "RequestDisallowedByPolicy", "", (), AdminError, Reason.AUTHORIZATION_FAILED),
    "locked": (409, "ScopeLocked", "", (), AdminError, Reason.AUTHORIZATION_FAILED),
    "forbidden-for-a-new-reason": (403, "Novel", "", (), AdminError, Reason.AUTHORIZATION_FAILED),
    "token-is-wrong": (401, "InvalidAuthenticationToken", "", (), CredentialsError, Reason.CREDENTIALS_REJECTED),
    "token-is-old": (401, "ExpiredAuthenticationToken", "", (), CredentialsError, Reason.CREDENTIALS_REJECTED),
    "no-subscription": (404, "SubscriptionNotFound", "", (), AdminError, Reason.SUBSCRIPTION_NOT_FOUND),
    "no-resource-group": (404, "ResourceGroupNotFound", "", (), AdminError, Reason.RESOURCE_GROUP_NOT_FOUND),
    "no-image": (404, "PlatformImageNotFound", "", (), TerminalError, Reason.IMAGE_NOT_FOUND),
    "no-image-with-400": (400, "ImageNotFound", "", (), TerminalError, Reason.IMAGE_NOT_FOUND),
    "wrong-field": (400, "InvalidParameter", "", (), TerminalError, Reason.INVALID_SPEC),
    "fixed-field": (409, "PropertyChangeNotAllowed", "", (), TerminalError, Reason.INVALID_SPEC),
    "wrong-for-a-new-reason": (400, "Novel", "", (), TerminalError, Reason.INVALID_SPEC),
    "wrong-reference": (400, "InvalidResourceReference", "", (), AdminError, Reason.INVALID_SPEC),
    "interface-reserved": (400, "NicReservedForAnotherVm", RESERVED, (), TransientError, Reason.CLOUD_ERROR),
    "interface-in-use": (400, "NicInUse", "", (), TransientError, Reason.CLOUD_ERROR),
    "subnet-in-use": (400, "InUseSubnetCannotBeDeleted", "", (), TransientError, Reason.CLOUD_ERROR),
    "parent-is-gone": (404, "ParentResourceNotFound", "", (), TransientError, Reason.CLOUD_ERROR),
    "preempted": (200, "OperationPreempted", "", (), TransientError, Reason.OPERATION_FAILED),
    "failed-for-a-new-reason": (200, "Novel", "", (), TransientError, Reason.OPERATION_FAILED),
    "made-by-somebody-else": (412, "PreconditionFailed", "", (), TransientError, Reason.CLOUD_ERROR),
    "server-error": (500, "InternalServerError", "", (), TransientError, Reason.CLOUD_ERROR),
    "a-proxy-without-a-word": (502, "", "", (), TransientError, Reason.CLOUD_ERROR),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_refusal_has_its_class_and_reason(row: Row) -> None:
    status, code, message, details, kind, reason = row
    error = classify(Refusal(status, code, message, details), WHAT)
    assert (type(error), error.reason, error.code) == (kind, reason, code)
    assert error.message.startswith(f"Azure did not {WHAT}: ")


def test_the_servers_wish_is_carried_and_beats_what_is_known() -> None:
    wish = timedelta(seconds=1200)
    assert classify(Refusal(429, retry_after=wish), WHAT).retry_after == wish
    assert classify(Refusal(400, "NicReservedForAnotherVm", retry_after=wish), WHAT).retry_after == wish
    assert classify(Refusal(400, "NicReservedForAnotherVm"), WHAT).retry_after == timedelta(seconds=180)


def test_a_message_is_one_line_of_bounded_length() -> None:
    error = classify(Refusal(500, "X", "one\r\n two\t" + "y" * 5000), WHAT)
    assert "one two yyy" in error.message
    assert len(error.message) < 1200


def test_what_can_be_done_is_said_where_it_is_known() -> None:
    error = classify(Refusal(404, "ResourceGroupNotFound", "Resource group 'bench-rg' could not be found."), WHAT)
    assert error.message == (
        f"Azure did not {WHAT}: Resource group 'bench-rg' could not be found. "
        "Create the resource group, or correct spec.azure.resourceGroup."
    )


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "X", "message": "said", "details": [{"code": "Y"}]}},
        {"code": "X", "message": "said", "details": [{"code": "Y"}]},
        {"error": {"code": "X", "message": "said", "details": [{"code": "Y"}, None, "z"]}},
    ],
    ids=["wrapped", "bare", "with-odd-details"],
)
def test_an_error_body_is_read_with_and_without_its_wrapper(body: object) -> None:
    assert read_refusal(409, body) == Refusal(409, "X", "said", ("Y",))


@pytest.mark.parametrize("body", [None, "", [], 5, {}, {"error": None}, {"error": {}}, {"details": 3}])
def test_a_body_that_says_nothing_is_read_as_nothing(body: object) -> None:
    assert read_refusal(502, body) == Refusal(502)


@pytest.mark.parametrize(
    ("refusal", "absent"),
    [
        pytest.param(Refusal(404, "ResourceNotFound"), True, id="by-the-front-door"),
        pytest.param(Refusal(404, "NotFound"), True, id="by-the-provider"),
        pytest.param(Refusal(404, "ResourceGroupNotFound"), True, id="with-its-group"),
        pytest.param(Refusal(404, "SubscriptionNotFound"), False, id="the-subscription-is-not-seen"),
        pytest.param(Refusal(404, "InvalidResourceType"), False, id="the-api-is-not-there"),
        pytest.param(Refusal(404), False, id="a-proxys-page"),
        pytest.param(Refusal(403, "NotFound"), False, id="no-rights"),
    ],
)
def test_only_azures_own_words_mean_that_something_is_gone(refusal: Refusal, absent: bool) -> None:
    # Taking any 404 for "gone" would let a host be forgotten while its machine runs on.
    assert refusal.is_absence is absent
