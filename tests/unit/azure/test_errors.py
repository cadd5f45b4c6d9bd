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
    "Operation could not be completed as it results in exceeding approved {} quota. Additional "
    "details - Deployment Model: Resource Manager, Location: eastus, Current Limit: 50, Current Usage: 50, "
    "Additional Required: 2, (Minimum) New Limit Required: 52."
)
FAMILY = "Operation results in exceeding quota limits of Core. Maximum allowed: 4, Current in use: 4."
RESERVED = "Nic(s) in request is reserved for another Virtual Machine for 180 seconds."
CLUSTER = (
    "Unable to resize the VM 'sample' because the requested size Standard_D3_v2 is not available in the current "
    "hardware cluster. The available sizes are: Standard_A0,Standard_A1."
)
CLUSTER_BY_DOCUMENT = (
    "Unable to resize the VM because the requested size X is not available in the cluster where the VM is currently "
    "allocated. To resize your VM to X please deallocate and try the resize operation again."
)
IN_A_SET = (
    "Unable to create the VM 'v' in availability set 'a' because the requested size X is not available in the current "
    "hardware cluster."
)
LOCAL_DISK = (
    "Unable to resize the VM 'v' since changing from resource disk to non-resource disk VM size and vice-versa is "
    "not allowed. Please refer to https://aka.ms/AAah4sj for more details."
)
DELETING = (
    "Operation 'Update VM' is not allowed on VM 'v' since the VM is marked for deletion. You can only retry the "
    "Delete operation (or wait for an ongoing one to complete)."
)
GROWTH = "Cannot resize disk d while it is attached to running VM /subscriptions/s/virtualMachines/v."
SMALL = "Disk resizing is allowed only when creating a VM or when the VM is deallocated."
POLICY = "Resource 'v' was disallowed by policy. Policy identifiers: 'Ephemeral disks are not allowed'."
EPHEMERAL = (
    "OS disk of Ephemeral VM with size greater than 50 GB is not allowed for VM size Standard_D2s_v3 when the "
    "DiffDiskPlacement is CacheDisk."
)
SPOT_TIER = "The requested tier for resource 'v' is currently not available in location 'eastus'."
NO_HIBERNATION = "Hibernation capability isn't supported for Spot VMs."
HIBERNATION_OFF = (
    "The Hibernate-Deallocate Operation can only be triggered on a VM that is enabled for hibernation. Enable the "
    "property additionalCapabilities.hibernationEnabled during VM creation, or after stopping and deallocating the VM."
)
NOT_PREPARED = "OS provisioning for VM 'v' failed. Error details: x Make sure the image has been properly prepared."
STILL_PREPARING = "OS Provisioning failed for VM 'v' because the guest OS is currently being provisioned."

