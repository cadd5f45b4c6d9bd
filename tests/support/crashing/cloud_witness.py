"""What the emulated cloud itself says of a resource group: what is there, and which changes it has accepted.

Used by tests that must not believe the controller. What is there comes from the cloud's own API, with a token of its
own; what was accepted comes from the emulator's access log, which has every request of everybody.
"""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

_API_VERSION = "2024-11-01"
_COMPUTE_VERSION = "2024-11-01"
_MACHINES = "Microsoft.Compute/virtualMachines"
_PATIENCE = 60.0
"""Seconds until the controller has sent a change."""
_ATTEMPTS = 20
"""For one answer; with a fault in every tenth, twenty in a row do not happen."""


class CloudWitness:
    """Asks the emulator, and reads its log."""

    def __init__(self, session: aiohttp.ClientSession, connection: Mapping[str, str], access_log: Path) -> None:
        self._session = session
        self._base = f"{connection['endpoint']}/subscriptions/{connection['subscriptionId']}"
        self._log = access_log

    async def resources(self, group: str) -> list[str]:
        """Types and names of everything in the group."""
        found = await self._get(f"resourceGroups/{group}/resources", _API_VERSION)
        return sorted(f"{row['type'].rsplit('/', 1)[-1]}/{row['name']}" for row in found["value"])

    async def machines(self, group: str) -> list[dict[str, Any]]:
        """Every machine in the group, with its power state."""
        found = await self._get(f"resourceGroups/{group}/providers/{_MACHINES}", _COMPUTE_VERSION)
        return [
            await self._get(f"resourceGroups/{group}/providers/{_MACHINES}/{row['name']}", _COMPUTE_VERSION, view=True)
            for row in found["value"]
        ]

    def position(self) -> int:
        """How far the log goes."""
        return self._log.stat().st_size

    def changes(self, group: str, since: int, *, lost: bool = False) -> Counter[str]:
        """How often each change of a machine in the group was accepted, counted from a position of the log.

        ``lost`` counts those whose answer never arrived, which the log cannot tell from those that were never read.
        """
        accepted: Counter[str] = Counter()
        with self._log.open() as log:
            log.seek(since)
            for line in log:
                entry = json.loads(line)
                change = _change(entry, group)
                if change is not None and (200 <= entry["status"] < 300 or (lost and entry["status"] == 0)):
                    accepted[change] += 1
        return accepted

    async def until_accepted(self, group: str, since: int, many: int) -> None:
        """Wait until this many changes of machines in the group were accepted."""
        async with asyncio.timeout(_PATIENCE):
            while self.changes(group, since).total() < many:  # noqa: ASYNC110 - a file tells nobody that it grows
                await asyncio.sleep(0.02)

    async def _get(self, path: str, version: str, *, view: bool = False) -> Any:
        """Ask until there is an answer: the weather in a resource group is the same for everybody."""
        query = {"api-version": version} | ({"$expand": "instanceView"} if view else {})
        for _ in range(_ATTEMPTS):
            with suppress(aiohttp.ClientError, ValueError):
                async with self._session.get(f"{self._base}/{path}", params=query) as answer:
                    found = await answer.json(content_type=None)
                    if answer.status == HTTPStatus.OK:
                        return found
        raise AssertionError(f"the emulator does not answer to GET {path}")


def _change(entry: Mapping[str, Any], group: str) -> str | None:
    """``create``, ``put``, ``update``, ``delete`` or a POST's last word; None for everything else."""
    method, path = entry["method"], str(entry["path"]).lower()
    inside = f"/resourcegroups/{group}/providers/{_MACHINES}/".lower()
    if inside not in path or method == "GET":
        return None
    if method == "POST":
        return path.rsplit("/", 1)[-1].lower()
    return {"PUT": "put" if entry["status"] == 200 else "create", "PATCH": "update", "DELETE": "delete"}[method]


@asynccontextmanager
async def witness(connection: Mapping[str, str], access_log: Path) -> AsyncIterator[CloudWitness]:
    """A witness with a session and a token of its own."""
    tls = ssl.create_default_context(cafile=connection["caBundle"])
    form = {
        "grant_type": "client_credentials",
        "client_id": connection["clientId"],
        "client_secret": connection["clientSecret"],
        "scope": f"{connection['audience']}/.default",
    }
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        url = f"{connection['authority']}/{connection['tenantId']}/oauth2/v2.0/token"
        async with session.post(url, data=form) as answer:
            token = (await answer.json())["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        yield CloudWitness(session, connection, access_log)
