"""What Azure's error codes and texts mean: the one table, by text where a code has many meanings, else by code.

Asked by ``errors``. Data only. Each group names where its codes were seen:

- texts: ``error-messages.md`` in SupportArticles-docs, and ``allocation-failure.md`` beside it
- spot: ``error-codes-spot.md`` in azure-compute-docs
- hibernate: ``hibernate-resume-troubleshooting.md`` in azure-compute-docs
- others: the error classifiers of Azure Service Operator, Karpenter and Gardener, or the issue that is named
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.cloud.errors import (
    AdminError,
    CapacityError,
    CloudError,
    CredentialsError,
    TerminalError,
    TransientError,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal becomes."""

    error: type[CloudError]
    reason: Reason | None = None
    """None: the error's own default."""
    retry_after: timedelta | None = None
    """How long the same call is known to fail, where Azure does not say so itself."""
    advice: str = ""
    """What can be done, as a sentence; empty where Azure's own words say it."""


CAPACITY: Final = Verdict(CapacityError)
QUOTA: Final = Verdict(CapacityError, Reason.QUOTA_EXCEEDED)
TERMINAL: Final = Verdict(TerminalError)
TRANSIENT: Final = Verdict(TransientError)
DEALLOCATED_FIRST: Final = Verdict(CapacityError, Reason.DEALLOCATION_NEEDED, timedelta(0))
"""The same call succeeds on a deallocated machine, so there is nothing to wait for."""
_NO_ADDRESSES: Final = Verdict(
    AdminError,
    Reason.QUOTA_EXCEEDED,
    advice="Delete public addresses that nobody needs in the region, or ask Azure for a higher quota of them.",
)
"""A quota of no size: another one of the list would meet it again."""
_NO_TERMS: Final = Verdict(
    AdminError,
    advice="Accept the image's terms once for the subscription, as with az vm image terms accept.",
)
_NO_IMAGE: Final = Verdict(TerminalError, Reason.IMAGE_NOT_FOUND)
_NO_SUBSCRIPTION: Final = Verdict(
    AdminError,
    Reason.SUBSCRIPTION_NOT_FOUND,
    advice="Correct spec.azure.subscriptionId, or use credentials that can see it.",
)
_NOT_REGISTERED: Final = Verdict(
    AdminError, advice="Register the resource providers Microsoft.Compute and Microsoft.Network in the subscription."
)
_NOT_YET_HIBERNATING: Final = Verdict(TransientError, retry_after=timedelta(minutes=5))
"""Microsoft's advice for both of its codes (hibernate)."""