Row = tuple[int, str, str, type[CloudError], Reason]
NO_ROOM, NO_QUOTA = Reason.CAPACITY_UNAVAILABLE, Reason.QUOTA_EXCEEDED
WRONG, BUSY, FAILED = Reason.INVALID_SPEC, Reason.CLOUD_ERROR, Reason.OPERATION_FAILED
FORBIDDEN, FIRST_OFF = Reason.AUTHORIZATION_FAILED, Reason.DEALLOCATION_NEEDED
ROWS: dict[str, Row] = {
    "no-such-size-here": (409, "SkuNotAvailable", "", CapacityError, NO_ROOM),
    "no-spot-capacity": (409, "SkuNotAvailable", SPOT_TIER, CapacityError, NO_ROOM),
    "no-spot-capacity-at-this-price": (409, "SpotPriceGreaterThanProvidedMaxPrice", "", CapacityError, NO_ROOM),
    "no-room-after-accepting": (200, "AllocationFailed", "", CapacityError, NO_ROOM),
    "no-room-in-the-zone": (200, "ZonalAllocationFailed", "", CapacityError, NO_ROOM),
    "too-many-constraints": (200, "OverconstrainedAllocationRequest", "", CapacityError, NO_ROOM),
    "too-many-constraints-in-the-documents-case": (
        409,
        "OverConstrainedAllocationRequest",
        "",
        CapacityError,
        NO_ROOM,
    ),
    "too-many-constraints-in-a-zone": (200, "OverconstrainedZonalAllocationRequest", "", CapacityError, NO_ROOM),
    "no-room-to-resume": (
        200,
        "OverconstrainedResumeFromHibernatedStateAllocationRequest",
        "",
        CapacityError,
        NO_ROOM,
    ),
    "regional-quota": (409, "OperationNotAllowed", QUOTA.format("Total Regional Cores"), CapacityError, NO_QUOTA),
    "family-quota": (
        409,
        "OperationNotAllowed",
        QUOTA.format("standardDASv5Family Cores"),
        CapacityError,
        NO_QUOTA,
    ),
    "spot-quota": (409, "OperationNotAllowed", QUOTA.format("LowPriorityCores"), CapacityError, NO_QUOTA),
    "quota-by-another-text": (409, "OperationNotAllowed", FAMILY, CapacityError, NO_QUOTA),
    "quota-by-code": (400, "QuotaExceeded", "", CapacityError, NO_QUOTA),
    "too-many-addresses": (400, "PublicIPCountLimitReached", "", AdminError, NO_QUOTA),
    "too-many-standard-addresses": (
        400,
        "IPv4StandardSkuPublicIpCountLimitReached",
        "",
        AdminError,
        NO_QUOTA,
    ),
    "resize-in-a-full-cluster": (409, "OperationNotAllowed", CLUSTER, CapacityError, FIRST_OFF),
    "resize-in-a-full-cluster-in-the-documents-words": (
        409,
        "OperationNotAllowed",
        CLUSTER_BY_DOCUMENT,
        CapacityError,
        FIRST_OFF,
    ),
    "creation-in-a-full-cluster": (400, "InvalidParameter", IN_A_SET, TerminalError, WRONG),
    "resize-that-no-power-state-allows": (409, "OperationNotAllowed", LOCAL_DISK, TerminalError, WRONG),
    "growth-of-a-disk-in-use": (409, "OperationNotAllowed", GROWTH, CapacityError, FIRST_OFF),
    "growth-through-the-machine": (409, "Conflict", SMALL, CapacityError, FIRST_OFF),
    "price-of-an-allocated-machine": (409, "MaxPriceChangeNotAllowedForAllocatedVMs", "", CapacityError, FIRST_OFF),
    "throttled-by-the-front-door": (429, "SubscriptionRequestsThrottled", "", ThrottledError, Reason.THROTTLED),
    "throttled-without-a-word": (429, "", "", ThrottledError, Reason.THROTTLED),
    "another-operation-with-429": (429, "AnotherOperationInProgress", "", TransientError, BUSY),
    "another-operation": (409, "OperationNotAllowed", "An ongoing operation", TransientError, BUSY),
    "conflict": (409, "Conflict", "", TransientError, BUSY),
    "marked-for-deletion": (409, "OperationNotAllowed", DELETING, TransientError, BUSY),
    "disk-of-another-machine": (409, "ConflictingUserInput", "", TransientError, BUSY),
    "disk-that-is-being-detached": (409, "AttachDiskWhileBeingDetached", "", TransientError, BUSY),
    "no-rights": (403, "AuthorizationFailed", "", AdminError, FORBIDDEN),
    "no-rights-on-the-subnet": (403, "LinkedAuthorizationFailed", "", AdminError, FORBIDDEN),
    "policy": (403, "RequestDisallowedByPolicy", "", AdminError, FORBIDDEN),
    "policy-whose-name-reads-like-a-refusal": (403, "RequestDisallowedByPolicy", POLICY, AdminError, FORBIDDEN),
    "locked": (409, "ScopeLocked", "", AdminError, FORBIDDEN),
    "forbidden-for-a-new-reason": (403, "Novel", "", AdminError, FORBIDDEN),
    "no-spot-for-this-subscription": (
        400,
        "AzureSpotFeatureNotEnabledForSubscription",
        "",
        AdminError,
        FORBIDDEN,
    ),
    "terms-not-accepted": (400, "MarketplacePurchaseEligibilityFailed", "", AdminError, FORBIDDEN),
    "terms-not-accepted-by-the-older-code": (400, "ResourcePurchaseValidationFailed", "", AdminError, FORBIDDEN),
    "token-is-wrong": (401, "InvalidAuthenticationToken", "", CredentialsError, Reason.CREDENTIALS_REJECTED),
    "token-is-old": (401, "ExpiredAuthenticationToken", "", CredentialsError, Reason.CREDENTIALS_REJECTED),
    "no-subscription": (404, "SubscriptionNotFound", "", AdminError, Reason.SUBSCRIPTION_NOT_FOUND),
    "no-resource-group": (404, "ResourceGroupNotFound", "", AdminError, Reason.RESOURCE_GROUP_NOT_FOUND),
    "resource-group-is-going": (409, "ResourceGroupBeingDeleted", "", AdminError, Reason.RESOURCE_GROUP_NOT_FOUND),
    "no-image": (404, "PlatformImageNotFound", "", TerminalError, Reason.IMAGE_NOT_FOUND),
    "no-image-with-400": (400, "ImageNotFound", "", TerminalError, Reason.IMAGE_NOT_FOUND),
    "no-image-by-its-text": (404, "NotFound", "The Image x cannot be found.", TerminalError, Reason.IMAGE_NOT_FOUND),
    "image-of-the-past": (404, "ImageVersionDeprecated", "", TerminalError, Reason.IMAGE_NOT_FOUND),
    "image-with-a-purchase-plan": (400, "VMMarketplaceInvalidInput", "", TerminalError, WRONG),
    "wrong-field": (400, "InvalidParameter", "", TerminalError, WRONG),
    "wrong-template": (400, "InvalidTemplateDeployment", "", TerminalError, WRONG),
    "fixed-field": (409, "PropertyChangeNotAllowed", "", TerminalError, WRONG),
    "priority-is-fixed": (409, "VMPriorityCannotBeApplied", "", TerminalError, WRONG),
    "size-has-no-spot": (409, "AzureSpotIsNotSupportedForThisVMSize", "", TerminalError, WRONG),
    "size-has-no-acceleration": (
        400,
        "VMSizeIsNotPermittedToEnableAcceleratedNetworking",
        "",
        TerminalError,
        WRONG,
    ),
    "size-has-no-room-for-an-ephemeral-disk": (409, "NotSupported", EPHEMERAL, TerminalError, WRONG),
    "hibernation-beside-spot": (409, "OperationNotAllowed", NO_HIBERNATION, TerminalError, WRONG),
    "hibernation-is-off": (409, "OperationNotAllowed", HIBERNATION_OFF, TerminalError, WRONG),
    "hibernation-right-after-the-start": (409, "VMHibernateNotSupported", "", TransientError, BUSY),
    "hibernation-fails": (200, "VMHibernateFailed", "", TransientError, FAILED),
    "wrong-for-a-new-reason": (400, "Novel", "", TerminalError, WRONG),
    "wrong-reference": (400, "InvalidResourceReference", "", AdminError, WRONG),
    "identity-does-not-exist": (400, "FailedIdentityOperation", "", AdminError, WRONG),
    "interface-reserved": (400, "NicReservedForAnotherVm", RESERVED, TransientError, BUSY),
    "interface-in-use": (400, "NicInUse", "", TransientError, BUSY),
    "subnet-in-use": (400, "InUseSubnetCannotBeDeleted", "", TransientError, BUSY),
    "parent-is-gone": (404, "ParentResourceNotFound", "", TransientError, BUSY),
    "preempted": (200, "OperationPreempted", "", TransientError, FAILED),
    "guest-was-slow": (200, "OSProvisioningTimedOut", "", TransientError, FAILED),
    "guest-is-still-at-it": (200, "OSProvisioningClientError", STILL_PREPARING, TransientError, FAILED),
    "guest-cannot-be-prepared": (200, "OSProvisioningClientError", NOT_PREPARED, TerminalError, FAILED),
    "failed-for-a-new-reason": (200, "Novel", "", TransientError, FAILED),
    "made-by-somebody-else": (412, "PreconditionFailed", "", TransientError, BUSY),
    "server-error": (500, "InternalServerError", "", TransientError, BUSY),
    "a-proxy-without-a-word": (502, "", "", TransientError, BUSY),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_refusal_has_its_class_and_reason(row: Row) -> None:
    status, code, message, kind, reason = row
    error = classify(Refusal(status, code, message), WHAT)
    assert (type(error), error.reason, error.code) == (kind, reason, code)
    assert error.message.startswith(f"Azure did not {WHAT}: ")


@pytest.mark.parametrize(
    ("code", "detail", "kind"),
    [
        pytest.param("OperationNotAllowed", "TooManyRequests", ThrottledError, id="by-compute"),
        pytest.param("RetryableError", "RetryableErrorDueToTooManyCalls", ThrottledError, id="by-network"),
        pytest.param("RetryableError", "ReferencedResourceNotProvisioned", TransientError, id="only-not-ready-yet"),
    ],
)
def test_an_inner_code_tells_throttling_from_being_busy(code: str, detail: str, kind: type[CloudError]) -> None:
    assert type(classify(Refusal(429, code, "The server rejected it.", (detail,)), WHAT)) is kind


def test_the_servers_wish_is_carried_and_beats_what_is_known() -> None:
    wish = timedelta(seconds=1200)
    assert classify(Refusal(429, retry_after=wish), WHAT).retry_after == wish
    assert classify(Refusal(400, "NicReservedForAnotherVm", retry_after=wish), WHAT).retry_after == wish
    assert classify(Refusal(400, "NicReservedForAnotherVm"), WHAT).retry_after == timedelta(seconds=180)
    assert classify(Refusal(409, "VMHibernateNotSupported"), WHAT).retry_after == timedelta(minutes=5)
    assert classify(Refusal(409, "OperationNotAllowed", CLUSTER), WHAT).retry_after == timedelta(0)
    assert classify(Refusal(429, retry_after=timedelta(0)), WHAT).retry_after == timedelta(0)


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


def test_a_lock_is_named() -> None:
    scope = "/subscriptions/s/resourceGroups/bench-rg"
    said = f"The scope 'x' cannot perform write operation because following scope(s) are locked: '{scope}'."
    assert scope in classify(Refusal(409, "ScopeLocked", said), WHAT).message


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
