"""JSON web tokens as they are written (RFC 7515, 7517, 7518): taking them apart, and the check of a signature.

Used by the token endpoint and by ARM's check of tokens. It knows no claim and decides nothing about one.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

if TYPE_CHECKING:
    from collections.abc import Mapping

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

COORDINATE_BYTES = 32
"""Of the curve P-256, which ES256 means."""


class MalformedTokenError(ValueError):
    """A text that is no signed token."""


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token taken apart; nothing about it is known to be true.

    Parameters
    ----------
    header, claims
        Its two JSON objects.
    signed
        What was signed.
    signature
        The signature.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def is_signed_by(self, key: PublicKey) -> bool:
        """Tell whether the signature is that of a key, with the algorithm that the header names."""
        try:
            return _verify(self, key)
        except (InvalidSignature, ValueError):
            return False


def parse(text: str) -> SignedToken:
    """Take a token apart.

    Raises
    ------
    MalformedTokenError
        When it is none.
    """
    parts = text.strip().split(".")
    if len(parts) != 3:  # noqa: PLR2004 - RFC 7515, compact serialization
        raise MalformedTokenError("A signed token has three parts.")
    try:
        header, claims = json.loads(decode(parts[0])), json.loads(decode(parts[1]))
        signature = decode(parts[2])
    except ValueError as error:
        raise MalformedTokenError("A part of the token is no base64url, or no JSON.") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise MalformedTokenError("A part of the token is no JSON object.")
    return SignedToken(header=header, claims=claims, signed=".".join(parts[:2]).encode(), signature=signature)


def write_es256(header: Mapping[str, Any], claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey) -> str:
    """Return a token signed with ES256."""
    signed = f"{_encode_json(header)}.{_encode_json(claims)}"
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{encode(r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES))}"


def read_key(jwk: Mapping[str, Any]) -> PublicKey | None:
    """Return the key of a JSON web key, or None for a kind that nobody here uses."""
    match jwk.get("kty"):
        case "RSA":
            return rsa.RSAPublicNumbers(e=_number(jwk["e"]), n=_number(jwk["n"])).public_key()
        case "EC" if jwk.get("crv") == "P-256":
            numbers = ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), ec.SECP256R1())
            return numbers.public_key()
        case _:
            return None


def write_key(key: ec.EllipticCurvePublicKey, key_id: str) -> dict[str, str]:
    """Return the JSON web key of a P-256 key."""
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "use": "sig",
        "alg": "ES256",
        "crv": "P-256",
        "kid": key_id,
        "x": encode(numbers.x.to_bytes(COORDINATE_BYTES)),
        "y": encode(numbers.y.to_bytes(COORDINATE_BYTES)),
    }


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return what base64url says, with or without padding; ValueError for anything else."""
    bare = text.rstrip("=")
    return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)


def _verify(token: SignedToken, key: PublicKey) -> bool:
    match token.header.get("alg"), key:
        case "ES256", ec.EllipticCurvePublicKey():
            half = len(token.signature) // 2
            r, s = int.from_bytes(token.signature[:half]), int.from_bytes(token.signature[half:])
            key.verify(utils.encode_dss_signature(r, s), token.signed, ec.ECDSA(hashes.SHA256()))
        case "PS256", rsa.RSAPublicKey():
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
            key.verify(token.signature, token.signed, pss, hashes.SHA256())
        case "RS256", rsa.RSAPublicKey():
            key.verify(token.signature, token.signed, padding.PKCS1v15(), hashes.SHA256())
        case _:
            return False
    return True


def _encode_json(value: Mapping[str, Any]) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def _number(text: str) -> int:
    return int.from_bytes(decode(text))
