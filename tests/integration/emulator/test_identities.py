"""Applications with certificates or federated identities, and what each may do, seen through the real azure-identity."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import CertificateCredential as BlockingCertificateCredential
from azure.identity.aio import CertificateCredential, ClientAssertionCredential, ClientSecretCredential
from azure.mgmt.network.aio import NetworkManagementClient

from benchhost.emulator import ArmEmulator, EmulatorConfig, LatencyMode
from benchhost.emulator.entra.directory import Application, FederatedIdentity, Role, RoleAssignment
from integration.emulator.driver import GROUP, client_settings, network_body, raw_of
from support.identities import AUDIENCE, ISSUER, SUBJECT, ClientCertificate, Issuer, sign_rs256

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from azure.core.credentials_async import AsyncTokenCredential

    from benchhost.emulator import EmulatorConnection

CLIENT = "aaaaaaaa-0000-4000-8000-000000000001"
READER = "aaaaaaaa-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate()


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path / "jwks.json")


@pytest.fixture
async def emulator(certificate: ClientCertificate, issuer: Issuer) -> AsyncIterator[ArmEmulator]:
    """One application with a certificate and a federated identity, and one that may only read one group."""
    trusted = FederatedIdentity(issuer=ISSUER, subject=SUBJECT, audience=AUDIENCE, keys=issuer.keys_file)
    config = EmulatorConfig(
        latency=LatencyMode.NONE,
        resource_groups=((GROUP, "eastus"), ("other", "eastus")),
        applications=(
            Application(
                client_id=CLIENT,
                object_id=str(uuid.uuid4()),
                certificates=(ClientCertificate().public, certificate.public),
                federated=(trusted,),
            ),
            Application(
                client_id=READER,
                object_id="bbbbbbbb-0000-4000-8000-000000000002",
                secrets=("old", "new"),
                roles=(RoleAssignment(Role.READER, GROUP), RoleAssignment(Role.CONTRIBUTOR, "Own")),
            ),
        ),
    )
    async with ArmEmulator(config) as running:
        yield running


def options(connection: EmulatorConnection) -> dict[str, Any]:
    return {
        "authority": connection.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(connection.ca_bundle),
        "use_env_settings": False,
        "retry_total": 0,
    }


async def list_networks(connection: EmulatorConnection, credential: AsyncTokenCredential) -> list[str]:
    settings = client_settings(connection)
    async with credential, NetworkManagementClient(credential, connection.subscription_id, **settings) as network:
        return [str(found.name) async for found in network.virtual_networks.list(GROUP)]


async def test_a_registered_certificate_is_a_login(emulator: ArmEmulator, certificate: ClientCertificate) -> None:
    connection = emulator.connection
    for content, password in ((certificate.pem(), None), (certificate.pkcs12("pw"), "pw")):
        data = content.encode() if isinstance(content, str) else content
        credential = CertificateCredential(
            connection.tenant_id, CLIENT, certificate_data=data, password=password, **options(connection)
        )
        assert await list_networks(connection, credential) == []


async def test_the_synchronous_login_by_certificate_is_as_good(
    emulator: ArmEmulator, certificate: ClientCertificate
) -> None:
    connection = emulator.connection

    def token() -> str:
        with BlockingCertificateCredential(
            connection.tenant_id, CLIENT, certificate_data=certificate.pem().encode(), **options(connection)
        ) as credential:
            return credential.get_token(f"{connection.audience}/.default").token

    assert (await asyncio.to_thread(token)).count(".") == 2


async def test_a_certificate_that_nobody_registered_is_refused(emulator: ArmEmulator) -> None:
    connection = emulator.connection
    data = ClientCertificate().pem().encode()
    credential = CertificateCredential(connection.tenant_id, CLIENT, certificate_data=data, **options(connection))
    with pytest.raises(ClientAuthenticationError, match=r"AADSTS700027: .* not registered"):
        await list_networks(connection, credential)


async def test_a_certificate_proves_only_its_own_application(
    emulator: ArmEmulator, certificate: ClientCertificate
) -> None:
    connection = emulator.connection
    data = certificate.pem().encode()
    credential = CertificateCredential(connection.tenant_id, READER, certificate_data=data, **options(connection))
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        await list_networks(connection, credential)


@pytest.mark.parametrize(
    ("claims", "signer", "number"),
    [
        pytest.param({}, "another", 700027, id="signed-by-another-key"),
        pytest.param({"aud": "https://login.microsoftonline.com/t/oauth2/v2.0/token"}, "own", 700023, id="for-another"),
        pytest.param({"sub": READER}, "own", 700021, id="of-another-application"),
        pytest.param({"exp": 1000}, "own", 700024, id="expired"),
        pytest.param({}, "own", None, id="as-it-should-be"),
    ],
)
async def test_a_certificate_s_assertion_is_checked(
    emulator: ArmEmulator, certificate: ClientCertificate, claims: dict[str, Any], signer: str, number: int | None
) -> None:
    connection = emulator.connection
    now, audience = int(time.time()), f"{connection.authority}/{connection.tenant_id}/oauth2/v2.0/token"
    body = {"aud": audience, "iss": CLIENT, "sub": CLIENT, "nbf": now, "exp": now + 600, **claims}
    key = certificate.key if signer == "own" else ClientCertificate().key
    token = sign_rs256({"x5t#S256": certificate.thumbprint}, body, key)
    credential = ClientAssertionCredential(connection.tenant_id, CLIENT, lambda: token, **options(connection))
    if number is None:
        assert await list_networks(connection, credential) == []
        return
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}: "):
        await list_networks(connection, credential)


async def test_a_federated_token_is_a_login(emulator: ArmEmulator, issuer: Issuer) -> None:
    connection = emulator.connection
    credential = ClientAssertionCredential(
        connection.tenant_id, CLIENT, lambda: issuer.token(now=time.time()), **options(connection)
    )
    assert await list_networks(connection, credential) == []


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        pytest.param({"iss": "https://another"}, 700211, id="another-issuer"),
        pytest.param({"aud": "sts.amazonaws.com"}, 700212, id="for-another-cloud"),
        pytest.param({"sub": "system:serviceaccount:tenant:default"}, 700213, id="another-service-account"),
        pytest.param({"exp": 1000}, 700024, id="expired-long-ago"),
        pytest.param({"nbf": 2**33}, 700024, id="not-valid-yet"),
        pytest.param({"exp": "soon"}, 50027, id="expires-at-no-time"),
    ],
)
async def test_a_federated_token_of_somebody_else_is_refused(
    emulator: ArmEmulator, issuer: Issuer, claims: dict[str, Any], number: int
) -> None:
    connection = emulator.connection
    token = issuer.token(now=time.time(), **claims)
    credential = ClientAssertionCredential(connection.tenant_id, CLIENT, lambda: token, **options(connection))
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{number}: "):
        await list_networks(connection, credential)


async def test_a_forged_federated_token_is_refused_and_new_keys_of_the_issuer_are_seen(
    emulator: ArmEmulator, issuer: Issuer, tmp_path: Path
) -> None:
    forger = Issuer(tmp_path / "forged.json")
    connection = emulator.connection

    async def log_in(signer: Issuer) -> None:
        token = signer.token(now=time.time())
        credential = ClientAssertionCredential(connection.tenant_id, CLIENT, lambda: token, **options(connection))
        await list_networks(connection, credential)

    with pytest.raises(ClientAuthenticationError, match="AADSTS50013"):
        await log_in(forger)
    await log_in(issuer)
    issuer.keys_file.write_text(forger.keys_file.read_text())
    await log_in(forger)


@pytest.mark.parametrize(
    ("assertion", "number"),
    [
        pytest.param("no.token.atall", 50027, id="no-token"),
        pytest.param("", 50027, id="nothing"),
        pytest.param("e30.e30.e30", 700211, id="an-empty-token"),
    ],
)
async def test_what_is_no_assertion_is_refused(emulator: ArmEmulator, assertion: str, number: int) -> None:
    async with raw_of(emulator.connection) as raw:
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        secretless = {"client_id": CLIENT, "client_assertion": assertion, "client_assertion_type": kind}
        _, body = await raw.token(client_secret=None, **secretless)
        assert body["error_codes"] == [number]


async def test_rights_end_where_the_role_does(emulator: ArmEmulator) -> None:
    connection = emulator.connection
    async with raw_of(connection) as owner, raw_of(connection) as reader:
        group, network = owner.group, f"{owner.group}/providers/Microsoft.Network/virtualNetworks/vnet"
        await owner.send("PUT", f"{network}?api-version=2026-03-01", json=network_body())
        for secret in ("old", "new"):
            status, body = await reader.token(client_id=READER, client_secret=secret)
            assert status == 200
        reader.headers = {"Authorization": f"Bearer {body['access_token']}"}

        assert (await reader.send("GET", f"{network}?api-version=2026-03-01"))[0] == 200
        status, headers, refused = await reader.send("DELETE", f"{network}?api-version=2026-03-01")
        assert (status, refused["error"]["code"]) == (403, "AuthorizationFailed")
        assert headers["x-ms-failure-cause"] == "gateway"
        assert "'Microsoft.Network/virtualNetworks/delete'" in refused["error"]["message"]
        assert f"over scope '{network}'" in refused["error"]["message"]
        assert "object id 'bbbbbbbb-0000-4000-8000-000000000002'" in refused["error"]["message"]

        nowhere = group.replace(f"/{GROUP}", "/no-such-group")
        assert (await reader.send("GET", f"{nowhere}?api-version=2024-11-01"))[0] == 403
        own = group.replace(f"/{GROUP}", "/own")
        assert (await reader.send("PUT", f"{own}?api-version=2024-11-01", json={"location": "eastus"}))[0] == 201
        lists = f"/subscriptions/{connection.subscription_id}/resourcegroups?api-version=2024-11-01"
        assert [item["name"] for item in (await reader.send("GET", lists))[2]["value"]] == [GROUP, "own"]
        assert [item["name"] for item in (await owner.send("GET", lists))[2]["value"]] == [GROUP, "other", "own"]


async def test_the_sdk_tells_a_missing_right_as_such(emulator: ArmEmulator) -> None:
    connection = emulator.connection
    credential = ClientSecretCredential(connection.tenant_id, READER, "new", **options(connection))
    settings = client_settings(connection)
    async with credential, NetworkManagementClient(credential, connection.subscription_id, **settings) as network:
        with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
            await network.virtual_networks.begin_create_or_update(GROUP, "vnet", network_body())
