"""The port to a cloud: what a host is made of there, what can be asked, and how it can refuse.

Adapters implement it, ``lifecycle`` reads its values, the controller calls it.
"""

from benchhost.cloud.errors import (
    AdminError,
    CapacityError,
    CloudError,
    CredentialsError,
    DeferredError,
    TerminalError,
    ThrottledError,
    TransientError,
)
from benchhost.cloud.machine import (
    AttachedDisk,
    Machine,
    MachinePower,
    Observation,
    ObservedPart,
    Owner,
    Part,
    PartState,
)
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.cloud.provider import (
    CloudProvider,
    GuestSecrets,
    HostRequest,
    OperationState,
    Started,
    Step,
    Verb,
    makes_interface_with_machine,
)

__all__ = [
    "AdminError",
    "AttachedDisk",
    "CapacityError",
    "CloudError",
    "CloudProvider",
    "CredentialsError",
    "DeferredError",
    "GuestSecrets",
    "HostRequest",
    "Machine",
    "MachinePower",
    "Observation",
    "ObservedPart",
    "OperationState",
    "OwnedResource",
    "Owner",
    "Part",
    "PartState",
    "Scope",
    "Started",
    "Step",
    "TerminalError",
    "ThrottledError",
    "TransientError",
    "Verb",
    "makes_interface_with_machine",
]
