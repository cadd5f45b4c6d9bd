"""The access log tells what was asked, and no secret."""

import json
import ssl
from pathlib import Path

import aiohttp

from benchhost.emulator import ArmEmulator, EmulatorConfig, LatencyMode


async def test_each_request_is_a_line_without_its_query(tmp_path: Path) -> None:
    log = tmp_path / "access.jsonl"
    async with ArmEmulator(EmulatorConfig(latency=LatencyMode.NONE, access_log=log)) as emulator:
        trusted = ssl.create_default_context(cafile=emulator.connection.ca_bundle)
        url = f"{emulator.connection.endpoint}/subscriptions/x/resourceGroups?api-version=2021-04-01&sig=s3cret"
        async with aiohttp.ClientSession() as session, session.get(url, ssl=trusted) as answer:
            assert answer.status == 401
    (entry,) = (json.loads(line) for line in log.read_text().splitlines())
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", "/subscriptions/x/resourceGroups", 401)
    assert entry["seconds"] >= 0
    assert "s3cret" not in log.read_text()
