"""ARM's provisioningState in the port's words. Pure; read by everything here that looks at a resource."""

from typing import Any, Final

from benchhost.azure.bodies import Body, inside, text
from benchhost.cloud.machine import PartState

_STATES: Final[dict[str, PartState]] = {
    "succeeded": PartState.READY,
    "failed": PartState.FAILED,
    "canceled": PartState.FAILED,
    "deleting": PartState.DELETING,
}
"""Everything else (Creating, Updating, Migrating) is work under way."""


def state_of(body: Body) -> PartState:
    """The state of a resource."""
    return to_state(inside(body, "properties").get("provisioningState"))


def to_state(provisioning_state: Any) -> PartState:
    """The state that a word of ARM means."""
    return _STATES.get(text(provisioning_state).lower(), PartState.PENDING)
