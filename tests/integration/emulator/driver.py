"""What the emulator's integration tests share: SDK clients, bodies, a clock that is moved by hand."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.network.aio import NetworkManagementClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchhost.emulator import EmulatorConnection

GROUP = "rg"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBenchHostIntegrationTestKey tester"
COMPUTE_VERSION, NETWORK_VERSION, GROUP_VERSION = "2026-04-01", "2026-03-01", "2024-11-01"


class ManualClock:
    """Time that moves only when a test says so."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


@dataclass(frozen=True)
class Sdk:
    """The real SDK's asynchronous clients."""

    compute: ComputeManagementClient
    network: NetworkManagementClient

    async def interface(self, name: str = "nic", *, with_address: bool = True) -> str:
        """Create a network, a public address and an interface; return the interface's id."""
        poller = await self.network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
        network = await poller.result()
        address = None
        if with_address:
            created = await self.network.public_ip_addresses.begin_create_or_update(GROUP, f"{name}-ip", address_body())
            address = (await created.result()).id
        body = interface_body(network.subnets[0].id, address)
        interface = await (await self.network.network_interfaces.begin_create_or_update(GROUP, name, body)).result()
        return str(interface.id)


def credential_of(connection: EmulatorConnection, *, secret: str | None = None) -> ClientSecretCredential:
    return ClientSecretCredential(
        connection.tenant_id,
        connection.client_id,
        secret or connection.client_secret,
        authority=connection.authority,
        disable_instance_discovery=True,
        connection_verify=str(connection.ca_bundle),
        use_env_settings=False,
    )


def client_settings(connection: EmulatorConnection) -> dict[str, Any]:
    return {
        "base_url": connection.endpoint,
        "credential_scopes": [f"{connection.audience}/.default"],
        "connection_verify": str(connection.ca_bundle),
        "use_env_settings": False,
    }


@contextlib.asynccontextmanager
async def sdk_of(connection: EmulatorConnection, *, secret: str | None = None) -> AsyncIterator[Sdk]:
    settings = client_settings(connection)
    async with (
        credential_of(connection, secret=secret) as credential,
        ComputeManagementClient(credential, connection.subscription_id, **settings) as compute,
        NetworkManagementClient(credential, connection.subscription_id, **settings) as network,
    ):
        yield Sdk(compute, network)


class Raw:
    """HTTP without an SDK, to see what is really on the wire."""

    def __init__(self, session: aiohttp.ClientSession, connection: EmulatorConnection) -> None:
        self._session = session
        self._connection = connection
        self.headers: dict[str, str] = {}

    @property
    def group(self) -> str:
        return f"/subscriptions/{self._connection.subscription_id}/resourceGroups/{GROUP}"

    async def token(self, **changes: str | None) -> tuple[int, dict[str, Any]]:
        """Ask for a token; None leaves a field out."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._connection.client_id,
            "client_secret": self._connection.client_secret,
            "scope": f"{self._connection.audience}/.default",
            **changes,
        }
        url = f"{self._connection.authority}/{self._connection.tenant_id}/oauth2/v2.0/token"
        given = {name: value for name, value in form.items() if value is not None}
        async with self._session.post(url, data=given) as answer:
            return answer.status, await answer.json()

    async def log_in(self) -> None:
        _, body = await self.token()
        self.headers["Authorization"] = f"Bearer {body['access_token']}"

    async def send(
        self, method: str, path: str, *, json: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, Any]:
        """Return status, headers and body; ``path`` may be a whole URL."""
        url = path if path.startswith("https:") else f"{self._connection.endpoint}{path}"
        merged = {**self.headers, **(headers or {})}
        request = self._session.request(method, url, json=json, headers=merged)
        async with request as answer:
            text = await answer.read()
            return answer.status, answer.headers, (await answer.json()) if text else None

    async def send_bytes(self, method: str, path: str, data: bytes, content_type: str) -> tuple[int, Any]:
        headers = {**self.headers, "Content-Type": content_type}
        url = f"{self._connection.endpoint}{path}"
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            return answer.status, await answer.json()

    def machine(self, rest: str = "", *, name: str = "vm", version: str = COMPUTE_VERSION) -> str:
        return f"{self.group}/providers/Microsoft.Compute/virtualMachines/{name}{rest}?api-version={version}"

    def networked(self, rest: str, *, version: str = NETWORK_VERSION) -> str:
        return f"{self.group}/providers/Microsoft.Network/{rest}?api-version={version}"


@contextlib.asynccontextmanager
async def raw_of(connection: EmulatorConnection) -> AsyncIterator[Raw]:
    context = ssl.create_default_context(cafile=str(connection.ca_bundle))
    # What Python 3.13 checks by default must hold on every version.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        raw = Raw(session, connection)
        await raw.log_in()
        yield raw


def network_body() -> Any:
    return {
        "location": "eastus",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
            "subnets": [{"name": "default", "properties": {"addressPrefix": "10.1.0.0/24"}}],
        },
    }


def address_body() -> Any:
    return {
        "location": "eastus",
        "sku": {"name": "Standard"},
        "properties": {"publicIPAllocationMethod": "Static"},
    }


def interface_body(subnet: str, address: str | None = None) -> Any:
    properties: dict[str, Any] = {"subnet": {"id": subnet}}
    if address is not None:
        properties["publicIPAddress"] = {"id": address, "properties": {"deleteOption": "Delete"}}
    return {
        "location": "eastus",
        "properties": {"ipConfigurations": [{"name": "ipconfig", "properties": properties}]},
    }


def machine_body(interface: str, *, delete_option: str = "Delete") -> Any:
    ssh = {"publicKeys": [{"path": "/home/tester/.ssh/authorized_keys", "keyData": KEY}]}
    image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    return {
        "location": "eastus",
        "tags": {"owner": "tests"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "storageProfile": {
                "imageReference": image,
                "osDisk": {"createOption": "FromImage", "deleteOption": delete_option},
            },
            "osProfile": {
                "computerName": "vm",
                "adminUsername": "tester",
                "customData": "I2Nsb3VkLWNvbmZpZw==",
                "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": ssh},
            },
            "networkProfile": {"networkInterfaces": [{"id": interface, "properties": {"deleteOption": delete_option}}]},
        },
    }
