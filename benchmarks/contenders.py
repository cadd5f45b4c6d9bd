"""Who is compared in ``provisioning``: BenchHost's service and mlos_bench's own for Azure."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from benchhost.mlos import BenchHostService
from support import peer
from support.builders import azure_spec
from support.stack import Emulator, Stack

SIZE = "Standard_B2s"
PEER_POLLS = (20.0, 4.0)
"""Seconds between two looks of AzureVMService: those of the configuration that mlos_bench ships for it
(``service-linux-vm-ops.jsonc``), and those of the class where nothing is configured (``_POLL_INTERVAL``)."""

_SOON = 0.1
"""Seconds between two looks at what is not measured."""
_PATIENCE = 300
"""Seconds for one host."""
_GROUP_API, _COMPUTE_API = "2024-11-01", "2026-04-01"


@dataclass(frozen=True)
class Azure:
    """The emulated subscription, as somebody else looks at it."""

    emulator: Emulator
    tokens: peer.EmulatorTokens

    def send(self, method: str, path: str, *, api: str, json: Any = None, **query: str) -> Any:
        """The JSON of an answer; ``path`` begins below the subscription's resource groups."""
        connection = self.emulator.connection
        url = f"{connection['endpoint']}/subscriptions/{connection['subscriptionId']}/resourceGroups/{path}"
        answer = requests.request(
            method, url, params={"api-version": api, **query}, json=json, headers=self.tokens.get_auth_headers(),
            verify=connection["caBundle"], timeout=30,
        )  # fmt: skip
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def resources(self, group: str) -> list[str]:
        """The names of everything that is in a group."""
        listed: list[str] = []
        page = self.send("GET", f"{group}/resources", api=_GROUP_API)
        while page is not None:
            listed += [item["name"] for item in page["value"]]
            following = page.get("nextLink")
            page = (
                None
                if following is None
                else requests.get(
                    following, headers=self.tokens.get_auth_headers(),
                    verify=self.emulator.connection["caBundle"], timeout=30,
                ).json()
            )  # fmt: skip
        return listed


class Contender(ABC):
    """A service, and where the cloud's own time for its hosts is to be read."""

    label: str
    group: str
    trials_at_once: int
    """Hosts side by side where requests fail and no times are measured."""

    def prepare(self, azure: Azure) -> None:
        """Make a resource group with the network that its hosts share, which is there before and after them."""
        azure.send("PUT", self.group, api=_GROUP_API, json={"location": "eastus"})
        peer.make_network(azure.emulator.connection, self.group, poll_interval=_SOON)

    @abstractmethod
    def service(self) -> Any:
        """A service of mlos_bench, new for each host."""

    @abstractmethod
    def is_first_write(self, path: str, name: str) -> bool:
        """Whether a PUT of this path begins a host."""

    @abstractmethod
    def ended(self, azure: Azure, name: str) -> float:
        """When the last operation ended that the cloud needed for a host, in seconds since 1970.

        It is read with one request, which is taken off the requests that are counted.
        """


@dataclass
class Ours(Contender):
    """``BenchHostService`` and the controller behind it."""

    running: Stack
    label: str = "BenchHost"
    group: str = "ours"
    trials_at_once: int = 25
    """After a failed request the controller waits for seconds, which no time scale makes shorter."""

    def service(self) -> Any:
        """Hosts like the peer's: of the same size, in the same kind of network, with a public address."""
        azure = azure_spec(
            subscriptionId=self.running.emulator.connection["subscriptionId"],
            resourceGroup=self.group,
            sizes=[SIZE],
            network={"virtualNetwork": {"name": peer.NETWORK}, "publicAddress": "Static"},
        )
        return BenchHostService(
            {
                "kubeconfig": str(self.running.kubectl.kubeconfig),
                "namespace": self.running.kubectl.namespace,
                "template": {"spec": {"credentialsRef": {"name": "azure-credentials"}, "azure": azure}},
                "parameters": {"vmSize": "spec.azure.sizes[0]"},
                "owner": "bench",
                "pollTimeout": _PATIENCE,
                "historyFile": None,
            }
        )

    def is_first_write(self, path: str, name: str) -> bool:
        """The PUT of the machine, which makes all that belongs to it."""
        return self._machine(path, name) is not None

    def ended(self, azure: Azure, name: str) -> float:
        """The end of the machine's creation, as its instance view tells."""
        view = azure.send("GET", f"{self.group}/providers/{self._machines[name]}/instanceView", api=_COMPUTE_API)
        return _moment(view["statuses"][0]["time"])

    def __post_init__(self) -> None:
        self._machines: dict[str, str] = {}

    def _machine(self, path: str, name: str) -> str | None:
        match = re.search(rf"/providers/(Microsoft\.Compute/virtualMachines/{name}-[0-9a-f]{{8}})$", path)
        if match is None:
            return None
        self._machines[name] = match[1]
        return match[1]


@dataclass
class Peer(Contender):
    """``AzureVMService`` of mlos_bench with the template that it ships."""

    emulator: Emulator
    poll_interval: float
    label: str
    group: str
    trials_at_once: int = 8
    """It polls without a pause to speak of; with more of them requests would fail for want of processor time."""

    def service(self) -> Any:
        """Its own time limit is five minutes, ours here too."""
        return peer.machine_service(
            self.emulator.connection, self.group, poll_interval=self.poll_interval, pollTimeout=_PATIENCE
        )

    def is_first_write(self, path: str, name: str) -> bool:
        """The PUT of the deployment."""
        return path.endswith(f"/deployments/{name}-deployment")

    def ended(self, azure: Azure, name: str) -> float:
        """The end of the deployment, so that what ARM itself takes is no overhead of the service."""
        found = azure.send(
            "GET", f"{self.group}/providers/Microsoft.Resources/deployments/{name}-deployment", api=_GROUP_API
        )
        return _moment(found["properties"]["timestamp"])


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
