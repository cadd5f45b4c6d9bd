"""What the keys of a Secret or of the environment mean; a wrong combination is one sentence without a value."""

import base64
from pathlib import Path

import pytest
from azure.core.pipeline.transport import AsyncHttpTransport

from benchhost.api.conditions import Reason
from benchhost.azure import AzureCloudSettings, credentials_from_environment, credentials_from_secret, token_file_of
from benchhost.azure.credentials import (
    AzureCredentials,
    ClientCertificate,
    ClientCertificateFile,
    ClientSecret,
    FederatedToken,
    ManagedIdentity,
)
from benchhost.cloud import CredentialsError
from support import identities

WHO = {"AZURE_TENANT_ID": "tenant-value", "AZURE_CLIENT_ID": "client-value"}
SECRET = {**WHO, "AZURE_CLIENT_SECRET": "secret-value"}
PEM = "-----BEGIN PRIVATE KEY-----\ncertificate-value"
TOKEN = Path("/var/run/secrets/azure/tokens/azure-identity-token")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(
            {**SECRET, "AZURE_CLIENT_ID": " client-value\n"},
            ClientSecret("tenant-value", "client-value", "secret-value"),
            id="client-secret",
        ),
        pytest.param(
            {**WHO, "AZURE_CLIENT_CERTIFICATE": PEM, "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pw-value"},
            ClientCertificate("tenant-value", "client-value", PEM.encode(), "pw-value"),
            id="certificate-as-pem",
        ),
        pytest.param(
            {**WHO, "AZURE_CLIENT_CERTIFICATE": base64.encodebytes(b"\x30\xff pfx").decode()},
            ClientCertificate("tenant-value", "client-value", b"\x30\xff pfx"),
            id="certificate-as-base64",
        ),
        pytest.param(
            {**WHO, "AZURE_CLIENT_CERTIFICATE": b"\x30\xff pfx\n".decode(errors="surrogateescape")},
            ClientCertificate("tenant-value", "client-value", b"\x30\xff pfx\n"),
            id="certificate-in-binary",
        ),
        pytest.param(
            {**WHO, "AUTH_MODE": "WorkloadIdentity"},
            FederatedToken("tenant-value", "client-value", TOKEN),
            id="workload-identity",
        ),
    ],
)
def test_a_secret_is_read_and_never_shown(values: dict[str, str], expected: AzureCredentials) -> None:
    found = credentials_from_secret({**values, "OTHER": "x", "AZURE_SUBSCRIPTION_ID": "x"}, token_file=TOKEN)
    assert found == expected
    assert "value" not in f"{found!r} {found!s}"


