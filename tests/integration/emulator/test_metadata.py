"""The instance metadata service, and an unmodified DefaultAzureCredential that knows nothing but its environment."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from benchhost.emulator import ArmEmulator, EmulatorConfig, LatencyMode
from benchhost.emulator.entra.directory import ManagedIdentity
from integration.emulator.command import running_command
from integration.emulator.driver import GROUP, raw_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from benchhost.emulator.settings import MetadataConnection

OWN = ManagedIdentity(
    client_id="cccccccc-0000-4000-8000-000000000001", object_id="cccccccc-0000-4000-8000-00000000000a"
)
ASSIGNED = ManagedIdentity(
    client_id="cccccccc-0000-4000-8000-000000000002",
    object_id="cccccccc-0000-4000-8000-00000000000b",
    resource_id="/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one",
    roles=(),
)
OTHER = ManagedIdentity(client_id="cccccccc-0000-4000-8000-000000000003", object_id="o", resource_id="/other")

TOKEN = "/metadata/identity/oauth2/token"


def config_with(*identities: ManagedIdentity) -> EmulatorConfig:
    return EmulatorConfig(
        latency=LatencyMode.NONE,
        resource_groups=((GROUP, "eastus"),),
        managed_identities=identities,
        metadata_port=0,
    )


@pytest.fixture
async def emulator() -> AsyncIterator[ArmEmulator]:
    async with ArmEmulator(config_with(OWN, ASSIGNED)) as running:
        yield running


@pytest.fixture
def metadata(emulator: ArmEmulator) -> MetadataConnection:
    assert emulator.connection.metadata is not None
    return emulator.connection.metadata


async def ask(
    metadata: MetadataConnection, path: str, headers: dict[str, str] | None = None, **query: str
) -> tuple[int, dict[str, Any]]:
    given = {"Metadata": "true"} if headers is None else headers
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{metadata.endpoint}{path}", params=query, headers=given) as answer,
    ):
        body: dict[str, Any] = await answer.json()
        return answer.status, body


@pytest.mark.parametrize(
    ("query", "client_id"),
    [
        pytest.param({}, OWN.client_id, id="the-machine-itself"),
        pytest.param({"client_id": ASSIGNED.client_id.upper()}, ASSIGNED.client_id, id="by-client-id"),
        pytest.param({"object_id": ASSIGNED.object_id}, ASSIGNED.client_id, id="by-object-id"),
        pytest.param({"msi_res_id": str(ASSIGNED.resource_id)}, ASSIGNED.client_id, id="by-resource-id"),
    ],
)
async def test_a_token_is_that_of_the_identity_that_was_asked_for(
    emulator: ArmEmulator, metadata: MetadataConnection, query: dict[str, str], client_id: str
) -> None:
    resource = {"resource": emulator.connection.audience, "api-version": "2018-02-01"}
    status, body = await ask(metadata, TOKEN, **resource, **query)
    assert (status, body["client_id"], body["token_type"]) == (200, client_id, "Bearer")
    assert int(body["expires_on"]) == int(body["not_before"]) + int(body["expires_in"])
    async with raw_of(emulator.connection) as raw:
        raw.headers = {"Authorization": f"Bearer {body['access_token']}"}
        status, _, _ = await raw.send("GET", f"{raw.group}?api-version=2024-11-01")
        assert status == (200 if client_id == OWN.client_id else 403)


@pytest.mark.parametrize(
    ("changes", "headers", "words"),
    [
        pytest.param({}, {}, "metadata header not specified", id="no-header"),
        pytest.param({}, {"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}, "X-Forwarded-For", id="by-a-proxy"),
        pytest.param({"api-version": ""}, None, "api-version", id="no-version"),
        pytest.param({"resource": ""}, None, "'resource' is missing", id="no-resource"),
        pytest.param({"resource": "https://graph.example"}, None, "AADSTS500011", id="another-resource"),
        pytest.param({"client_id": "nobody"}, None, "Identity not found", id="unknown-identity"),
    ],
)
async def test_a_bad_request_is_refused(
    emulator: ArmEmulator,
    metadata: MetadataConnection,
    changes: dict[str, str],
    headers: dict[str, str] | None,
    words: str,
) -> None:
    query = {"resource": emulator.connection.audience, "api-version": "2018-02-01", **changes}
    status, body = await ask(metadata, TOKEN, headers, **query)
    assert status == 400
    assert words in body["error_description"]


@pytest.mark.parametrize(
    ("identities", "words"),
    [
        pytest.param((), "Identity not found", id="no-identity"),
        pytest.param((ASSIGNED, OTHER), "Multiple user assigned identities exist", id="two-and-none-named"),
    ],
)
async def test_which_identity_has_to_be_clear(identities: tuple[ManagedIdentity, ...], words: str) -> None:
    async with ArmEmulator(config_with(*identities)) as emulator:
        assert emulator.connection.metadata is not None
        query = {"resource": emulator.connection.audience, "api-version": "2018-02-01"}
        status, body = await ask(emulator.connection.metadata, TOKEN, **query)
    assert (status, words in body["error_description"]) == (400, True)


async def test_the_instance_says_where_it_is(emulator: ArmEmulator, metadata: MetadataConnection) -> None:
    status, body = await ask(metadata, "/metadata/instance", **{"api-version": "2021-02-01"})
    assert (status, body["compute"]["subscriptionId"]) == (200, emulator.connection.subscription_id)
    assert (await ask(metadata, "/metadata/instance"))[0] == 400
    assert (await ask(metadata, "/metadata/nothing"))[0] == 404


async def test_the_real_credential_gets_a_token_from_both_forms_of_the_service(
    emulator: ArmEmulator, metadata: MetadataConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = f"{emulator.connection.audience}/.default"
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.endpoint)
    async with ManagedIdentityCredential(client_id=ASSIGNED.client_id) as credential:
        assert (await credential.get_token(scope)).token
    async with ManagedIdentityCredential(client_id="nobody", retry_total=0) as credential:
        with pytest.raises(ClientAuthenticationError, match="has not been assigned"):
            await credential.get_token(scope)
    monkeypatch.setenv("IDENTITY_ENDPOINT", metadata.app_service_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", metadata.header_secret)
    async with ManagedIdentityCredential() as credential:
        assert (await credential.get_token(scope)).token
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    async with ManagedIdentityCredential(retry_total=0) as credential:
        with pytest.raises(ClientAuthenticationError):
            await credential.get_token(scope)


async def test_there_is_no_service_unless_it_is_asked_for() -> None:
    async with ArmEmulator(EmulatorConfig(latency=LatencyMode.NONE)) as emulator:
        assert emulator.connection.metadata is None


PROGRAM = """
import asyncio, os, sys
from azure.identity import DefaultAzureCredential as Blocking
from azure.identity.aio import DefaultAzureCredential
from azure.mgmt.compute.aio import ComputeManagementClient

