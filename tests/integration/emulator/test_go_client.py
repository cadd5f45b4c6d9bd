"""Azure's SDK for Go, unmodified: a program that lives a host's whole life against the emulator.

The emulator stands for Azure to any client, and every other test of it asks in Python. The program is built with the
machine's own Go, found as the control plane's build finds it; modules and compiled packages stay in Go's own caches, so
that only the first run takes minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from benchhost.emulator.arm import pages
from benchhost.local.cache import GoSource
from benchhost.local.find import find_go
from benchhost.local.toolchain import go_environment

if TYPE_CHECKING:
    from benchhost.emulator import ArmEmulator

SOURCE: Final = GoSource(Path(__file__).with_name("go_client"))
BUILD_SECONDS: Final = 900
"""With nothing cached it takes two minutes of one core, and longer where the network is slow."""

Seen = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = find_go(SOURCE, os.environ)
    if go is None:
        needed = ".".join(map(str, SOURCE.go_version))
        pytest.skip(f"no Go {needed} or later on PATH: the client in Go cannot be built")
    built = tmp_path_factory.mktemp("go") / "client"
    done = subprocess.run(
        [go, "build", "-o", built, "."],
        cwd=SOURCE.folder,
        env=go_environment(private=None),
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return built


@pytest.fixture
async def seen(program: Path, emulator: ArmEmulator, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """What the program saw, by step."""
    monkeypatch.setattr(pages, "PAGE_SIZE", 3)
    connection = emulator.connection
    environment = {
        "AZURE_RESOURCE_MANAGER_ENDPOINT": connection.endpoint,
        "AZURE_RESOURCE_MANAGER_AUDIENCE": connection.audience,
        "AZURE_AUTHORITY_HOST": connection.authority,
        "AZURE_TENANT_ID": connection.tenant_id,
        "AZURE_CLIENT_ID": connection.client_id,
        "AZURE_CLIENT_SECRET": connection.client_secret,
        "AZURE_SUBSCRIPTION_ID": connection.subscription_id,
        "SSL_CERT_FILE": str(connection.ca_bundle),
    }
    process = await asyncio.create_subprocess_exec(
        program, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return {line["step"]: line for line in map(json.loads, out.splitlines())}


@pytest.mark.timeout(BUILD_SECONDS + 60)
async def test_a_host_lives_its_whole_life(seen: Seen, emulator: ArmEmulator) -> None:
    assert (seen["group"]["before"], seen["group"]["after"]) == (False, True)
    assert seen["network"]["private"] == "10.1.0.4"
    assert seen["network"]["rules"] == 1
    machine = seen["machine"]
    assert (machine["state"], machine["power"]) == ("Succeeded", "running")
    assert (machine["size"], machine["tags"]) == ("Standard_D2s_v5", {"owner": "go"})
    assert (machine["osDisk"], machine["dataDisks"]) == ("vm-os", 1)
    assert seen["power"]["states"] == ["stopped", "running", "deallocated", "running", "running"]
    assert seen["change"]["tags"] == {"seen": "yes"}
    assert seen["change"]["sizes"] == ["Standard_D4s_v5", "Standard_D4s_v5"]
    assert seen["change"]["diskGBs"] == [8, 16]
    assert seen["end"]["group"] is False
    assert len(emulator.subscription.store) == 0


async def test_everything_is_listed_over_all_pages(seen: Seen) -> None:
    lists = seen["lists"]
    assert lists["machine"] == "vm"
    assert lists["statuses"] == 2
    assert sorted(lists["types"]) == [
        "Microsoft.Compute/disks",
        "Microsoft.Compute/disks",
        "Microsoft.Compute/virtualMachines",
        "Microsoft.Network/networkInterfaces",
        "Microsoft.Network/networkSecurityGroups",
        "Microsoft.Network/publicIPAddresses",
        "Microsoft.Network/virtualNetworks",
    ]
    assert lists["pages"] == 3


async def test_what_is_offered_is_what_a_machine_got(seen: Seen) -> None:
    offers = seen["offers"]
    assert offers["skus"] > 100
    assert offers["cores"] == 4
    assert offers["networkUsages"] > 0
    assert (offers["image"], offers["system"]) == (seen["machine"]["image"], "Linux")


async def test_refusals_have_the_codes_that_clients_branch_on(seen: Seen) -> None:
    assert seen["wrong secret"]["status"] == 401
    refusals = {step: (line["status"], line["code"]) for step, line in seen.items() if "code" in line}
    assert refusals == {
        "absent machine": (404, "ResourceNotFound"),
        "absent group": (404, "ResourceGroupNotFound"),
        "unknown size": (400, "InvalidParameter"),
        "stale etag": (412, "PreconditionFailed"),
        "interface in use": (400, "NicInUse"),
        "not emulated": (409, "NotSupported"),
        "deleted machine": (404, "NotFound"),
        "disk of the deleted machine": (404, "ResourceNotFound"),
    }
