"""Access tokens: signed JSON web tokens as Entra issues them, and the check that ARM makes of them.

Clients must treat them as opaque; they are real all the same (ES256, keys published), so that nothing here is
trusted because it looks right.
"""

from __future__ import annotations

import math
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.entra import jwt

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHED_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that was found to be good.

    Parameters
    ----------
    client_id, object_id
        Whose it is: the application, and its principal in the directory.
    expires_at
        Seconds since 1970.
    """

    client_id: str
    object_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What tokens are signed with.

    Parameters
    ----------
    id
        How tokens name it.
    pem
        The private key.
    """

    id: str
    pem: bytes = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        """Return a new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return cls(secrets.token_urlsafe(20), key.private_bytes(encoding, form, serialization.NoEncryption()))

    def load(self) -> ec.EllipticCurvePrivateKey:
        """Return the key itself."""
        return cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(self.pem, None))


class TokenAuthority:
    """Issues tokens and checks them.

    Parameters
    ----------
    tenant_id
        The directory.
    issuer
        URL of the authority.
    audience
        What tokens are for: the address of ARM.
    lifetime_seconds
        How long a token is good for.
    signing_key
        Signs tokens; None makes one.
    """

    def __init__(
        self,
        tenant_id: str,
        *,
        issuer: str,
        audience: str,
        lifetime_seconds: float,
        signing_key: SigningKey | None = None,
    ) -> None:
        signing_key = signing_key or SigningKey.make()
        self.tenant_id = tenant_id
        self.issuer = issuer
        self.audience = audience
        self.lifetime_seconds = lifetime_seconds
        self._key = signing_key.load()
        self._key_id = signing_key.id
        self._known: dict[str, AccessToken] = {}

    def issue(self, client_id: str, object_id: str, now: float) -> str:
        """Return a new token for an application or a managed identity."""
        header = {"typ": "JWT", "alg": "ES256", "kid": self._key_id}
        claims = {
            "aud": self.audience,
            "iss": self.issuer,
            "iat": int(now),
            "nbf": int(now),
            "exp": math.ceil(now + self.lifetime_seconds),
            "appid": client_id,
            "idtyp": "app",
            "oid": object_id,
            "sub": object_id,
            "tid": self.tenant_id,
            "uti": str(uuid.uuid4()),
            "ver": "1.0",
        }
        return jwt.write_es256(header, claims, self._key)

    def public_keys(self) -> dict[str, Any]:
        """Return the JSON web key set with which anyone can check a token."""
        return {"keys": [jwt.write_key(self._key.public_key(), self._key_id)]}

    def check(self, authorization: str | None, now: float) -> AccessToken:
        """Return the token of an Authorization header.

        Raises
        ------
        ArmError
            401 ``AuthenticationFailed``, ``InvalidAuthenticationToken``, ``InvalidAuthenticationTokenAudience`` or
            ``ExpiredAuthenticationToken``, with the challenge that ARM sends.
        """
        if not authorization:
            raise self._refusal(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                "The authentication failed because of missing 'Authorization' header.",
            )
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise self._refusal(
                "AuthenticationFailedInvalidHeader",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
                "The authentication scheme is not supported.",
            )
        token = self._known.get(text) or self._verified(text)
        if token.expires_at <= now:
            raise self._expired(token, now)
        return token

    def _verified(self, text: str) -> AccessToken:
        claims = self._claims_of(text)
        if claims is None:
            raise self._refusal(
                "InvalidAuthenticationToken", "The access token is invalid.", "The access token is invalid."
            )
        if str(claims.get("aud")).rstrip("/") != self.audience.rstrip("/"):
            message = (
                "The access token has been obtained for wrong audience or resource "
                f"'{claims.get('aud')}'. It should exactly match with one of the allowed audiences "
                f"'{self.audience}'."
            )
            raise self._refusal("InvalidAuthenticationTokenAudience", message, message)
        token = AccessToken(
            client_id=str(claims["appid"]), object_id=str(claims["oid"]), expires_at=float(claims["exp"])
        )
        if len(self._known) >= CACHED_TOKENS:
            self._known.clear()
        self._known[text] = token
        return token

    def _claims_of(self, text: str) -> Mapping[str, Any] | None:
        try:
            token = jwt.parse(text)
        except jwt.MalformedTokenError:
            return None
        return token.claims if token.is_signed_by(self._key.public_key()) else None

    def _expired(self, token: AccessToken, now: float) -> ArmError:
        message = (
            f"The access token expiry UTC time '{_clock_time(token.expires_at)}' is earlier than current UTC "
            f"time '{_clock_time(now)}'."
        )
        return self._refusal("ExpiredAuthenticationToken", message, message)

    def _refusal(self, code: str, message: str, description: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="{self.issuer}", error="invalid_token", error_description="{description}"'
        )
        return ArmError(
            HTTPStatus.UNAUTHORIZED,
            code,
            message,
            from_gateway=True,
            headers={"WWW-Authenticate": challenge},
        )


def _clock_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%m/%d/%Y %I:%M:%S %p")
