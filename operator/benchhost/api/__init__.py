"""The BenchHost resource as data (``benchhost.dev/v1alpha1``); the CRD is generated from these models.

Imported by everything else. It imports no clock, no network and no operating system.
"""

from benchhost.api.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    Reason,
    get_condition,
    is_true,
    to_condition,
)
from benchhost.api.host import BenchHost, InvalidBenchHostError, ObjectMeta
from benchhost.api.spec import BenchHostSpec, DeletionPolicy, PowerState
from benchhost.api.status import (
    Address,
    AddressType,
    BenchHostStatus,
    Failure,
    FailureClass,
    HistoryEntry,
    Operation,
    OperationResult,
    OperationType,
    Phase,
    Placement,
    PlacementReason,
    SshEndpoint,
    SshHostKeys,
)

__all__ = [
    "Address",
    "AddressType",
    "BenchHost",
    "BenchHostSpec",
    "BenchHostStatus",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "DeletionPolicy",
    "Failure",
    "FailureClass",
    "HistoryEntry",
    "InvalidBenchHostError",
    "ObjectMeta",
    "Operation",
    "OperationResult",
    "OperationType",
    "Phase",
    "Placement",
    "PlacementReason",
    "PowerState",
    "Reason",
    "SshEndpoint",
    "SshHostKeys",
    "get_condition",
    "is_true",
    "to_condition",
]
