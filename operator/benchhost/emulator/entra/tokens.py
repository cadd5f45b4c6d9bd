"""Access tokens: signed JSON web tokens as Entra issues them, and the check that ARM makes of them.

Clients must treat them as opaque; they are real all the same (ES256, keys published), so that nothing here is
trusted because it looks right.
"""

from __future__ import annotations

import base64
import json
import math
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from benchhost.emulator.cloud.errors import ArmError

COORDINATE_BYTES = 32
CACHED_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that was found to be good.

    Parameters
    ----------
    client_id
        Whose it is.
    expires_at
        Seconds since 1970.
    """

    client_id: str
    expires_at: float


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
    """

    def __init__(self, tenant_id: str, *, issuer: str, audience: str, lifetime_seconds: float) -> None:
        self.tenant_id = tenant_id
        self.issuer = issuer
        self.audience = audience
        self.lifetime_seconds = lifetime_seconds
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = secrets.token_urlsafe(20)
        self._known: dict[str, AccessToken] = {}

    def issue(self, client_id: str, now: float) -> str:
        """Return a new token for a client."""
        header = {"typ": "JWT", "alg": "ES256", "kid": self._key_id}
        claims = {
            "aud": self.audience,
            "iss": self.issuer,
            "iat": int(now),
            "nbf": int(now),
            "exp": math.ceil(now + self.lifetime_seconds),
            "appid": client_id,
            "idtyp": "app",
            "tid": self.tenant_id,
            "uti": str(uuid.uuid4()),
            "ver": "1.0",
        }
        signed = f"{_encode_json(header)}.{_encode_json(claims)}"
        return f"{signed}.{self._sign(signed)}"

    def public_keys(self) -> dict[str, Any]:
        """Return the JSON web key set with which anyone can check a token."""
        numbers = self._key.public_key().public_numbers()
        key = {
            "kty": "EC",
            "use": "sig",
            "alg": "ES256",
            "crv": "P-256",
            "kid": self._key_id,
            "x": _encode(numbers.x.to_bytes(COORDINATE_BYTES)),
            "y": _encode(numbers.y.to_bytes(COORDINATE_BYTES)),
        }
        return {"keys": [key]}

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
        token = AccessToken(client_id=str(claims["appid"]), expires_at=float(claims["exp"]))
        if len(self._known) >= CACHED_TOKENS:
            self._known.clear()
        self._known[text] = token
        return token

    def _claims_of(self, text: str) -> dict[str, Any] | None:
        signed, _, signature = text.rpartition(".")
        try:
            raw = _decode(signature)
            half = len(raw) // 2
            der = utils.encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
            self._key.public_key().verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
            claims: dict[str, Any] = json.loads(_decode(signed.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return None
        return claims

    def _sign(self, text: str) -> str:
        der = self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return _encode(r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES))

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


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode_json(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())
