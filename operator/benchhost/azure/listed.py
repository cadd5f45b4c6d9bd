"""What one host needs out of the lists of its resource group.

Made by the inventory for each look. A part that a list cannot vouch for is read by itself: one between two states, one
whose power state the list left out (which is documented to happen), one that may be too new to be listed.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from benchhost.azure.bodies import Body, each, inside, text
from benchhost.azure.group_lists import GroupLists
from benchhost.azure.listing import Listing, Snapshot
from benchhost.azure.names import HostNames
from benchhost.azure.observation import Likely
from benchhost.azure.resources import resource
from benchhost.cloud.errors import AdminError
from benchhost.cloud.machine import ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest

_KNOWN: Final = timedelta(seconds=90)
"""How old a round may be for a host of which nothing is known to have changed since. Whoever comes back for a turn to
write, or is the first of a crowd, finds one and does not miss the turn. What has changed behind our back meanwhile
Azure refuses by the etag, or does again to no effect; whoever does nothing looks again (``Observation.as_of``). Its own
changes the inventory remembers for longer."""

_LUNS: Final = 64
"""Logical unit numbers of the largest machines (sizes overview, "max data disks")."""


@dataclass(slots=True)
class ReadListed:
    """Reads one host out of the lists, as it was lately, and at ``not_before`` or later."""

    lists: GroupLists
    request: HostRequest
    not_before: datetime | None
    as_of: datetime | None = None
    """When the oldest round had ended that was looked into."""
    _names: HostNames = field(init=False)

    def __post_init__(self) -> None:
        self._names = HostNames.of(self.request)

    async def likely(self, _request: HostRequest) -> Likely:
        """Nothing: the lists are here already."""
        return Likely()

    async def part(self, part: Part, at: str | None = None) -> Body | None:
        """A part, as listed; None if it is absent.

        It is looked for by its name, or where ``at``, its ARM id, says. Something refers to it then, so a list that
        does not show it says nothing, unless it has shown it before.
        """
        if part is Part.MACHINE:
            return await self._machine()
        names, listing = self._names, self.lists.of(part)
        key = (at or names.id_of(part)).lower()
        item = (await self._round(listing)).items.get(key)
        if item is not None:
            return item
        if listing.has_shown(key) if at is not None else self._is_gone(listing, key):
            return None
        seen = ObservedPart(at, PartState.PENDING) if at is not None else None
        return await resource(self.lists.clients, names, part, seen).get()

    async def named(self, part: Part) -> Body | None:
        """A part that is called as this host's, as listed, whatever suffix its name has.

        What is too new to be listed is missed: the orphan sweep finds it by its tags.
        """
        snapshot = await self._round(self.lists.of(part))
        key = min(snapshot.without_suffix(self._names.id_of(part).lower()), default=None)
        return snapshot.items[key] if key is not None else None

    async def disks(self) -> list[Body]:
        """The disks that are called as this host's are, as of the same moment."""
        names, listing = self._names, self.lists.of(Part.DISK)
        items = (await self._round(listing)).items
        boot = names.id_of(Part.DISK).lower()
        group = boot.rpartition("/")[0]
        # Looked up and not looked for: a group may have thousands of disks, and each of its hosts asks.
        data = (f"{group}/{names.get(Part.DATA_DISK, lun)}".lower() for lun in range(_LUNS))
        found = [items[key] for key in (boot, *data) if key in items]
        if boot in items or self._is_gone(listing, boot):
            return found
        alone = await resource(self.lists.clients, names, Part.DISK).get()
        return found if alone is None else [*found, alone]

    async def _machine(self) -> Body | None:
        machines = self.lists.of(Part.MACHINE)
        key, single = self._names.id_of(Part.MACHINE).lower(), resource(self.lists.clients, self._names, Part.MACHINE)
        listed, stated = await asyncio.gather(self._round(machines), self._statuses())
        if stated is None:
            return await single.get(expand="instanceView")
        item, status = listed.items.get(key), stated.items.get(key)
        if item is None and status is None and self._is_gone(machines, key):
            return None
        whole = merge_status(item, status) if item is not None and status is not None else None
        if whole is None:
            return await single.get(expand="instanceView")
        return whole

    async def _statuses(self) -> Snapshot | None:
        statuses = self.lists.statuses
        if statuses is None:
            return None
        try:
            return await self._round(statuses)
        except AdminError:
            self.lists.note_refusal_of_statuses()
            return None

    async def _round(self, listing: Listing) -> Snapshot:
        snapshot = await listing.recent(self.request.max_age or _KNOWN, self.not_before)
        self.as_of = min(self.as_of or snapshot.ended, snapshot.ended)
        return snapshot

    def _is_gone(self, listing: Listing, key: str) -> bool:
        """Whether a list that does not show something says that it does not exist.

        If nothing is said of a change, what depends on the answer is a creation, which Azure refuses if it is wrong.
        """
        return not listing.is_expected(key) and (self.request.not_before is None or listing.has_shown(key))


def merge_status(item: Body, status: Body) -> Body | None:
    """A machine with its instance view, from the two lists; None when they do not tell of the same moment."""
    properties, view = inside(item, "properties"), inside(status, "properties", "instanceView")
    codes = [text(entry.get("code")).lower().split("/") for entry in each(view, "statuses")]
    states = {code[1] for code in codes if code[0] == "provisioningstate" and len(code) > 1}
    state = text(properties.get("provisioningState")).lower()
    has_power = any(code[0] == "powerstate" for code in codes)
    if state not in states or not (has_power or state == "creating"):
        return None
    return {**item, "properties": {**properties, "instanceView": view}}
