"""The lists of one resource group: which there are, what a round of them costs, and what of them was refused.

Made by the inventory, read by ``listed``. It knows no host.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from benchhost.azure.clients import AzureClients
from benchhost.azure.listing import Listing
from benchhost.azure.names import HostNames
from benchhost.azure.pages import LIST_URLS, describe_list, list_url, subscription_url
from benchhost.cloud.machine import Part
from benchhost.cloud.provider import HostRequest

_REFUSED_FOR: Final = timedelta(minutes=10)
"""How long a list that we have no right to see is not asked for again."""


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

    def of(self, part: Part) -> Listing:
        """The list of all parts of this kind; that of the virtual machines does not tell their power states."""
        return self._lists[part]

    @property
    def statuses(self) -> Listing | None:
        """The machines' states; None without the right to see them, which a role in the group does not give."""
        is_refused = self._statuses_refused_until is not None and datetime.now(UTC) < self._statuses_refused_until
        return None if is_refused else self._statuses

    def note_refusal_of_statuses(self) -> None:
        """Do not ask for the machines' states for a while."""
        self._statuses_refused_until = datetime.now(UTC) + _REFUSED_FOR

    @property
    def cost(self) -> int:
        """Requests that a round of all lists takes."""
        return self._statuses.pages + sum(listing.pages for listing in self._lists.values())

    def wake(self) -> None:
        """Begin to read what nobody has read lately; whatever of it is refused, whoever needs it is told."""
        for listing in (self._statuses, *self._lists.values()):
            listing.wake()

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

    def _listing(self, url: str, what: str) -> Listing:
        return Listing(self.clients, url, what, self.location)
