"""Read one key of a Secret, for programs that log in to hosts. It never writes, and shows no value to anybody."""

import base64
import binascii
from typing import Final

from benchhost.client.connection import ConnectionSettings
from benchhost.client.errors import NotFoundError, UnreadableError
from benchhost.client.retry import Deadline, attempt
from benchhost.client.transport import Collection, Transport

SECRETS: Final = Collection("Secret", "/api/v1", "secrets")


def read_secret(settings: ConnectionSettings, name: str, key: str, *, deadline: Deadline) -> bytes:
    """The value of one key.

    Raises
    ------
    NotFoundError
        If there is no such Secret, or it has no such key.
    ClientError
        As the API server answers.
    """
    transport = Transport(settings, SECRETS)
    try:
        secret = attempt(lambda: transport.request("GET", name, timeout_seconds=max(deadline.remaining, 0.1)), deadline)
    finally:
        transport.close()
    data = secret.get("data") or {}
    if key not in data:
        known = ", ".join(sorted(data)) or "none"
        raise NotFoundError(f"the Secret {transport.namespace}/{name} has no key {key!r} (it has: {known})")
    try:
        return base64.b64decode(data[key], validate=True)
    except (binascii.Error, TypeError, ValueError):
        # Without the cause: its message may hold the value.
        raise UnreadableError(f"the key {key!r} of the Secret {transport.namespace}/{name} is not base64") from None
