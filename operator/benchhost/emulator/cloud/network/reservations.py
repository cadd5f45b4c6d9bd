"""Interfaces that Azure keeps for a machine whose creation failed.

Recorded (gardenlinux#4133, and deletions of interfaces after a refused create): for 180 seconds nobody but the
machine of that name may use the interface, and it cannot be deleted either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.identifiers import resource_key

if TYPE_CHECKING:
    from collections.abc import Iterable

RESERVATION_SECONDS = 180.0
"""How long an interface is kept; the number stands in the error's message."""


@dataclass(frozen=True, slots=True)
class InterfaceReservation:
    """One interface that is kept.

    Parameters
    ----------
    machine
        Id of the machine that it is kept for.
    until
        Seconds since 1970.
    """

    machine: str
    until: float


class InterfaceReservations:
    """The interfaces that are kept.

    Parameters
    ----------
    scale
        What recorded durations are multiplied by.
    """

    unsaved = ("_scale",)
    """A setting of each run (state.cells)."""

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self.kept: dict[str, InterfaceReservation] = {}

    def keep(self, interfaces: Iterable[str], machine: str, now: float) -> None:
        """Keep interfaces for a machine whose creation has failed."""
        until = now + RESERVATION_SECONDS * self._scale
        for text in interfaces:
            self.kept[resource_key(text)] = InterfaceReservation(machine, until)

    def expire(self, now: float) -> None:
        """Let go of what has been kept long enough."""
        self.kept = {key: reservation for key, reservation in self.kept.items() if reservation.until > now}

    def check(self, interface: str, machine: str | None) -> None:
        """Refuse an interface that is kept for another machine; None asks for nobody, as a deletion does.

        Raises
        ------
        ArmError
            ``NicReservedForAnotherVm``.
        """
        found = self.kept.get(resource_key(interface))
        if found is None or (machine is not None and resource_key(found.machine) == resource_key(machine)):
            return
        raise errors.network_error(
            "NicReservedForAnotherVm",
            "Nic(s) in request is reserved for another Virtual Machine for 180 seconds. Please provide another "
            f"nic(s) or retry after 180 seconds. Reserved VM: {found.machine}",
        )
