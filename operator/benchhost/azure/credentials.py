"""Who we are in Azure: the kinds of credentials, and the SDK's token credential that is made of each.

Made by ``credential_keys`` from a Secret or from the controller's environment; used by the clients. Values never appear
in a representation, a message or a log line. All of them send their requests over the transport that they are given,
and none tries again by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.identity.aio import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)
from benchhost.api.conditions import Reason
from benchhost.azure.settings import AzureCloudSettings
from benchhost.cloud.errors import CredentialsError

Transport = AsyncHttpTransport[object, object]

_NO_RETRIES: Final = {"retry_total": 0}


class AzureCredentials(Protocol):
    """Something that Azure accepts as proof of who we are."""

    @property
    def principal(self) -> str:
        """Who that is, whatever proves it: what Azure counts requests by."""
        ...

    def to_token_credential(self, settings: AzureCloudSettings, transport: Transport) -> AsyncTokenCredential:
        """The SDK's credential over this transport.

        Raises
        ------
        CredentialsError
            If the values cannot even be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Application:
    """A service principal, whatever proves that we are it."""

    tenant_id: str = field(repr=False)
    client_id: str = field(repr=False)

    @property
    def principal(self) -> str:
        """Who that is, whatever proves it."""
        return f"{self.tenant_id}/{self.client_id}".lower()


@dataclass(frozen=True, slots=True)
class ClientSecret(_Application):
    """A service principal with a client secret."""

    client_secret: str = field(repr=False)

    def to_token_credential(self, settings: AzureCloudSettings, transport: Transport) -> AsyncTokenCredential:
        """As ``AzureCredentials`` has it."""
        return ClientSecretCredential(
            self.tenant_id, self.client_id, self.client_secret, **_entra_options(settings, transport)
        )


@dataclass(frozen=True, slots=True)
class ClientCertificate(_Application):
    """A service principal with a certificate and its RSA key."""

    content: bytes = field(repr=False)
    """PEM or PKCS#12."""
    password: str | None = field(default=None, repr=False)
    source: str = "AZURE_CLIENT_CERTIFICATE"
    """The key that named it, for messages."""

    def to_token_credential(self, settings: AzureCloudSettings, transport: Transport) -> AsyncTokenCredential:
        """As ``AzureCredentials`` has it."""
        try:
            return CertificateCredential(
                self.tenant_id,
                self.client_id,
                certificate_data=self.content,
                password=self.password,
                **_entra_options(settings, transport),
            )
        except (ValueError, TypeError) as error:
            # The SDK's own text may quote what it could not read.
            raise CredentialsError(
                f"The certificate in {self.source} cannot be used; it has to be PEM or PKCS#12 with its RSA private "
                "key, and AZURE_CLIENT_CERTIFICATE_PASSWORD has to be its password if it has one."
            ) from error


@dataclass(frozen=True, slots=True)
class ClientCertificateFile(_Application):
    """The same, in a file that may be replaced while we run."""

    path: Path
    password: str | None = field(default=None, repr=False)

    def to_token_credential(self, settings: AzureCloudSettings, transport: Transport) -> AsyncTokenCredential:
        """As ``AzureCredentials`` has it."""

        def make(content: bytes) -> AsyncTokenCredential:
            certificate = ClientCertificate(
                self.tenant_id, self.client_id, content, self.password, "AZURE_CLIENT_CERTIFICATE_PATH"
            )
            return certificate.to_token_credential(settings, transport)

        return _FileCredential(self.path, make)


@dataclass(frozen=True, slots=True)
class FederatedToken(_Application):
    """A principal that trusts the issuer of our service account token (workload identity federation)."""

    token_file: Path

    def to_token_credential(self, settings: AzureCloudSettings, transport: Transport) -> AsyncTokenCredential:
        """As ``AzureCredentials`` has it.

        The SDK's own WorkloadIdentityCredential keeps the file's content for ten minutes, which is the shortest
        lifetime of a projected token; this reads the file whenever a token is asked for, some once an hour.
        """
        return ClientAssertionCredential(
            self.tenant_id, self.client_id, self._read_token, **_entra_options(settings, transport)
        )

    def _read_token(self) -> str:
        token = _read_file(self.token_file, "AZURE_FEDERATED_TOKEN_FILE").decode(errors="replace").strip()
        if not token:
            raise CredentialsError(
                f"The file {self.token_file}, which AZURE_FEDERATED_TOKEN_FILE names, is empty.",
                reason=Reason.CREDENTIALS_MISSING,
            )
        return token


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The identity that Azure gives to the machine or pod that we run on."""

    client_id: str | None = field(default=None, repr=False)
    """Of a user-assigned identity; None means the machine's own."""

    @property
    def principal(self) -> str:
        """Who that is."""
        return f"managed/{self.client_id or ''}".lower()

    def to_token_credential(self, settings: AzureCloudSettings, transport: Transport) -> AsyncTokenCredential:  # noqa: ARG002 - its authority is the machine
        """As ``AzureCredentials`` has it."""
        options: dict[str, Any] = {"transport": transport, **_NO_RETRIES}
        return ManagedIdentityCredential(client_id=self.client_id, **options)


class _FileCredential:
    """A credential that is made anew when its file has changed, looked at whenever a token is asked for."""

    def __init__(self, path: Path, make: Callable[[bytes], AsyncTokenCredential]) -> None:
        self._path = path
        self._make = make
        self._content = b""
        self._made: AsyncTokenCredential | None = None

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token, by the file as it is now."""
        content = _read_file(self._path, "AZURE_CLIENT_CERTIFICATE_PATH")
        if self._made is None or content != self._content:
            self._made, self._content = self._make(content), content
        return await self._made.get_token(*scopes, **options)

    async def close(self) -> None:
        """Nothing is open here: the transport is somebody else's."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _entra_options(settings: AzureCloudSettings, transport: Transport) -> dict[str, Any]:
    return {
        "authority": settings.authority_host,
        "disable_instance_discovery": settings.disable_instance_discovery,
        "transport": transport,
        **_NO_RETRIES,
    }


def _read_file(path: Path, key: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialsError(
            f"The file {path}, which {key} names, cannot be read: {error.strerror}.",
            reason=Reason.CREDENTIALS_MISSING,
        ) from error
