"""The lists of one resource group, and what each of its hosts needs out of them.

Used by the inventory. A part that a list cannot vouch for is read by itself: one between two states, one whose power
state the list left out (which is documented to happen), one that may be too new to be listed.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from benchhost.azure.bodies import Body, each, inside, text
from benchhost.azure.clients import AzureClients
from benchhost.azure.listing import Listing, Snapshot
from benchhost.azure.names import HostNames
from benchhost.azure.pages import LIST_URLS, describe_list, list_url, subscription_url
from benchhost.azure.resources import resource
from benchhost.cloud.errors import AdminError
from benchhost.cloud.machine import ObservedPart, Part, PartState
from benchhost.cloud.provider import HostRequest

_RECENT: Final = timedelta(seconds=15)
"""How old a round may be for a host of which nothing is known to have changed. Whoever comes back for a turn to write
finds one, and does not miss the turn; what has changed behind our back meanwhile, Azure refuses by the etag."""
_REFUSED_FOR: Final = timedelta(minutes=10)
"""How long a list that we have no right to see is not asked for again."""

_LUNS: Final = 64
"""Logical unit numbers of the largest machines (sizes overview, "max data disks")."""


@dataclass(slots=True)
class GroupLists:
    """Every list that is needed for hosts of one resource group in one region."""

    clients: AzureClients
    subscription_id: str
    resource_group: str
    location: str
    _lists: dict[Part, Listing] = field(init=False)
    _statuses: Listing = field(init=False)
    _statuses_refused_until: datetime | None = None

    def __post_init__(self) -> None:
        subscription_id, group = self.subscription_id, self.resource_group
        self._lists = {
            part: self._listing(list_url(self.clients, part, subscription_id, group), describe_list(part, group))
            for part in LIST_URLS
        }
        # Power states come with the list of a whole subscription only, whose entries may hold nothing else.
        self._statuses = self._listing(
            LIST_URLS[Part.MACHINE].format(scope=subscription_url(self.clients, subscription_id)) + "&statusOnly=true",
            f"list the states of the virtual machines in subscription {subscription_id}",
        )

    @property
    def machines(self) -> Listing:
        """The virtual machines, without their power states."""
        return self._lists[Part.MACHINE]

    @property
    def disks(self) -> Listing:
        """The disks, which everybody looks for in their list."""
        return self._lists[Part.DISK]

    @property
    def cost(self) -> int:
        """Requests that a round of all lists takes."""
        return self._statuses.pages + sum(listing.pages for listing in self._lists.values())

    def wake(self) -> None:
        """Begin to read what nobody has read lately; whatever of it is refused, whoever needs it is told."""
        for listing in (self._statuses, *self._lists.values()):
            listing.wake()

    async def read(
        self, request: HostRequest, not_before: datetime | None, part: Part, *, at: str | None = None
    ) -> Body | None:
        """A part as it was lately, and at ``not_before`` or later; None if it is absent.

        The part is looked for by its name, or where ``at``, its ARM id, says. Something refers to it then, so a list
        that does not show it says nothing, unless it has shown it before.
        """
        if part is Part.MACHINE:
            return await self._read_machine(request, not_before)
        names, listing = HostNames.of(request), self._lists[part]
        key = (at or names.id_of(part)).lower()
        item = (await listing.recent(_RECENT, not_before)).items.get(key)
        if item is not None:
            return item
        if listing.has_shown(key) if at is not None else _is_gone(listing, key, request):
            return None
        seen = ObservedPart(at, PartState.PENDING) if at is not None else None
        return await resource(self.clients, names, part, seen).get()

    async def find(self, request: HostRequest, not_before: datetime | None, part: Part) -> Body | None:
        """A part that is called as this host's, whatever suffix its name has.

        What is too new to be listed is missed: the orphan sweep finds it by its tags.
        """
        listing = self._lists[part]
        snapshot = await listing.recent(_RECENT, not_before)
        key = min(snapshot.without_suffix(HostNames.of(request).id_of(part).lower()), default=None)
        return snapshot.items[key] if key is not None else None

    async def read_disks(self, request: HostRequest, not_before: datetime | None) -> list[Body]:
        """The disks that are called as this host's are, as of the same moment."""
        names, listing = HostNames.of(request), self.disks
        items = (await listing.recent(_RECENT, not_before)).items
        boot = names.id_of(Part.DISK).lower()
        group = boot.rpartition("/")[0]
        # Looked up and not looked for: a group may have thousands of disks, and each of its hosts asks.
        data = (f"{group}/{names.get(Part.DATA_DISK, lun)}".lower() for lun in range(_LUNS))
        found = [items[key] for key in (boot, *data) if key in items]
        if boot in items or _is_gone(listing, boot, request):
            return found
        alone = await resource(self.clients, names, Part.DISK).get()
        return found if alone is None else [*found, alone]

    def expect(self, request: HostRequest, part: Part) -> None:
        """A part is made: until it has been listed, no list can say that it is absent."""
        if part is Part.DATA_DISK:
            return  # a step makes it larger and not anew
        names = HostNames.of(request)
        for made in (part, Part.DISK) if part is Part.MACHINE else (part,):
            self._lists[made].expect(names.id_of(made).lower())

    async def close(self) -> None:
        """End every round under way."""
        for listing in (self._statuses, *self._lists.values()):
            await listing.close()

    async def _read_machine(self, request: HostRequest, not_before: datetime | None) -> Body | None:
        names = HostNames.of(request)
        key, single = names.id_of(Part.MACHINE).lower(), resource(self.clients, names, Part.MACHINE)
        listed, stated = await asyncio.gather(
            self.machines.recent(_RECENT, not_before), self._recent_statuses(not_before)
        )
        if stated is None:
            return await single.get(expand="instanceView")
        item, status = listed.items.get(key), stated.items.get(key)
        if item is None and status is None and _is_gone(self.machines, key, request):
            return None
        whole = merge_status(item, status) if item is not None and status is not None else None
        if whole is None:
            return await single.get(expand="instanceView")
        return whole

    async def _recent_statuses(self, not_before: datetime | None) -> Snapshot | None:
        """The power states; None without the right to see them, which a role in the resource group does not give."""
        if self._statuses_refused_until is not None and datetime.now(UTC) < self._statuses_refused_until:
            return None
        try:
            return await self._statuses.recent(_RECENT, not_before)
        except AdminError:
            self._statuses_refused_until = datetime.now(UTC) + _REFUSED_FOR
            return None

    def _listing(self, url: str, what: str) -> Listing:
        return Listing(self.clients, url, what, self.location)


@dataclass(frozen=True, slots=True)
class ReadListed:
    """Reads one host out of the lists, as it was lately, and at ``not_before`` or later."""

    lists: GroupLists
    request: HostRequest
    not_before: datetime | None

    async def part(self, part: Part, at: str | None = None) -> Body | None:
        """A part, as listed."""
        return await self.lists.read(self.request, self.not_before, part, at=at)

    async def named(self, part: Part) -> Body | None:
        """A part that is called as this host's, as listed."""
        return await self.lists.find(self.request, self.not_before, part)

    async def disks(self) -> list[Body]:
        """The host's disks, as listed."""
        return await self.lists.read_disks(self.request, self.not_before)


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


def _is_gone(listing: Listing, key: str, request: HostRequest) -> bool:
    """Whether a list that does not show something says that it does not exist.

    If nothing is said of a change, what depends on the answer is a creation, which Azure refuses if it is wrong.
    """
    return not listing.is_expected(key) and (request.not_before is None or listing.has_shown(key))