_BY_CODE: Final[dict[str, Verdict]] = {
    # No room: texts, Karpenter, spot ("requested tier" where it is spot capacity), hibernate.
    "SkuNotAvailable": CAPACITY,
    "AllocationFailed": CAPACITY,
    "ZonalAllocationFailed": CAPACITY,
    "OverconstrainedAllocationRequest": CAPACITY,
    "OverconstrainedZonalAllocationRequest": CAPACITY,
    "OverconstrainedResumeFromHibernatedStateAllocationRequest": CAPACITY,
    "SpotPriceGreaterThanProvidedMaxPrice": CAPACITY,
    # No quota: Gardener, Azure Service Operator.
    "QuotaExceeded": QUOTA,
    "ResourceQuotaExceeded": QUOTA,
    "PublicIPCountLimitReached": _NO_ADDRESSES,
    "StaticPublicIPCountLimitReached": _NO_ADDRESSES,
    "IPv4BasicSkuPublicIpCountLimitReached": _NO_ADDRESSES,
    "IPv4StandardSkuPublicIpCountLimitReached": _NO_ADDRESSES,
    # Rights, policies and locks: Azure Service Operator; ScopeLocked: apiops#606.
    "AuthorizationFailed": Verdict(
        AdminError, advice="Give the credentials' principal the role Contributor on the resource group."
    ),
    "LinkedAuthorizationFailed": Verdict(
        AdminError, advice="Give the credentials' principal the right to use what the message names."
    ),
    "RequestDisallowedByPolicy": Verdict(
        AdminError, advice="Exempt the resource group from the policy, or make the spec comply with it."
    ),
    "ScopeLocked": Verdict(AdminError),
    # Subscription and resource group: Azure Service Operator; ResourceGroupBeingDeleted: azure-cli#28679.
    "MissingSubscriptionRegistration": _NOT_REGISTERED,
    "SubscriptionNotRegistered": _NOT_REGISTERED,
    "SubscriptionNotFound": _NO_SUBSCRIPTION,
    "InvalidSubscriptionId": _NO_SUBSCRIPTION,
    "ResourceGroupNotFound": Verdict(
        AdminError,
        Reason.RESOURCE_GROUP_NOT_FOUND,
        advice="Create the resource group, or correct spec.azure.resourceGroup.",
    ),
    "ResourceGroupBeingDeleted": Verdict(
        AdminError,
        Reason.RESOURCE_GROUP_NOT_FOUND,
        advice="Create the resource group again once it is gone, or delete the BenchHost.",
    ),
    # What the spec refers to; FailedIdentityOperation: Azure Service Operator, which tries again, too.
    "InvalidResourceReference": Verdict(
        AdminError,
        Reason.INVALID_SPEC,
        advice="Create what spec.azure.network refers to, in the same region, or correct the id.",
    ),
    "FailedIdentityOperation": Verdict(
        AdminError,
        Reason.INVALID_SPEC,
        advice="Create the identities that spec.azure.identityIds names, or correct the ids.",
    ),
    # Who we are: Azure Service Operator.
    "InvalidAuthenticationToken": Verdict(CredentialsError),
    "InvalidAuthenticationTokenTenant": Verdict(CredentialsError),
    "ExpiredAuthenticationToken": Verdict(CredentialsError),
    "AuthenticationFailed": Verdict(CredentialsError),
    # Images: texts; ImageVersionDeprecated: deprecated-images.md of azure-compute-docs; terms: azure-docs issues.
    "ImageNotFound": _NO_IMAGE,
    "PlatformImageNotFound": _NO_IMAGE,
    "ImageVersionDeprecated": Verdict(
        TerminalError, Reason.IMAGE_NOT_FOUND, advice="Choose another version in spec.azure.image, such as latest."
    ),
    "MarketplacePurchaseEligibilityFailed": _NO_TERMS,
    "ResourcePurchaseValidationFailed": _NO_TERMS,
    "SubscriptionNotAuthorizedForImage": Verdict(AdminError),
    "VMMarketplaceInvalidInput": Verdict(TerminalError, advice="Choose an image without a purchase plan."),
    # The request itself: Azure Service Operator, texts.
    "InvalidParameter": TERMINAL,
    "InvalidParameterValue": TERMINAL,
    "InvalidRequestContent": TERMINAL,
    "InvalidTemplate": TERMINAL,
    "InvalidTemplateDeployment": TERMINAL,
    "BadRequest": TERMINAL,
    "PropertyChangeNotAllowed": TERMINAL,
    "InvalidResourceLocation": TERMINAL,
    "LocationNotAvailableForResourceType": TERMINAL,
    # What a size cannot do; NotSupported: bosh-azure-cpi-release#674 and azure-cli#18943; the last: acs-engine#3600.
    "NotSupported": TERMINAL,
    "VMSizeIsNotPermittedToEnableAcceleratedNetworking": TERMINAL,
    # Spot.
    "AzureSpotIsNotSupportedForThisVMSize": TERMINAL,
    "AzureSpotVMNotSupportedInAvailabilitySet": TERMINAL,
    "EvictionPolicyCanBeSetOnlyOnAzureSpotVirtualMachines": TERMINAL,
    "MaxPriceIsSupportedOnlyForAzureSpotVirtualMachines": TERMINAL,
    "MaxPriceValueInvalid": TERMINAL,
    "VMPriorityCannotBeApplied": TERMINAL,
    "MaxPriceChangeNotAllowedForAllocatedVMs": DEALLOCATED_FIRST,
    "AzureSpotFeatureNotEnabledForSubscription": Verdict(AdminError),
    # Hibernate.
    "VMHibernateFailed": _NOT_YET_HIBERNATING,
    "VMHibernateNotSupported": _NOT_YET_HIBERNATING,
    # The guest: texts.
    "OSProvisioningClientError": Verdict(
        TerminalError,
        Reason.OPERATION_FAILED,
        advice="The image and spec.azure.admin have to suit each other and Azure's Linux agent.",
    ),
    "OSProvisioningInternalError": TRANSIENT,
    "OSProvisioningTimedOut": TRANSIENT,
    "VMStartTimedOut": TRANSIENT,
    "VMAgentStatusCommunicationError": TRANSIENT,
    # Busy: texts, Azure Service Operator; NicReservedForAnotherVm: gardenlinux#4133, which tells the 180 s.
    "OperationNotAllowed": TRANSIENT,
    "RetryableError": TRANSIENT,
    "AnotherOperationInProgress": TRANSIENT,
    "OperationPreempted": TRANSIENT,
    "Conflict": TRANSIENT,
    "ConflictingUserInput": TRANSIENT,
    "AttachDiskWhileBeingDetached": TRANSIENT,
    "DiskImageNotReady": TRANSIENT,
    "NicReservedForAnotherVm": Verdict(TransientError, retry_after=timedelta(seconds=180)),
    "NicInUse": TRANSIENT,
    "PublicIPAddressCannotBeDeleted": TRANSIENT,
    "InUseSubnetCannotBeDeleted": TRANSIENT,
    "ResourceUpdateBlockedOnPlatformUpdate": TRANSIENT,
    "InternalExecutionError": TRANSIENT,
    "InternalOperationError": TRANSIENT,
    "NetworkingInternalOperationError": TRANSIENT,
}

