"""Each kind of credentials against the emulator's Entra ID, through the unmodified azure-identity."""

import base64
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchhost.api.conditions import Reason
from benchhost.azure import AzureCloudSettings, AzureProvider, credentials_from_environment, credentials_from_secret
from benchhost.azure.credentials import AzureCredentials
from benchhost.cloud import AdminError, CredentialsError, HostRequest, Part, Verb
from benchhost.cloud.provider import Step
from benchhost.emulator import ArmEmulator, EmulatorConfig
from benchhost.emulator.entra.directory import Application, FederatedIdentity, ManagedIdentity, Role, RoleAssignment
from contract.clouds import Cloud, EmulatorClock
from support.identities import AUDIENCE, ISSUER, SUBJECT, ClientCertificate, Issuer

CLIENT = "aaaaaaaa-0000-4000-8000-000000000001"
READER = "aaaaaaaa-0000-4000-8000-000000000002"
MACHINE = "aaaaaaaa-0000-4000-8000-000000000003"


@dataclass
class Tenant:
    """A running emulator that knows everybody, and what proves them."""

    emulator: ArmEmulator
    clock: EmulatorClock
    certificate: ClientCertificate
    issuer: Issuer
    token_file: Path

    @property
    def who(self) -> dict[str, str]:
        return {"AZURE_TENANT_ID": self.emulator.connection.tenant_id, "AZURE_CLIENT_ID": CLIENT}

    def write_token(self, **claims: object) -> None:
        self.token_file.write_text(self.issuer.token(now=self.clock.now(), **claims) + "\n")

    @asynccontextmanager
    async def provider(self, credentials: AzureCredentials) -> AsyncIterator[AzureProvider]:
        connection = self.emulator.connection
        settings = AzureCloudSettings(
            resource_manager_endpoint=connection.endpoint,
            resource_manager_audience=connection.audience,
            authority_host=connection.authority,
            ca_bundle=connection.ca_bundle,
        )
        made = AzureProvider(settings, credentials)
        try:
            yield made
        finally:
            await made.close()

    def request(self) -> HostRequest:
        connection = self.emulator.connection
        return Cloud(None, lambda _: None, connection.subscription_id).request()  # type: ignore[arg-type]

    async def log_in(self, credentials: AzureCredentials) -> None:
        async with self.provider(credentials) as provider:
            assert dict((await provider.observe(self.request())).parts) == {}


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate()


@pytest.fixture
async def tenant(certificate: ClientCertificate, tmp_path: Path) -> AsyncIterator[Tenant]:
    issuer = Issuer(tmp_path / "jwks.json")
    trusted = FederatedIdentity(issuer=ISSUER, subject=SUBJECT, audience=AUDIENCE, keys=issuer.keys_file)
    applications = (
        Application(
            client_id=CLIENT, object_id=str(uuid.uuid4()), certificates=(certificate.public,), federated=(trusted,)
        ),
        Application(
            client_id=READER, object_id=str(uuid.uuid4()), secrets=("reader",), roles=(RoleAssignment(Role.READER),)
        ),
    )
    clock = EmulatorClock()
    clock.seconds = time.time()  # clients make assertions by their own clock
    config = EmulatorConfig(
        clock=clock,
        time_scale=0.001,
        resource_groups=(("bench-rg", "eastus"),),
        applications=applications,
        managed_identities=(ManagedIdentity(client_id=MACHINE, object_id=str(uuid.uuid4()), resource_id="/id"),),
        metadata_port=0,
    )
    async with ArmEmulator(config) as emulator:
        tenant = Tenant(emulator, clock, certificate, issuer, tmp_path / "token")
        tenant.write_token()
        yield tenant


@pytest.mark.parametrize("form", ["pem", "pem-with-password", "base64-pkcs12", "binary-pkcs12"])
async def test_a_certificate_in_a_secret_is_a_login(tenant: Tenant, form: str) -> None:
    certificate = tenant.certificate
    values: Mapping[str, str] = {
        "pem": {"AZURE_CLIENT_CERTIFICATE": certificate.pem()},
        "pem-with-password": {
            "AZURE_CLIENT_CERTIFICATE": certificate.pem("pw"),
            "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pw",
        },
        "base64-pkcs12": {
            "AZURE_CLIENT_CERTIFICATE": base64.b64encode(certificate.pkcs12("pw")).decode(),
            "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pw",
        },
        "binary-pkcs12": {
            "AZURE_CLIENT_CERTIFICATE": certificate.pkcs12().decode(errors="surrogateescape"),
        },
    }[form]
    await tenant.log_in(credentials_from_secret({**tenant.who, **values}))


