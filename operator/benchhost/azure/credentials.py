"""Who we are in Azure: values from a Secret or the environment, and the token credential that is made of them.

Made by the composition root for each Secret; used by the clients. Its values never appear in a representation, a
message or a log line. A new kind of credential (certificate, workload identity) is one more class with
``to_token_credential`` and one more line in ``from_mapping``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.identity.aio import ClientSecretCredential
from benchhost.api.conditions import Reason
from benchhost.azure.settings import AzureCloudSettings
from benchhost.cloud.errors import CredentialsError

TENANT_ID: Final = "AZURE_TENANT_ID"
CLIENT_ID: Final = "AZURE_CLIENT_ID"
CLIENT_SECRET: Final = "AZURE_CLIENT_SECRET"  # noqa: S105 - the name of a key, not a secret
_KEYS: Final = (TENANT_ID, CLIENT_ID, CLIENT_SECRET)


@dataclass(frozen=True, slots=True)
class AzureCredentials:
    """A service principal with a client secret."""

    tenant_id: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> Self:
        """Read the credentials from a Secret's values or from environment variables.

        Raises
        ------
        CredentialsError
            If a key is missing or empty; the message names the keys and no value.
        """
        missing = [key for key in _KEYS if not values.get(key, "").strip()]
        if missing:
            raise CredentialsError(
                f"The Azure credentials lack {' and '.join(missing)}; they need {', '.join(_KEYS)}.",
                reason=Reason.CREDENTIALS_MISSING,
            )
        tenant_id, client_id, client_secret = (values[key].strip() for key in _KEYS)
        return cls(tenant_id=tenant_id, client_id=client_id, client_secret=client_secret)

    def to_token_credential(
        self, settings: AzureCloudSettings, transport: AsyncHttpTransport[object, object]
    ) -> AsyncTokenCredential:
        """The SDK's credential over this transport; it does not try again by itself.

        Raises
        ------
        CredentialsError
            If the tenant is not even a possible one.
        """
        try:
            return ClientSecretCredential(
                self.tenant_id,
                self.client_id,
                self.client_secret,
                authority=settings.authority_host,
                disable_instance_discovery=settings.disable_instance_discovery,
                transport=transport,
                retry_total=0,
            )
        except ValueError as error:
            raise CredentialsError(
                f"{TENANT_ID} is not a tenant id; write the GUID or the domain name of the Entra tenant."
            ) from error
