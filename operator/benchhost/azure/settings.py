"""Which Azure: the endpoints of the public cloud, a sovereign cloud, Azure Stack Hub or anything that speaks ARM.

Made by the composition root from the environment, read by the clients of this package. The environment names are
those of Azure Service Operator. Nothing here weakens a check: every endpoint is HTTPS with a verified certificate.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

ENDPOINT: Final = "AZURE_RESOURCE_MANAGER_ENDPOINT"
AUDIENCE: Final = "AZURE_RESOURCE_MANAGER_AUDIENCE"
AUTHORITY: Final = "AZURE_AUTHORITY_HOST"
CA_BUNDLE: Final = "AZURE_CA_BUNDLE"

_PUBLIC_ENDPOINT: Final = "https://management.azure.com"
_PUBLIC_AUTHORITY: Final = "https://login.microsoftonline.com"
_KNOWN_AUTHORITIES: Final = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)
"""Authorities that Microsoft's instance discovery knows (azure.identity.AzureAuthorityHosts)."""


class AzureSettingsError(ValueError):
    """A setting has a value that cannot be used; the message names the environment variable."""


@dataclass(frozen=True, slots=True)
class AzureCloudSettings:
    """Where a cloud is and how it is verified.

    Parameters
    ----------
    resource_manager_endpoint
        Base URL of ARM, without a trailing slash.
    resource_manager_audience
        What tokens are asked for; the scope is this and ``/.default``.
    authority_host
        Base URL of the identity service.
    ca_bundle
        File with the certificates to trust in place of the system's.
    request_timeout
        Seconds for a connection, and for each silence of the server; a whole call with its token request may take
        twice that. The slowest call that was recorded, a machine's PUT, took 3.6 s.
    """

    resource_manager_endpoint: str = _PUBLIC_ENDPOINT
    resource_manager_audience: str = _PUBLIC_ENDPOINT
    authority_host: str = _PUBLIC_AUTHORITY
    ca_bundle: Path | None = None
    request_timeout: float = 30.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; a variable that is absent or empty means the public cloud.

        Without an audience of its own, a cloud's endpoint is its audience.

        Raises
        ------
        AzureSettingsError
            If a URL is not plain HTTPS, or the CA bundle cannot be read.
        """
        endpoint = _read_url(environment, ENDPOINT) or _PUBLIC_ENDPOINT
        return cls(
            resource_manager_endpoint=endpoint,
            resource_manager_audience=_read_audience(environment) or endpoint,
            authority_host=_read_url(environment, AUTHORITY) or _PUBLIC_AUTHORITY,
            ca_bundle=_read_file(environment, CA_BUNDLE),
        )

    @property
    def scope(self) -> str:
        """The OAuth scope of a token for ARM. A slash at the audience's end belongs to the audience."""
        return f"{self.resource_manager_audience}/.default"

    @property
    def disable_instance_discovery(self) -> bool:
        """Whether the authority vouches for itself: Microsoft's discovery service knows only its own clouds."""
        return urlsplit(self.authority_host).hostname not in _KNOWN_AUTHORITIES

    def is_at_endpoint(self, url: str) -> bool:
        """Whether a URL leads to this cloud's ARM and nowhere else, so that a token may be sent there."""
        try:
            given, own = urlsplit(url), urlsplit(self.resource_manager_endpoint)
            same_port = (given.port or 443) == (own.port or 443)
        except ValueError:
            return False
        has_user = given.username is not None or given.password is not None
        return given.scheme == "https" and given.hostname == own.hostname and same_port and not has_user


def _read_url(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name, "").strip()
    if not value:
        return None
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme == "https" and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable or parts.query or parts.fragment or parts.username:
        raise AzureSettingsError(
            f"{name} is {value!r}, which is not a plain HTTPS URL; write it as https://host or https://host:port."
        )
    return value.rstrip("/")


def _read_audience(environment: Mapping[str, str]) -> str | None:
    """An audience is an identifier, not an address: only spaces make it unusable."""
    value = environment.get(AUDIENCE, "").strip()
    if any(character.isspace() for character in value):
        raise AzureSettingsError(f"{AUDIENCE} is {value!r}, which has a space in it; write one URL.")
    return value or None


def _read_file(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name, "").strip()
    if not value:
        return None
    path = Path(value)
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise AzureSettingsError(f"{name} is {value!r}, which is no file of PEM certificates; name one.") from error
    except OSError as error:
        raise AzureSettingsError(
            f"{name} is {value!r}, which cannot be read ({error.strerror}); name a file of PEM certificates."
        ) from error
    return path