async def test_a_certificate_that_nobody_registered_is_told_with_what_to_do(tenant: Tenant) -> None:
    values = {**tenant.who, "AZURE_CLIENT_CERTIFICATE": ClientCertificate().pem()}
    with pytest.raises(CredentialsError, match=r"not registered.*Check AZURE_CLIENT_CERTIFICATE") as caught:
        await tenant.log_in(credentials_from_secret(values))
    assert (caught.value.reason, caught.value.code) == (Reason.CREDENTIALS_REJECTED, "AADSTS700027")


async def test_a_certificate_file_is_read_again_when_it_was_replaced(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pem"
    path.write_text(ClientCertificate().pem())
    credentials = credentials_from_environment({**tenant.who, "AZURE_CLIENT_CERTIFICATE_PATH": str(path)})
    async with tenant.provider(credentials) as provider:
        with pytest.raises(CredentialsError, match="AADSTS700027"):
            await provider.observe(tenant.request())
        path.write_text("half a certi")
        with pytest.raises(CredentialsError, match="AZURE_CLIENT_CERTIFICATE_PATH cannot be used"):
            await provider.observe(tenant.request())
        path.write_text(tenant.certificate.pem())
        await provider.observe(tenant.request())


async def test_the_controller_s_token_is_exchanged_for_its_own_identity_and_for_that_of_a_secret(
    tenant: Tenant,
) -> None:
    own = {**tenant.who, "AZURE_FEDERATED_TOKEN_FILE": str(tenant.token_file)}
    await tenant.log_in(credentials_from_environment(own))
    await tenant.log_in(
        credentials_from_secret({**tenant.who, "AUTH_MODE": "workloadidentity"}, token_file=tenant.token_file)
    )


async def test_a_projected_token_is_read_again_when_it_was_replaced(tenant: Tenant) -> None:
    tenant.write_token(exp=int(tenant.clock.now()) - 3600)
    credentials = credentials_from_environment({**tenant.who, "AZURE_FEDERATED_TOKEN_FILE": str(tenant.token_file)})
    async with tenant.provider(credentials) as provider:
        with pytest.raises(CredentialsError, match="AADSTS700024"):
            await provider.observe(tenant.request())
        tenant.write_token(sub="system:serviceaccount:default:default")
        with pytest.raises(CredentialsError, match=r"federated credential for this issuer.*AADSTS700213"):
            await provider.observe(tenant.request())
        tenant.write_token()
        await provider.observe(tenant.request())


async def test_a_managed_identity_is_found_at_the_metadata_service(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tenant.emulator.connection.metadata is not None
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", tenant.emulator.connection.metadata.endpoint)
    await tenant.log_in(credentials_from_environment({}))
    await tenant.log_in(credentials_from_environment({"AZURE_CLIENT_ID": MACHINE}))
    with pytest.raises(CredentialsError, match="has not been assigned"):
        await tenant.log_in(credentials_from_environment({"AZURE_CLIENT_ID": CLIENT}))


async def test_a_machine_without_metadata_service_is_told_as_such(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(CredentialsError, match=r"managed identity, .*AZURE_TENANT_ID"):
        await tenant.log_in(credentials_from_environment({}))


async def test_a_principal_with_fewer_rights_is_told_what_it_lacks(tenant: Tenant) -> None:
    values = {**tenant.who, "AZURE_CLIENT_ID": READER, "AZURE_CLIENT_SECRET": "reader"}
    async with tenant.provider(credentials_from_secret(values)) as provider:
        seen = await provider.observe(tenant.request())
        with pytest.raises(AdminError, match="role Contributor") as caught:
            await provider.start(tenant.request(), Step(Verb.ENSURE, Part.NETWORK), seen)
    assert (caught.value.reason, caught.value.code) == (Reason.AUTHORIZATION_FAILED, "AuthorizationFailed")