_BY_TEXT: Final[tuple[tuple[str, Verdict], ...]] = (
    # A resize outside the cluster: texts, service-fabric-issues#472.
    (r"unable to resize the vm\b.*not available in the (current hardware )?cluster", DEALLOCATED_FIRST),
    (r"may not be available in the existing allocation unit", DEALLOCATED_FIRST),
    # Texts; the growth of an attached disk: azure-cli#4833.
    (r"since the vm is not deallocated|retry after vm is deallocated", DEALLOCATED_FIRST),
    (r"disk resizing is allowed only when .* the vm is deallocated", DEALLOCATED_FIRST),
    (r"cannot resize disk .* while it is attached to running vm", DEALLOCATED_FIRST),
    # Sizes with and without a local disk: azure-docs#76920. The others: texts.
    (r"changing from resource disk to non-resource disk", TERMINAL),
    (r"maximum number of data disks allowed to be attached", TERMINAL),
    (r"smaller than the size .* of corresponding disk in image", TERMINAL),
    # Hibernate.
    (r"hibernation capability|hibernation can(no|')t be enabled|on a vm that is enabled for hibernation", TERMINAL),
    # Only that it is refused is documented (ephemeral-os-disks-faq.md), and not in which words.
    (r"ephemeral\b.*\bnot (allowed|supported)|not (allowed|supported)\b.*\bephemeral", TERMINAL),
    (r"^the image .* cannot be found", _NO_IMAGE),
    (r"because the guest os is currently being provisioned", TRANSIENT),
)
_AMBIGUOUS: Final = frozenset(
    {"", "badrequest", "conflict", "invalidparameter", "notfound", "operationnotallowed", "osprovisioningclienterror"}
)
_CODES: Final = {code.lower(): verdict for code, verdict in _BY_CODE.items()}
_TEXTS: Final = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), verdict) for pattern, verdict in _BY_TEXT)


def find_verdict(code: str, message: str) -> Verdict | None:
    """What a code with its message means; None when that is not known.

    Only codes with many meanings are read further: elsewhere a message quotes names that people chose, of policies
    for example.
    """
    if code.lower() in _AMBIGUOUS:
        found = next((verdict for pattern, verdict in _TEXTS if pattern.search(message)), None)
        if found is not None:
            return found
    return _CODES.get(code.lower())
