"""What to do next and what to say about it: pure functions over the API's and the cloud's values.

Called by the controller. No clock, no randomness, no I/O: ``now`` is an argument everywhere.
"""

from benchhost.lifecycle.actions import Action, Do, Hold, Release, Remove, Settled, Wait
from benchhost.lifecycle.build import required_parts
from benchhost.lifecycle.capacity import Candidate, candidates, choose
from benchhost.lifecycle.circumstances import Circumstances, HolderState
from benchhost.lifecycle.decide import decide
from benchhost.lifecycle.deletion import never_reached_cloud
from benchhost.lifecycle.desired import desired, next_end
from benchhost.lifecycle.host_keys import are_keys_awaited, wait_of
from benchhost.lifecycle.readiness import boot_of, is_awaited, overdue_at, port_of
from benchhost.lifecycle.report import report
from benchhost.lifecycle.result import Finished, Pass

__all__ = [
    "Action",
    "Candidate",
    "Circumstances",
    "Do",
    "Finished",
    "Hold",
    "HolderState",
    "Pass",
    "Release",
    "Remove",
    "Settled",
    "Wait",
    "are_keys_awaited",
    "boot_of",
    "candidates",
    "choose",
    "decide",
    "desired",
    "is_awaited",
    "never_reached_cloud",
    "next_end",
    "overdue_at",
    "port_of",
    "report",
    "required_parts",
    "wait_of",
]
