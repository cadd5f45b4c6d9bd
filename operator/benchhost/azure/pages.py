"""Lists of ARM: where they are, and the items of one from its first page to its last.

Used by the observation of a single host, by the group lists and by the orphan sweep: what a refused or an absent list
means is told here and nowhere else. It keeps nothing; what many hosts look into again and again is a ``Listing``.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from benchhost.azure.bodies import Body, each
from benchhost.azure.calls import azure_call, json_of, refusal_of
from benchhost.azure.clients import AzureClients
from benchhost.azure.errors import classify
from benchhost.cloud.errors import DeferredError, TransientError
from benchhost.cloud.machine import Part

_COMPUTE: Final = "{scope}/providers/Microsoft.Compute/{kind}?api-version={version}"
_NETWORK: Final = "{scope}/providers/Microsoft.Network/{kind}?api-version=2026-03-01"
LIST_URLS: Final[dict[Part, str]] = {
    Part.MACHINE: _COMPUTE.format(scope="{scope}", kind="virtualMachines", version="2026-04-01"),
    Part.DISK: _COMPUTE.format(scope="{scope}", kind="disks", version="2026-03-02"),
    Part.INTERFACE: _NETWORK.format(scope="{scope}", kind="networkInterfaces"),
    Part.ADDRESS: _NETWORK.format(scope="{scope}", kind="publicIPAddresses"),
    Part.NETWORK: _NETWORK.format(scope="{scope}", kind="virtualNetworks"),
}
"""Of the lists; the versions are those that the SDK's own operations ask for (compute 39, network 33)."""
_WORDS: Final[dict[Part, str]] = {
    Part.MACHINE: "virtual machines",
    Part.DISK: "disks",
    Part.INTERFACE: "network interfaces",
    Part.ADDRESS: "public IP addresses",
    Part.NETWORK: "virtual networks",
}


def subscription_url(clients: AzureClients, subscription_id: str) -> str:
    """The scope of lists that go over a whole subscription."""
    return f"{clients.settings.resource_manager_endpoint}/subscriptions/{subscription_id}"


def list_url(clients: AzureClients, part: Part, subscription_id: str, resource_group: str) -> str:
    """Where everything is listed that is of a part's type in a resource group."""
    scope = f"{subscription_url(clients, subscription_id)}/resourceGroups/{resource_group}"
    return LIST_URLS[part].format(scope=scope)


def describe_list(part: Part, resource_group: str) -> str:
    """The request for that list in words, for messages."""
    return f"list the {_WORDS[part]} in resource group {resource_group}"


async def read_items(clients: AzureClients, url: str, what: str) -> AsyncIterator[Body]:
    """All items of a list; none where the resource group does not exist.

    Raises
    ------
    CloudError
        If Azure refuses to list.
    """
    async for page in read_pages(clients, url, what):
        for item in each(page, "value"):
            yield item


async def read_pages(clients: AzureClients, url: str, what: str, *, is_patient: bool = False) -> AsyncIterator[Body]:
    """The pages of a list; where the resource group does not exist one that is empty.

    Parameters
    ----------
    clients
        Who asks.
    url
        The first page.
    what
        What it is asked for, for messages: "list disks in resource group x".
    is_patient
        Wait for the turn of each page, however long that takes.

    Raises
    ------
    CloudError
        If Azure refuses to list.
    """
    page = await _read_first(clients, url, what, is_patient=is_patient)
    yield page
    while next_page := page.get("nextLink"):
        if not clients.settings.is_at_endpoint(next_page):
            raise TransientError(f"Azure did not {what}: the list goes on at another host, {next_page}")
        response = await _get(clients, next_page, what, is_patient=is_patient)
        page = _to_page(response, what)
        yield page


async def _read_first(clients: AzureClients, url: str, what: str, *, is_patient: bool) -> Body:
    response = await _get(clients, url, what, is_patient=is_patient)
    if response.status_code >= HTTPStatus.BAD_REQUEST and refusal_of(response).is_absence:
        return {}  # only at the beginning: half a list that breaks off would make the rest look gone
    return _to_page(response, what)


async def _get(clients: AzureClients, url: str, what: str, *, is_patient: bool) -> Any:
    while True:
        try:
            async with azure_call(clients.settings, what):
                response = await clients.get(url)
                await response.read()
                return response
        except DeferredError as deferred:
            if not is_patient:
                raise
            await asyncio.sleep(deferred.retry_after.total_seconds())


def _to_page(response: Any, what: str) -> Body:
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        raise classify(refusal_of(response), what)
    body = json_of(response)
    if not isinstance(body, Mapping):
        raise TransientError(f"Azure's answer could not be read when it was to {what}.")
    return body
