"""Which hosts a service has asked for, by name. Plain data, pickled with the service.

Used by ``provisioner``.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from benchhost.mlos.calls import Awaited, HostCall, HostOperation


@dataclass(slots=True)
class HostRecords:
    """The memory of one service."""

    made: dict[str, HostCall] = field(default_factory=dict)
    """Name -> the last provision_host call; a host leaves it when it is gone."""
    kept: set[str] = field(default_factory=set)
    """Names of hosts that did not come up and are to stay for somebody to look at, until a later trial uses them."""
    last: dict[Awaited, HostCall] = field(default_factory=dict)
    """The last call of each kind."""
    placed: dict[str, set[str | None]] = field(default_factory=dict)
    """Name -> the trials that share the host's hardware since this service last asked for other hardware."""

    doubted: set[str] = field(default_factory=set)
    """Names of hosts that were not what their status said: a command on them was cut off."""

    def is_full(self, call: HostCall, limit: int) -> bool:
        """Whether this trial is one more than may share the host's hardware; a host of unknown past is full."""
        trials = self.placed.get(call.name)
        return trials is None or ((call.trial is None or call.trial not in trials) and len(trials) >= limit)

    def place(self, call: HostCall) -> None:
        """The trial has the host's hardware, which is other hardware where the call asked for that."""
        if call.reallocate_at is not None or call.name not in self.placed:
            self.placed[call.name] = set()
        self.placed[call.name].add(call.trial)

    def forget(self, call: HostCall) -> None:
        """The host is gone; one that was made since under its name stays."""
        made = self.made.get(call.name)
        if made is not None and made.uid in {call.uid, None}:
            self.made.pop(call.name)
            self.placed.pop(call.name, None)

    def get_stale(self, call: HostCall) -> list[HostCall]:
        """Calls to delete hosts of other trials. Those of the same trial may still be used by other environments."""
        trial = call.trial
        others = [made for made in self.made.values() if made.name != call.name and made.name not in self.kept]
        stale = [made for made in others if trial is not None and made.trial not in {None, trial}]
        return [replace(made, operation=HostOperation.DEPROVISION, started=datetime.now(UTC)) for made in stale]

    def recall(self, name: str, operation: HostOperation, namespace: str) -> HostCall:
        """A new call on a host, with the uid it had when the service asked for it."""
        made = self.made.get(name)
        return HostCall(
            operation=operation,
            namespace=namespace,
            name=name,
            uid=made.uid if made else None,
            started=datetime.now(UTC),
            trial=made.trial if made else None,
        )
