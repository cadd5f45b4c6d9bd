"""Bad weather in the emulated cloud: faults set through the emulator's own API, for one resource group each.

Used by the outage tests. ``Fault`` is what that API takes; the shapes of it are told in the emulator's design note.
"""

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule: which requests, what happens to them, how often."""

    effect: Mapping[str, Any]
    rate: float = 1.0
    times: int | None = None
    match: Mapping[str, str] = field(default_factory=dict)

    def to_body(self, group: str) -> dict[str, Any]:
        """What the emulator's API takes."""
        return {"match": {**self.match, "group": group}, "effect": self.effect, "rate": self.rate, "times": self.times}


async def set_faults(emulator_folder: Path, group: str, faults: Sequence[Fault]) -> None:
    """Let these happen to requests for this resource group."""
    admin = json.loads((emulator_folder / "admin.json").read_text())
    tls = ssl.create_default_context(cafile=admin["caBundle"])
    headers = {"Authorization": f"Bearer {admin['token']}"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), headers=headers) as session:
        for fault in faults:
            async with session.post(f"{admin['endpoint']}/faults", json=fault.to_body(group)) as answer:
                assert answer.status == 200, await answer.text()


async def count_hits(emulator_folder: Path) -> int:
    """How often any fault has happened."""
    admin = json.loads((emulator_folder / "admin.json").read_text())
    tls = ssl.create_default_context(cafile=admin["caBundle"])
    headers = {"Authorization": f"Bearer {admin['token']}"}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), headers=headers) as session,
        session.get(f"{admin['endpoint']}/faults") as answer,
    ):
        return sum(fault["hits"] for fault in (await answer.json())["faults"])
