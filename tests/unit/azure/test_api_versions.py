"""The lists that are asked for by URL speak the same version of ARM as the SDK's own operations."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from benchhost.azure.pages import LIST_URLS
from benchhost.cloud import Part


class Unplugged(HttpTransport[Any, Any]):
    """A transport that keeps what it was to send, and sends nothing."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def send(self, request: Any, **_: Any) -> Any:
        self.urls.append(request.url)
        raise ServiceRequestError("unplugged")


OPERATIONS = {
    Part.MACHINE: (ComputeManagementClient, "virtual_machines"),
    Part.DISK: (ComputeManagementClient, "disks"),
    Part.INTERFACE: (NetworkManagementClient, "network_interfaces"),
    Part.ADDRESS: (NetworkManagementClient, "public_ip_addresses"),
    Part.NETWORK: (NetworkManagementClient, "virtual_networks"),
}


@pytest.mark.parametrize("part", list(LIST_URLS))
def test_a_list_is_the_one_that_the_sdk_would_ask_for(part: Part) -> None:
    kind, group = OPERATIONS[part]
    transport = Unplugged()
    sdk: Any = kind(Any, "s", transport=transport, policies=[], base_url="https://arm.invalid")
    operations = getattr(sdk, group)
    list_group = operations.list_by_resource_group if part is Part.DISK else operations.list
    with pytest.raises(ServiceRequestError):
        next(iter(list_group("rg")))
    asked, ours = (
        urlsplit(transport.urls[0]),
        urlsplit(LIST_URLS[part].format(scope="/subscriptions/s/resourceGroups/rg")),
    )
    assert (asked.path, parse_qs(asked.query)) == (ours.path, parse_qs(ours.query))
