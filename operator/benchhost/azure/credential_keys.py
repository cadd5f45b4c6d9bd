"""Which kind of credentials the keys of a Secret, or of the controller's environment, mean.

Called by the composition root. The names are those of Azure Service Operator and azure-identity. Of a Secret only the
keys listed here are read: nobody who can write one may make the controller read a file or send a token elsewhere. Every
wrong combination ends in one sentence that names keys and no value.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.azure.credentials import (
    AzureCredentials,
    ClientCertificate,
    ClientCertificateFile,
    ClientSecret,
    FederatedToken,
    ManagedIdentity,
)
from benchhost.cloud.errors import CredentialsError

TENANT_ID: Final = "AZURE_TENANT_ID"
CLIENT_ID: Final = "AZURE_CLIENT_ID"
CLIENT_SECRET: Final = "AZURE_CLIENT_SECRET"  # noqa: S105 - the name of a key, not a secret
CERTIFICATE: Final = "AZURE_CLIENT_CERTIFICATE"
CERTIFICATE_PATH: Final = "AZURE_CLIENT_CERTIFICATE_PATH"
CERTIFICATE_PASSWORD: Final = "AZURE_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 - the same
TOKEN_FILE: Final = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 - the same
AUTH_MODE: Final = "AUTH_MODE"

_WORKLOAD_IDENTITY: Final = "workloadidentity"
_SECRET_KEYS: Final = (TENANT_ID, CLIENT_ID, CLIENT_SECRET, CERTIFICATE, CERTIFICATE_PASSWORD, AUTH_MODE)
_OWN_KEYS: Final = (
    TENANT_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    CERTIFICATE,
    CERTIFICATE_PATH,
    CERTIFICATE_PASSWORD,
    TOKEN_FILE,
)
_PROOFS: Final = (CLIENT_SECRET, CERTIFICATE, CERTIFICATE_PATH)
_TENANT: Final = re.compile(r"[A-Za-z0-9.-]+")
"""GUIDs and domain names, as azure-identity checks them."""


def credentials_from_secret(values: Mapping[str, str], *, token_file: Path | None = None) -> AzureCredentials:
    """The credentials that a Secret holds.

    Parameters
    ----------
    values
        The Secret's values; bytes that are no text as surrogates.
    token_file
        The controller's projected service account token, where the Secret's namespace may use it. Whoever uses it
        can be every identity that trusts the controller (Azure Service Operator, "Workload Identity isolation").

    Raises
    ------
    CredentialsError
        If keys are missing, or contradict each other.
    """
    given = _present(values, _SECRET_KEYS)
    if AUTH_MODE in given:
        return _workload_identity(given, token_file)
    proof = _only_proof(given)
    if proof is None and CERTIFICATE_PATH in values:
        raise _missing(
            f"{CERTIFICATE_PATH} is not read from a Secret; put the certificate itself into it as {CERTIFICATE}."
        )
    _require(given, TENANT_ID, CLIENT_ID, proof or CLIENT_SECRET)
    return _service_principal(given)


def credentials_from_environment(environment: Mapping[str, str]) -> AzureCredentials:
    """The controller's own credentials: a secret, a certificate, a federated token, or else a managed identity.

    Raises
    ------
    CredentialsError
        If variables are missing, or contradict each other.
    """
    given = _present(environment, _OWN_KEYS)
    if _only_proof(given) is not None:
        _require(given, TENANT_ID, CLIENT_ID)
        return _service_principal(given)
    if TOKEN_FILE in given:
        _require(given, TENANT_ID, CLIENT_ID)
        return FederatedToken(_tenant(given), given[CLIENT_ID], Path(given[TOKEN_FILE]))
    if TENANT_ID in given:
        _require(given, CLIENT_ID, CLIENT_SECRET)
    return ManagedIdentity(given.get(CLIENT_ID))


def token_file_of(environment: Mapping[str, str]) -> Path | None:
    """Where the controller's projected service account token is, if it has one."""
    path = environment.get(TOKEN_FILE, "").strip()
    return Path(path) if path else None


def _workload_identity(given: Mapping[str, str], token_file: Path | None) -> AzureCredentials:
    if given[AUTH_MODE].strip().lower() != _WORKLOAD_IDENTITY:
        raise _wrong(f"{AUTH_MODE} has a value that is not known; write {_WORKLOAD_IDENTITY}, or remove the key.")
    surplus = next((key for key in (CLIENT_SECRET, CERTIFICATE, CERTIFICATE_PASSWORD) if key in given), None)
    if surplus is not None:
        raise _wrong(f"The Azure credentials have both {AUTH_MODE} and {surplus}; remove one of them.")
    _require(given, TENANT_ID, CLIENT_ID)
    if token_file is None:
        raise _missing(
            f"{AUTH_MODE} asks for the controller's service account token, which this namespace may not use or which "
            f"the controller does not have; an administrator has to set {TOKEN_FILE} for the controller and allow the "
            "namespace with --identity-namespace."
        )
    return FederatedToken(_tenant(given), given[CLIENT_ID], token_file)


def _service_principal(given: Mapping[str, str]) -> AzureCredentials:
    tenant, client, password = _tenant(given), given[CLIENT_ID], given.get(CERTIFICATE_PASSWORD)
    if CLIENT_SECRET in given:
        return ClientSecret(tenant, client, given[CLIENT_SECRET])
    if CERTIFICATE_PATH in given:
        return ClientCertificateFile(tenant, client, Path(given[CERTIFICATE_PATH]), password)
    return ClientCertificate(tenant, client, _certificate(given[CERTIFICATE]), password)


def _present(values: Mapping[str, str], keys: tuple[str, ...]) -> dict[str, str]:
    """The listed keys that have a value; spaces around it are dropped, but for a certificate, which may be binary."""
    found = {key: values[key] if key == CERTIFICATE else values[key].strip() for key in keys if key in values}
    return {key: value for key, value in found.items() if value.strip()}


def _only_proof(given: Mapping[str, str]) -> str | None:
    """The key that holds the proof; two would leave open which one counts."""
    found = [key for key in _PROOFS if key in given]
    if len(found) > 1:
        raise _wrong(f"The Azure credentials have both {found[0]} and {found[1]}; remove one of them.")
    if CERTIFICATE_PASSWORD in given and found in ([], [CLIENT_SECRET]):
        raise _wrong(f"The Azure credentials have {CERTIFICATE_PASSWORD} but no {CERTIFICATE}; add or remove one.")
    return found[0] if found else None


def _require(given: Mapping[str, str], *keys: str) -> None:
    missing = [key for key in keys if key not in given]
    if not missing:
        return
    needed = ", ".join(keys) + (f" or {CERTIFICATE}" if CLIENT_SECRET in missing else "")
    raise _missing(f"The Azure credentials lack {' and '.join(missing)}; they need {needed}.")


def _tenant(given: Mapping[str, str]) -> str:
    if _TENANT.fullmatch(given[TENANT_ID]) is None:
        raise _wrong(f"{TENANT_ID} is not a tenant id; write the GUID or the domain name of the Entra tenant.")
    return given[TENANT_ID]


def _certificate(text: str) -> bytes:
    """PEM and binary PKCS#12 as they are, base64 decoded."""
    content = text.encode(errors="surrogateescape")
    if b"-----BEGIN" in content:
        return content
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content


def _missing(message: str) -> CredentialsError:
    return CredentialsError(message, reason=Reason.CREDENTIALS_MISSING)


def _wrong(message: str) -> CredentialsError:
    return CredentialsError(message)
