"""What to do next and what to say about it: pure functions over the API's and the cloud's values.

Called by the controller. No clock, no randomness, no I/O: ``now`` is an argument everywhere.
"""

from benchhost.lifecycle.actions import Action, Do, Hold, Release, Settled, Wait
from benchhost.lifecycle.decide import choose_size, decide, required_parts
from benchhost.lifecycle.deletion import never_reached_cloud
from benchhost.lifecycle.report import report
from benchhost.lifecycle.result import Finished, Pass

__all__ = [
    "Action",
    "Do",
    "Finished",
    "Hold",
    "Pass",
    "Release",
    "Settled",
    "Wait",
    "choose_size",
    "decide",
    "never_reached_cloud",
    "report",
    "required_parts",
]
