"""Client assertions: tokens that prove an application without a secret, by its certificate or by somebody it trusts.

Called by `authority` for ``client_assertion``. What is checked, and in which order: "Microsoft identity platform
application authentication certificate credentials" and "Workload identity federation concepts".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from benchhost.emulator.entra import jwt, refusals

if TYPE_CHECKING:
    from benchhost.emulator.entra.directory import Application, FederatedIdentity

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

CLOCK_SKEW_SECONDS = 300.0
"""How far clocks may be apart: what Entra allows (documented for token validation)."""

_THUMBPRINTS: dict[str, type[hashes.HashAlgorithm]] = {"x5t#S256": hashes.SHA256, "x5t": hashes.SHA1}


def check_assertion(application: Application, text: str, *, audiences: frozenset[str], now: float) -> None:
    """Accept what proves an application.

    Parameters
    ----------
    application
        Who is to be proved.
    text
        The assertion.
    audiences
        What an assertion that the application signed itself may be for.
    now
        Seconds since 1970.

    Raises
    ------
    TokenRefusedError
        When it proves nothing.
    """
    try:
        assertion = jwt.parse(text)
    except jwt.MalformedTokenError as error:
        raise refusals.malformed_assertion() from error
    if str(assertion.claims.get("iss", "")).lower() == application.client_id.lower():
        _check_own(application, assertion, audiences=audiences, now=now)
    else:
        _check_federated(application, assertion, now)


def _check_own(application: Application, assertion: jwt.SignedToken, *, audiences: frozenset[str], now: float) -> None:
    """Check what the application signed with the key of one of its certificates."""
    name = next((name for name in _THUMBPRINTS if assertion.header.get(name)), "x5t")
    thumbprint = str(assertion.header.get(name, "")).rstrip("=")
    key = _certificate_key(application, _THUMBPRINTS[name](), thumbprint)
    if key is None:
        raise refusals.certificate_not_registered(application.client_id, thumbprint)
    if not assertion.is_signed_by(key):
        raise refusals.signature_not_valid(700027, thumbprint)
    if str(assertion.claims.get("sub", "")).lower() != application.client_id.lower():
        raise refusals.assertion_of_another(application.client_id)
    if assertion.claims.get("aud") not in audiences:
        raise refusals.assertion_for_another(assertion.claims.get("aud"))
    _check_time(assertion, now)


def _certificate_key(
    application: Application, algorithm: hashes.HashAlgorithm, thumbprint: str
) -> jwt.PublicKey | None:
    for text in application.certificates:
        certificate = x509.load_pem_x509_certificate(text.encode())
        key = certificate.public_key()
        if jwt.encode(certificate.fingerprint(algorithm)) == thumbprint and isinstance(key, rsa.RSAPublicKey):
            return key
    return None


def _check_federated(application: Application, assertion: jwt.SignedToken, now: float) -> None:
    """Check what an issuer that the application trusts has signed."""
    identity = _matching(application, assertion)
    key_id = str(assertion.header.get("kid", ""))
    key = _issuer_key(identity, key_id)
    if key is None or not assertion.is_signed_by(key):
        raise refusals.signature_not_valid(50013, key_id)
    _check_time(assertion, now)


def _matching(application: Application, assertion: jwt.SignedToken) -> FederatedIdentity:
    """Return whom the token speaks of; the refusal names the first claim that nobody expects."""
    claims = assertion.claims
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    left = [identity for identity in application.federated if identity.issuer == claims.get("iss")]
    if not left:
        raise refusals.no_federated_identity("issuer", claims.get("iss"))
    left = [identity for identity in left if identity.audience in audiences]
    if not left:
        raise refusals.no_federated_identity("audience", audience)
    left = [identity for identity in left if identity.subject == claims.get("sub")]
    if not left:
        raise refusals.no_federated_identity("subject", claims.get("sub"))
    return left[0]


def _issuer_key(identity: FederatedIdentity, key_id: str) -> jwt.PublicKey | None:
    try:
        keys = json.loads(identity.keys.read_text(encoding="utf-8"))["keys"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    found = next((key for key in keys if isinstance(key, dict) and key.get("kid") == key_id), None)
    return None if found is None else jwt.read_key(found)


def _check_time(assertion: jwt.SignedToken, now: float) -> None:
    begins, expires = assertion.claims.get("nbf", 0), assertion.claims.get("exp")
    if not isinstance(begins, int | float) or not isinstance(expires, int | float):
        raise refusals.malformed_assertion()
    if not begins - CLOCK_SKEW_SECONDS <= now < expires + CLOCK_SKEW_SECONDS:
        raise refusals.assertion_out_of_time(now, begins, expires)