scope = os.environ["AZURE_RESOURCE_MANAGER_AUDIENCE"] + "/.default"
with Blocking(disable_instance_discovery=True) as blocking:
    assert blocking.get_token(scope).token

async def main():
    async with DefaultAzureCredential() as credential, ComputeManagementClient(
        credential, os.environ["AZURE_SUBSCRIPTION_ID"],
        base_url=os.environ["AZURE_RESOURCE_MANAGER_ENDPOINT"], credential_scopes=[scope],
    ) as compute:
        print([vm async for vm in compute.virtual_machines.list_all()])

asyncio.run(main())
"""


def test_a_program_that_knows_only_its_environment_logs_in(tmp_path: Path) -> None:
    identities = tmp_path / "identities.json"
    identities.write_text(json.dumps({"managedIdentities": [{"clientId": OWN.client_id}]}))
    options = ("--identities", str(identities), "--metadata-port", "0")
    with running_command(tmp_path / "emulator", *options):
        lines = (tmp_path / "emulator" / "azure.env").read_text().splitlines()
        values = {name: shlex.split(value)[0] for name, value in (line.split("=", 1) for line in lines)}
        # The machine's own identity is what is left when nothing proves an application.
        managed = {
            name: value for name, value in values.items() if name not in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
        }
        for environment in (values, managed):
            bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment}
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM], env=bare, capture_output=True, text=True, timeout=60, check=False
            )
            assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
