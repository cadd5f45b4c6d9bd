"""The files with which other programs find a running emulator, and the way back from them.

``connection.json`` appears, whole, only once the server answers, and goes when the emulator ends: who waits for
the file never meets a server that is not there. All files hold a secret and can be read by their owner only.
``admin.json`` is apart from the others, which are for clients of Azure: those cannot administer.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.emulator.settings import AdminConnection, EmulatorConnection

CONNECTION_FILE = "connection.json"
ENVIRONMENT_FILE = "azure.env"
ADMIN_FILE = "admin.json"
TRUST_FILE = "trust.pem"
LOCK_FILE = ".lock"

_TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""What OpenSSL (so aiohttp), Go and requests read; nothing but these can tell an unmodified SDK whom to trust."""

_MORE_TRUST_VARIABLE = "NODE_EXTRA_CA_CERTS"
"""What Node.js reads, and adds to the authorities that it has."""


class EmulatorUnreachableError(Exception):
    """There is no emulator to ask; the message says why and what to do."""


class DirectoryInUseError(Exception):
    """Another emulator runs with this folder."""


@contextlib.contextmanager
def claim_directory(directory: Path) -> Iterator[None]:
    """Keep a folder for one emulator, and leave no connection files in it.

    Raises
    ------
    DirectoryInUseError
        When another process has it.
    """
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DirectoryInUseError(f"Another emulator runs with the folder {directory}.") from error
        _remove_connection_files(directory)
        try:
            yield
        finally:
            _remove_connection_files(directory)
    finally:
        os.close(descriptor)


def write_connection_files(directory: Path, connection: EmulatorConnection, admin: AdminConnection) -> None:
    """Write all files, the one that others wait for last."""
    environment = {
        "AZURE_RESOURCE_MANAGER_ENDPOINT": connection.endpoint,
        "AZURE_RESOURCE_MANAGER_AUDIENCE": connection.audience,
        "AZURE_AUTHORITY_HOST": connection.authority,
        "AZURE_TENANT_ID": connection.tenant_id,
        "AZURE_CLIENT_ID": connection.client_id,
        "AZURE_CLIENT_SECRET": connection.client_secret,
        "AZURE_SUBSCRIPTION_ID": connection.subscription_id,
        "AZURE_CA_BUNDLE": str(connection.ca_bundle),
        **dict.fromkeys(_TRUST_VARIABLES, str(_write_trust(directory, connection.ca_bundle))),
        _MORE_TRUST_VARIABLE: str(connection.ca_bundle),
        **_metadata_environment(connection),
    }
    lines = "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items())
    _write_private(directory / ENVIRONMENT_FILE, lines)
    keys = {"endpoint": admin.endpoint, "token": admin.token, "caBundle": str(admin.ca_bundle)}
    _write_private(directory / ADMIN_FILE, json.dumps(keys, indent=2) + "\n")
    content = {
        "endpoint": connection.endpoint,
        "authority": connection.authority,
        "audience": connection.audience,
        "tenantId": connection.tenant_id,
        "clientId": connection.client_id,
        "clientSecret": connection.client_secret,
        "subscriptionId": connection.subscription_id,
        "caBundle": str(connection.ca_bundle),
        **({} if connection.metadata is None else {"metadataEndpoint": connection.metadata.endpoint}),
    }
    _write_private(directory / CONNECTION_FILE, json.dumps(content, indent=2) + "\n")


def read_connection_file(directory: Path, name: str) -> dict[str, str]:
    """Return what one of the JSON files says about the emulator that was given ``directory``.

    Raises
    ------
    EmulatorUnreachableError
        When none runs there, or the file cannot be read.
    """
    path = directory / name
    try:
        content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EmulatorUnreachableError(
            f"No emulator runs with the folder {directory}: {path} does not exist. Start one with "
            f"`benchhost emulator run --directory {directory}`."
        ) from error
    except (OSError, ValueError) as error:
        raise EmulatorUnreachableError(f"{path} cannot be read: {error}.") from error
    return content


def _metadata_environment(connection: EmulatorConnection) -> dict[str, str]:
    """Return where azure-identity finds the metadata service instead of at 169.254.169.254."""
    return {} if connection.metadata is None else {"AZURE_POD_IDENTITY_AUTHORITY_HOST": connection.metadata.endpoint}


def _write_trust(directory: Path, ca_bundle: Path) -> Path:
    """Write what OpenSSL and requests are to trust: what they did before, and the emulator."""
    path = directory / TRUST_FILE
    system = ssl.get_default_verify_paths().openssl_cafile
    known = Path(system).read_text(encoding="utf-8") if Path(system).is_file() else ""
    path.write_text(f"{known.rstrip()}\n{ca_bundle.read_text(encoding='utf-8')}".lstrip(), encoding="utf-8")
    return path


def _remove_connection_files(directory: Path) -> None:
    for name in (CONNECTION_FILE, ENVIRONMENT_FILE, ADMIN_FILE, TRUST_FILE):
        (directory / name).unlink(missing_ok=True)


def _write_private(path: Path, content: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    temporary.replace(path)
