"""The SDK's operation groups as one shape: read, put, delete and tag a part by its name.

Used by observation and by the steps. It knows where a part's operations are, and nothing of hosts.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, assert_never

from azure.core.exceptions import HttpResponseError
from benchhost.azure.calls import azure_call, refusal_of
from benchhost.azure.clients import AzureClients
from benchhost.azure.machine_body import Payload
from benchhost.azure.names import HostNames
from benchhost.cloud.machine import ObservedPart, Part


@dataclass(frozen=True, slots=True)
class Resource:
    """One part of one host, wherever it may be."""

    clients: AzureClients
    names: HostNames
    part: Part
    operations: Any
    """The SDK's operation group: all have get, begin_create_or_update and begin_delete, and no type in common."""
    set_tags: Callable[..., Awaitable[Any]]
    seen: ObservedPart | None = None
    """As it was observed: its id says where it is, whatever name a new one would get."""
    lun: int | None = None

    @property
    def at(self) -> tuple[str, str]:
        """Resource group and name, as every operation takes them."""
        return self.names.at(self.part, self.seen, self.lun)

    @property
    def id(self) -> str:
        """Its ARM id: a path."""
        return self.seen.resource_id if self.seen is not None else self.names.id_of(self.part, self.lun)

    @property
    def words(self) -> str:
        """It in words, for messages."""
        return self.names.describe(self.part, self.lun, seen=self.seen)

    async def get(self, **arguments: Any) -> Any | None:
        """The SDK's model of it, or None when it does not exist.

        Raises
        ------
        CloudError
            If Azure refuses to tell.
        """
        async with azure_call(self.clients.settings, f"read {self.words}"):
            return await _unless_absent(self.operations.get(*self.at, **arguments))

    async def put(self, body: Payload, **arguments: Any) -> Any:
        """Create or update it."""
        return await self.operations.begin_create_or_update(*self.at, body, **arguments)

    async def delete(self, **arguments: Any) -> Any:
        """Delete it."""
        return await self.operations.begin_delete(*self.at, **arguments)

    async def tag(self, tags: dict[str, str], **arguments: Any) -> Any:
        """Replace its tags."""
        return await self.set_tags(*self.at, {"tags": tags}, **arguments)


def resource(
    clients: AzureClients,
    names: HostNames,
    part: Part,
    seen: ObservedPart | None = None,
    *,
    lun: int | None = None,
) -> Resource:
    """The part with the operations that belong to its type."""
    compute = clients.compute(names.azure.subscription_id)
    network = clients.network(names.azure.subscription_id)
    match part:
        case Part.MACHINE:
            operations: Any = compute.virtual_machines
        case Part.DISK | Part.DATA_DISK:
            operations = compute.disks
        case Part.INTERFACE:
            operations = network.network_interfaces
        case Part.ADDRESS:
            operations = network.public_ip_addresses
        case Part.NETWORK:
            operations = network.virtual_networks
        case _:
            assert_never(part)
    is_compute = part in (Part.MACHINE, Part.DISK, Part.DATA_DISK)
    set_tags = operations.begin_update if is_compute else operations.update_tags
    return Resource(clients, names, part, operations, set_tags, seen, lun)


async def _unless_absent(reading: Awaitable[Any]) -> Any | None:
    try:
        return await reading
    except HttpResponseError as error:
        if error.response is not None and refusal_of(error.response).is_absence:
            return None
        raise
