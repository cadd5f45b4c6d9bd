"""Tokens, from both ends."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from benchhost.emulator import ArmEmulator, EmulatorConfig, LatencyMode
from integration.emulator.driver import GROUP, ManualClock, Raw, raw_of, sdk_of

if TYPE_CHECKING:
    from benchhost.emulator import EmulatorConnection


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        pytest.param({"client_secret": "wrong"}, 401, "invalid_client", 7000215, id="wrong-secret"),
        pytest.param({"client_secret": ""}, 401, "invalid_client", 7000215, id="empty-secret"),
        pytest.param({"client_id": "nobody"}, 400, "unauthorized_client", 700016, id="unknown-client"),
        pytest.param({"grant_type": "password"}, 400, "unsupported_grant_type", 70003, id="other-grant"),
        pytest.param({"grant_type": ""}, 400, "invalid_request", 900144, id="no-grant"),
        pytest.param({"scope": "https://other/.default"}, 400, "invalid_resource", 500011, id="other-audience"),
        pytest.param({"scope": "user.read"}, 400, "invalid_scope", 1002012, id="no-default-scope"),
    ],
)
async def test_a_token_is_refused_as_entra_refuses_it(
    raw: Raw, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    got, body = await raw.token(**changes)
    assert (got, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")


async def test_the_sdk_reports_a_wrong_secret_without_showing_it(emulator: ArmEmulator) -> None:
    async with sdk_of(emulator.connection, secret="very-wrong") as sdk:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215") as refused:
            await sdk.compute.virtual_machines.get(GROUP, "vm")
    assert "very-wrong" not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        pytest.param(None, "AuthenticationFailed", id="no-token"),
        pytest.param("Basic abc", "AuthenticationFailedInvalidHeader", id="another-scheme"),
        pytest.param("Bearer abc.def.ghi", "InvalidAuthenticationToken", id="no-token-of-ours"),
    ],
)
async def test_arm_asks_for_a_good_token(raw: Raw, header: str | None, code: str) -> None:
    raw.headers = {} if header is None else {"Authorization": header}
    status, headers, body = await raw.send("GET", raw.machine())
    assert (status, body["error"]["code"]) == (401, code)
    assert headers["WWW-Authenticate"].startswith('Bearer authorization_uri="https://localhost')


async def test_an_expired_token_is_refused_and_the_sdk_gets_another() -> None:
    clock = ManualClock()
    config = EmulatorConfig(
        latency=LatencyMode.NONE, clock=clock, resource_groups=((GROUP, "eastus"),), token_lifetime_seconds=3600
    )
    async with ArmEmulator(config) as emulator, raw_of(emulator.connection) as raw:
        groups = f"{raw.group}?api-version=2024-11-01"
        assert (await raw.send("GET", groups))[0] == 200
        clock.advance(3601)
        status, _, body = await raw.send("GET", groups)
        assert (status, body["error"]["code"]) == (401, "ExpiredAuthenticationToken")
        await raw.log_in()
        assert (await raw.send("GET", groups))[0] == 200


async def test_short_lived_tokens_are_renewed_by_the_sdk() -> None:
    config = EmulatorConfig(latency=LatencyMode.NONE, resource_groups=((GROUP, "eastus"),), token_lifetime_seconds=1)
    async with ArmEmulator(config) as emulator, sdk_of(emulator.connection) as sdk:
        for _ in range(2):
            assert [vm async for vm in sdk.compute.virtual_machines.list(GROUP)] == []
            await asyncio.sleep(1.1)  # the token's lifetime is counted on the SDK's own clock


async def test_who_does_not_trust_the_authority_cannot_connect(emulator: ArmEmulator) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(emulator.connection.endpoint)
    async with raw_of(emulator.connection) as raw:  # who does trust it is served as before
        assert (await raw.send("GET", f"{raw.group}?api-version=2024-11-01"))[0] == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_the_certificate_is_good_for_every_name_of_this_machine(emulator: ArmEmulator, host: str) -> None:
    connection = emulator.connection
    context = ssl.create_default_context(cafile=str(connection.ca_bundle))
    port = connection.endpoint.rpartition(":")[2]
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:
        path = f"{connection.tenant_id}/v2.0/.well-known/openid-configuration"
        async with session.get(f"https://{host}:{port}/{path}") as answer:
            configuration: dict[str, Any] = await answer.json()
    assert configuration["token_endpoint"].startswith(f"https://{host}:{port}/")


def _token_with_discovery(connection: EmulatorConnection) -> str:
    with ClientSecretCredential(
        connection.tenant_id,
        connection.client_id,
        connection.client_secret,
        authority=connection.authority,
        connection_verify=str(connection.ca_bundle),
        disable_instance_discovery=True,
        use_env_settings=False,
    ) as credential:
        return credential.get_token(f"{connection.audience}/.default").token


async def test_the_synchronous_credential_discovers_the_authority(emulator: ArmEmulator) -> None:
    token = await asyncio.to_thread(_token_with_discovery, emulator.connection)
    async with raw_of(emulator.connection) as raw:
        raw.headers = {"Authorization": f"Bearer {token}"}
        assert (await raw.send("GET", f"{raw.group}?api-version=2024-11-01"))[0] == 200


async def test_two_emulators_know_nothing_of_each_other(emulator: ArmEmulator) -> None:
    async with ArmEmulator(EmulatorConfig(latency=LatencyMode.NONE)) as other:
        assert other.connection.endpoint != emulator.connection.endpoint
        assert other.connection.subscription_id != emulator.connection.subscription_id
        async with raw_of(emulator.connection) as one, raw_of(other.connection) as two:
            assert (await one.send("GET", f"{one.group}?api-version=2024-11-01"))[0] == 200
            assert (await two.send("GET", f"{two.group}?api-version=2024-11-01"))[0] == 404
            two.headers = one.headers
            assert (await two.send("GET", f"{two.group}?api-version=2024-11-01"))[0] == 401
