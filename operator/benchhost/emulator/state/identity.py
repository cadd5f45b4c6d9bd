"""Who an emulator is: what its clients remember of it, and so what has to outlive a restart.

Made by `benchhost.emulator.server`, new for each emulator without a state file. All of it is secret.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Self

from benchhost.emulator.arm.polling import PollingSecrets
from benchhost.emulator.certificates import CertificateAuthority
from benchhost.emulator.entra.tokens import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorIdentity:
    """What clients know.

    Parameters
    ----------
    subscription_id, tenant_id, client_id, object_id
        GUIDs: of the cloud, and of its first application.
    client_secret
        The application's.
    header_secret, machine_id
        Of the metadata service.
    authority
        Who vouches for the server.
    admin_token
        Of the emulator's own administration.
    signing_key
        Signs tokens.
    polling
        Signs polling URLs.
    blob_key
        Signs addresses of blobs.
    """

    subscription_id: str
    tenant_id: str
    client_id: str
    object_id: str
    client_secret: str = field(repr=False)
    header_secret: str = field(repr=False)
    machine_id: str
    admin_token: str = field(repr=False)
    authority: CertificateAuthority = field(repr=False)
    signing_key: SigningKey = field(repr=False)
    polling: PollingSecrets = field(repr=False)
    blob_key: bytes = field(repr=False)

    @classmethod
    def make(cls, subscription_id: str | None = None) -> Self:
        """Return a new one; the subscription's id is made up, too, unless it is given."""
        return cls(
            subscription_id=subscription_id or str(uuid.uuid4()),
            tenant_id=str(uuid.uuid4()),
            client_id=str(uuid.uuid4()),
            object_id=str(uuid.uuid4()),
            client_secret=secrets.token_urlsafe(30),
            header_secret=secrets.token_hex(16).upper(),
            machine_id=str(uuid.uuid4()),
            admin_token=secrets.token_urlsafe(30),
            authority=CertificateAuthority.make(),
            signing_key=SigningKey.make(),
            polling=PollingSecrets.make(),
            blob_key=secrets.token_bytes(32),
        )
