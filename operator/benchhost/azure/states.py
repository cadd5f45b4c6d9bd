"""ARM's provisioningState in the port's words. Pure; read by everything here that looks at a resource."""

from typing import Any, Final

from benchhost.cloud.machine import PartState

_STATES: Final[dict[str, PartState]] = {
    "succeeded": PartState.READY,
    "failed": PartState.FAILED,
    "canceled": PartState.FAILED,
    "deleting": PartState.DELETING,
}
"""Everything else (Creating, Updating, Migrating) is work under way."""


def state_of(model: Any) -> PartState:
    """The state of a resource that the SDK shows."""
    state = model.properties.provisioning_state if model.properties is not None else None
    return to_state(getattr(state, "value", state))


def to_state(provisioning_state: Any) -> PartState:
    """The state that a word of ARM means."""
    return _STATES.get(str(provisioning_state or "").lower(), PartState.PENDING)
