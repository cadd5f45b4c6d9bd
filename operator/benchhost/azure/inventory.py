"""Look at hosts, and at their operations, with as few requests as possible: one by one, or all in one round of lists.

Called by the provider. A round of lists costs the same for one host and for two hundred, so it is used as soon as
enough hosts ask within a few seconds. What is seen is as fresh as the request wants it either way. A host for which
nothing was ever asked is not looked for where others were seen lately.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from benchhost.azure.clients import AzureClients
from benchhost.azure.group_lists import GroupLists
from benchhost.azure.lately import Lately
from benchhost.azure.listed import ReadListed
from benchhost.azure.names import HostNames
from benchhost.azure.observation import ReadAlone, observe
from benchhost.azure.polling import poll_operation
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import Observation, Part
from benchhost.cloud.provider import CROWD, HostRequest, OperationState, Step, Verb, makes_interface_with_machine

_LOOKS_BACK: Final = 5.0
"""Seconds within which hosts count as asking together: as old as a round may be that serves them."""
_REMEMBERS: Final = timedelta(minutes=10)
"""How long a change is kept in mind: longer than a round may take, and be used after its end."""
_GETS: Final = 4
"""Requests that it takes to look at one host by itself, beside its disks: machine, interface, address, network."""
_FEWEST: Final = 13
"""Hosts that are looked at together before lists are used: fewer are seen sooner by themselves, at no more than 12
requests a second, which is what the lists may take."""
_JUST_NOW: Final = timedelta(seconds=2)
"""How old a round may be that tells whether an operation still runs."""
_ATTACHED: Final = (Part.INTERFACE, Part.ADDRESS)
_MOST_KNOWN: Final = 4096
"""Hosts whose interface and address are known by id; who is forgotten is searched for by name once more."""
_SEEN_FOR: Final = timedelta(minutes=10)
"""How long it is taken for granted that a group lets us look into it: of a host that is made where it does not, nothing
may be on record, so that its deletion needs nobody's leave."""
_UNFINISHED: Final = frozenset({"creating", "updating", "deleting", "migrating"})


@dataclass(slots=True)
class _Askers:
    """Hosts that asked lately, each once."""

    _asked: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def count_with(self, uid: str) -> int:
        """How many, with this one, which asks now."""
        now = monotonic()
        self._asked.pop(uid, None)
        self._asked[uid] = now
        while next(iter(self._asked.values())) < now - _LOOKS_BACK:
            self._asked.popitem(last=False)
        return len(self._asked)


@dataclass(slots=True)
class _Group:
    lists: GroupLists
    observers: _Askers = field(default_factory=_Askers)
    pollers: _Askers = field(default_factory=_Askers)
    seen: datetime | None = None
    """When the group was last looked into, and let us."""


def _has_nothing(request: HostRequest) -> bool:
    """Whether nothing can be there that belongs to a host, or has the name of a part of it."""
    azure = request.spec.azure
    network = azure.network.virtual_network
    is_shared = network is not None and network.create
    is_asked_for = request.not_before is not None or request.max_age is not None
    return request.is_new and makes_interface_with_machine(azure) and not is_shared and not is_asked_for


class Inventory:
    """Everything that is looked at with one set of credentials."""

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients
        self._groups: dict[tuple[str, str, str], _Group] = {}
        self._changed = Lately(_REMEMBERS)
        self._known: OrderedDict[str, dict[Part, str]] = OrderedDict()
        """Uid -> ids of interface and address that its machine referred to, to be read together next time."""

    async def observe(self, request: HostRequest) -> Observation:
        """Look at everything that belongs to a host."""
        group = self._group(request)
        if _has_nothing(request) and group.seen is not None and group.seen > datetime.now(UTC) - _SEEN_FOR:
            return Observation({}, as_of=group.seen)
        seen = await self._look(group, request)
        group.seen = datetime.now(UTC)
        return seen

    async def _look(self, group: _Group, request: HostRequest) -> Observation:
        together = group.observers.count_with(request.owner.uid)
        alone = _GETS + group.lists.of(Part.DISK).pages
        if together < _FEWEST or together * alone < group.lists.cost:
            return await self._observe_alone(request)
        group.lists.wake()
        reader = ReadListed(group.lists, request, self._not_before(request))
        return replace(await observe(reader, request), as_of=reader.as_of)

    async def _observe_alone(self, request: HostRequest) -> Observation:
        uid = request.owner.uid
        seen = await observe(ReadAlone(self._clients, HostNames.of(request), self._known.get(uid, {})), request)
        self._known.pop(uid, None)
        attached = {part: seen.parts[part].resource_id for part in _ATTACHED if part in seen.parts}
        if seen.machine is not None and attached:
            self._known[uid] = attached
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return seen

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        """Look once at an operation; what the list of machines shows to be unfinished is not asked for by itself.

        How an operation has ended, and when, only its own URL tells.
        """
        group = self._group(request)
        together = group.pollers.count_with(request.owner.uid)
        are_many = together > max(CROWD, 2 * group.lists.of(Part.MACHINE).pages)
        if are_many and await self._is_unfinished(group, request):
            return OperationState(finished=False)
        state = await poll_operation(self._clients, request, poll_url)
        if state is None or state.finished:
            self._changed.note(request.owner.uid)
        return state

    def note_step(self, request: HostRequest, step: Step) -> None:
        """A step was sent: what was seen before shows the host no more."""
        self._changed.note(request.owner.uid)
        if step.verb is Verb.ENSURE:
            self._group(request).lists.expect(request, step.part)

    async def close(self) -> None:
        """End whatever is under way."""
        for group in self._groups.values():
            await group.lists.close()

    async def _is_unfinished(self, group: _Group, request: HostRequest) -> bool:
        try:
            snapshot = await group.lists.of(Part.MACHINE).recent(_JUST_NOW, self._not_before(request))
        except CloudError:
            return False  # the operation itself may still be told
        item = snapshot.items.get(HostNames.of(request).id_of(Part.MACHINE).lower()) or {}
        return str((item.get("properties") or {}).get("provisioningState")).lower() in _UNFINISHED

    def _not_before(self, request: HostRequest) -> datetime | None:
        """As of when a host has to be seen."""
        moments = (request.not_before, self._changed.get(request.owner.uid))
        return max((moment for moment in moments if moment is not None), default=None)

    def _group(self, request: HostRequest) -> _Group:
        azure = request.spec.azure
        key = (azure.subscription_id.lower(), azure.resource_group.lower(), azure.location)
        if key not in self._groups:
            lists = GroupLists(self._clients, azure.subscription_id, azure.resource_group, azure.location)
            self._groups[key] = _Group(lists)
        return self._groups[key]
