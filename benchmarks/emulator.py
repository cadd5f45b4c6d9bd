"""The emulator's figures: what a request costs one emulator process that holds 2,000 machines, limits enforced.

Processor time is measured and not requests a second, because client and server share this machine's cores.
"""

import asyncio
import itertools
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from benchmarks.figures import Figure
from benchmarks.process import cpu_seconds, resident_megabytes
from integration.emulator.driver import interface_body, machine_body, network_body
from support.stack import RESOURCE_GROUP, Emulator, running_emulator

MACHINES = 2000
_REQUESTS = 4000
_CLIENTS = 16
_READ_BOUND = 2.5
"""Milliseconds. 2,000 machines whose operations are polled every 5 s are 400 requests a second."""
_WRITE_BOUND = 10.0
"""Milliseconds. ARM lets a principal write 10 times a second: 100 times at time scale 0.1."""
_INTERFACES = "/providers/Microsoft.Network/networkInterfaces"

_Request = tuple[str, str | URL, Any]


def load() -> list[Figure]:
    """Create the machines, read them, poll an operation."""
    with tempfile.TemporaryDirectory(prefix="benchhost-bench-") as folder:
        directory = Path(folder) / "azure"
        directory.mkdir()
        with running_emulator(directory, "--latency", "none", "--limits", "enforced") as emulator:
            return asyncio.run(_measure(emulator))


async def _measure(emulator: Emulator) -> list[Figure]:
    trust = ssl.create_default_context(cafile=emulator.connection["caBundle"])
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust, limit=_CLIENTS)) as session:
        session.headers["Authorization"] = f"Bearer {await _token(session, emulator)}"
        azure = _Azure(session, emulator)
        await azure.send("PUT", azure.network("virtualNetworks/vnet"), _wide_network())
        subnet = f"{azure.group}/providers/Microsoft.Network/virtualNetworks/vnet/subnets/default"
        body = interface_body(subnet)
        await azure.cost(("PUT", azure.network(f"networkInterfaces/nic{number}"), body) for number in range(MACHINES))
        create = await azure.cost(
            ("PUT", azure.machine(f"vm{number}"), machine_body(f"{azure.group}{_INTERFACES}/nic{number}"))
            for number in range(MACHINES)
        )
        read = await azure.cost(_repeated([azure.machine(f"vm{number}") for number in range(MACHINES)]))
        accepted = await azure.send("POST", azure.machine("vm0/deallocate"))
        poll = await azure.cost(_repeated([URL(accepted.headers["Azure-AsyncOperation"], encoded=True)]))
    return [
        Figure("emulator: processor time of a GET of a machine", read, "ms", _READ_BOUND),
        Figure("emulator: processor time of a poll", poll, "ms", _READ_BOUND),
        Figure("emulator: processor time of a PUT of a new machine", create, "ms", _WRITE_BOUND),
        Figure(f"emulator: memory (RSS) with {MACHINES} machines", resident_megabytes(azure.pid), "MB"),
    ]


class _Azure:
    """A client of the emulator."""

    def __init__(self, session: aiohttp.ClientSession, emulator: Emulator) -> None:
        self._session = session
        self._endpoint = emulator.connection["endpoint"]
        self.pid = emulator.command.process.pid
        self.group = f"/subscriptions/{emulator.connection['subscriptionId']}/resourceGroups/{RESOURCE_GROUP}"

    def network(self, rest: str) -> str:
        return f"{self._endpoint}{self.group}/providers/Microsoft.Network/{rest}?api-version=2026-03-01"

    def machine(self, rest: str) -> str:
        base = f"{self._endpoint}{self.group}/providers/Microsoft.Compute/virtualMachines"
        return f"{base}/{rest}?api-version=2026-04-01"

    async def send(self, method: str, url: str | URL, body: Any = None) -> aiohttp.ClientResponse:
        async with self._session.request(method, url, json=body) as answer:
            assert answer.ok, await answer.text()
            await answer.read()
            return answer

    async def cost(self, requests: Iterable[_Request]) -> float:
        """Send all requests and return the emulator's processor time for each, in milliseconds."""
        remaining = iter(requests)
        before = cpu_seconds(self.pid)
        counts = await asyncio.gather(*(self._work(remaining) for _ in range(_CLIENTS)))
        return (cpu_seconds(self.pid) - before) * 1000 / sum(counts)

    async def _work(self, remaining: Iterator[_Request]) -> int:
        count = 0
        for request in remaining:
            await self.send(*request)
            count += 1
        return count


async def _token(session: aiohttp.ClientSession, emulator: Emulator) -> str:
    connection = emulator.connection
    form = {
        "grant_type": "client_credentials",
        "client_id": connection["clientId"],
        "client_secret": connection["clientSecret"],
        "scope": f"{connection['audience']}/.default",
    }
    async with session.post(
        f"{connection['authority']}/{connection['tenantId']}/oauth2/v2.0/token", data=form
    ) as answer:
        return str((await answer.json())["access_token"])


def _wide_network() -> Any:
    body = network_body()
    body["properties"]["subnets"][0]["properties"]["addressPrefix"] = "10.1.0.0/16"
    return body


def _repeated(urls: list[Any]) -> Iterator[_Request]:
    return (("GET", url, None) for url in itertools.islice(itertools.cycle(urls), _REQUESTS))