@pytest.mark.parametrize(
    ("values", "reason", "words"),
    [
        pytest.param({}, Reason.CREDENTIALS_MISSING, ["AZURE_TENANT_ID and AZURE_CLIENT_ID and"], id="nothing"),
        pytest.param(
            WHO, Reason.CREDENTIALS_MISSING, ["lack AZURE_CLIENT_SECRET;", "or AZURE_CLIENT_CERTIFICATE"], id="no-proof"
        ),
        *(
            pytest.param(
                {**SECRET, key: value}, Reason.CREDENTIALS_MISSING, [f"lack {key};"], id=f"{kind}-{key.lower()}"
            )
            for key in SECRET
            for kind, value in (("empty", ""), ("blank", "  \n"))
        ),
        pytest.param(
            {"AZURE_TENANT_ID": "tenant-value", "AZURE_CLIENT_CERTIFICATE": PEM},
            Reason.CREDENTIALS_MISSING,
            ["lack AZURE_CLIENT_ID;", "AZURE_CLIENT_CERTIFICATE"],
            id="certificate-of-nobody",
        ),
        pytest.param(
            {**SECRET, "AZURE_CLIENT_CERTIFICATE": PEM},
            Reason.CREDENTIALS_REJECTED,
            ["both AZURE_CLIENT_SECRET and AZURE_CLIENT_CERTIFICATE;"],
            id="secret-and-certificate",
        ),
        pytest.param(
            {**SECRET, "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pw-value"},
            Reason.CREDENTIALS_REJECTED,
            ["AZURE_CLIENT_CERTIFICATE_PASSWORD but no AZURE_CLIENT_CERTIFICATE;"],
            id="password-of-no-certificate",
        ),
        pytest.param(
            {**WHO, "AZURE_CLIENT_CERTIFICATE_PATH": "/etc/shadow-value"},
            Reason.CREDENTIALS_MISSING,
            ["AZURE_CLIENT_CERTIFICATE_PATH is not read from a Secret", "as AZURE_CLIENT_CERTIFICATE."],
            id="path-in-a-secret",
        ),
        pytest.param(
            {**WHO, "AZURE_FEDERATED_TOKEN_FILE": "/etc/shadow-value"},
            Reason.CREDENTIALS_MISSING,
            ["lack AZURE_CLIENT_SECRET"],
            id="token-file-in-a-secret",
        ),
        pytest.param(
            {**SECRET, "AUTH_MODE": "workloadidentity"},
            Reason.CREDENTIALS_REJECTED,
            ["both AUTH_MODE and AZURE_CLIENT_SECRET;"],
            id="workload-identity-and-secret",
        ),
        pytest.param(
            {**WHO, "AUTH_MODE": "pod-value"}, Reason.CREDENTIALS_REJECTED, ["AUTH_MODE has a value"], id="unknown-mode"
        ),
        pytest.param(
            {**WHO, "AUTH_MODE": "workloadidentity"},
            Reason.CREDENTIALS_MISSING,
            ["AZURE_FEDERATED_TOKEN_FILE", "--identity-namespace"],
            id="workload-identity-without-a-token",
        ),
        pytest.param(
            {"AZURE_TENANT_ID": "tenant-value", "AUTH_MODE": "workloadidentity"},
            Reason.CREDENTIALS_MISSING,
            ["lack AZURE_CLIENT_ID;"],
            id="workload-identity-of-nobody",
        ),
        pytest.param(
            {**SECRET, "AZURE_TENANT_ID": "no tenant-value"},
            Reason.CREDENTIALS_REJECTED,
            ["AZURE_TENANT_ID is not a tenant id"],
            id="tenant-that-cannot-be-one",
        ),
    ],
)
def test_a_wrong_secret_is_one_sentence_that_names_keys(
    values: dict[str, str], reason: Reason, words: list[str]
) -> None:
    with pytest.raises(CredentialsError) as caught:
        credentials_from_secret(values)
    assert caught.value.reason is reason
    assert [word for word in words if word not in caught.value.message] == []
    assert "-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param(
            {**SECRET, "AZURE_FEDERATED_TOKEN_FILE": str(TOKEN)},
            ClientSecret("tenant-value", "client-value", "secret-value"),
            id="secret-before-token",
        ),
        pytest.param(
            {**WHO, "AZURE_CLIENT_CERTIFICATE_PATH": "/tls/cert.pem"},
            ClientCertificateFile("tenant-value", "client-value", Path("/tls/cert.pem")),
            id="certificate-in-a-file",
        ),
        pytest.param(
            {**WHO, "AZURE_FEDERATED_TOKEN_FILE": str(TOKEN)},
            FederatedToken("tenant-value", "client-value", TOKEN),
            id="workload-identity",
        ),
        pytest.param({"PATH": "/bin"}, ManagedIdentity(), id="managed-identity-of-the-machine"),
        pytest.param({"AZURE_CLIENT_ID": "client-value"}, ManagedIdentity("client-value"), id="user-assigned-identity"),
    ],
)
def test_the_controller_s_own_credentials_follow_from_its_environment(
    environment: dict[str, str], expected: AzureCredentials
) -> None:
    found = credentials_from_environment(environment)
    assert found == expected
    assert "-value" not in repr(found)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param({"AZURE_TENANT_ID": "t"}, "lack AZURE_CLIENT_ID and AZURE_CLIENT_SECRET", id="tenant-only"),
        pytest.param({"AZURE_CLIENT_SECRET": "s"}, "lack AZURE_TENANT_ID and AZURE_CLIENT_ID", id="secret-only"),
        pytest.param(
            {"AZURE_FEDERATED_TOKEN_FILE": "/f", "AZURE_TENANT_ID": "t"}, "lack AZURE_CLIENT_ID", id="token-of-nobody"
        ),
        pytest.param(
            {**WHO, "AZURE_CLIENT_CERTIFICATE": PEM, "AZURE_CLIENT_CERTIFICATE_PATH": "/f"},
            "both AZURE_CLIENT_CERTIFICATE and AZURE_CLIENT_CERTIFICATE_PATH",
            id="two-certificates",
        ),
    ],
)
def test_a_wrong_environment_is_one_sentence(environment: dict[str, str], words: str) -> None:
    with pytest.raises(CredentialsError, match=words):
        credentials_from_environment(environment)


def test_where_the_controller_s_token_is() -> None:
    assert token_file_of({"AZURE_FEDERATED_TOKEN_FILE": f" {TOKEN}\n"}) == TOKEN
    assert token_file_of({"AZURE_FEDERATED_TOKEN_FILE": " "}) is None


@pytest.fixture(scope="module")
def certificate() -> identities.ClientCertificate:
    return identities.ClientCertificate()


@pytest.mark.parametrize("case", ["garbage", "no-key", "wrong-password", "no-password"])
def test_a_certificate_that_cannot_be_read_is_told_without_its_content(
    case: str, certificate: identities.ClientCertificate
) -> None:
    content, password = {
        "garbage": (b"garbage-value", None),
        "no-key": (certificate.public.encode(), None),
        "wrong-password": (certificate.pkcs12("right-value"), "wrong-value"),
        "no-password": (certificate.pem("right-value").encode(), None),
    }[case]
    credentials = ClientCertificate("tenant", "client", content, password)
    with pytest.raises(CredentialsError, match="AZURE_CLIENT_CERTIFICATE cannot be used") as caught:
        credentials.to_token_credential(AzureCloudSettings(), transport())
    assert "-value" not in str(caught.value)


async def test_a_file_that_is_gone_is_told_by_its_name(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    for credentials in (FederatedToken("t", "c", nowhere), ClientCertificateFile("t", "c", nowhere)):
        credential = credentials.to_token_credential(AzureCloudSettings(), transport())
        with pytest.raises(CredentialsError, match=f"{nowhere}.* cannot be read: No such file") as caught:
            await credential.get_token("scope/.default")
        assert caught.value.reason is Reason.CREDENTIALS_MISSING


async def test_an_empty_token_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    credential = FederatedToken("t", "c", tmp_path / "token").to_token_credential(AzureCloudSettings(), transport())
    with pytest.raises(CredentialsError, match="is empty"):
        await credential.get_token("scope/.default")


def transport() -> AsyncHttpTransport[object, object]:
    """One that is never used."""

    class Unused:
        pass

    return Unused()  # type: ignore[return-value]  # nothing is sent
