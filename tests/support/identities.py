"""What proves an application without a secret: certificates with their keys, and tokens of an issuer of one's own."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

KEY_BITS = 2048
SUBJECT = "system:serviceaccount:benchhost-system:benchhost-operator"
ISSUER = "https://kubernetes.default.svc"
AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class ClientCertificate:
    """A self-signed certificate, as ``az ad sp create-for-rbac --create-cert`` makes it."""

    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, KEY_BITS))

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchhost-test")])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        object.__setattr__(self, "certificate", builder.sign(self.key, hashes.SHA256()))

    certificate: x509.Certificate = field(init=False)

    @property
    def public(self) -> str:
        """What is registered with the application."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def thumbprint(self) -> str:
        """The ``x5t#S256`` of an assertion."""
        return _base64url(self.certificate.fingerprint(hashes.SHA256()))

    def pem(self, password: str | None = None) -> str:
        """Key and certificate as PEM."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _encryption(password)
        )
        return key.decode() + self.public

    def pkcs12(self, password: str | None = None) -> bytes:
        """Key and certificate as PKCS#12."""
        return pkcs12.serialize_key_and_certificates(
            b"benchhost", self.key, self.certificate, None, _encryption(password)
        )


@dataclass(frozen=True)
class Issuer:
    """A cluster's issuer of service account tokens; ``keys_file`` is what it publishes."""

    keys_file: Path
    key_id: str = "key-1"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, KEY_BITS))

    def __post_init__(self) -> None:
        numbers = self.key.public_key().public_numbers()
        jwk = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.key_id,
            "n": _base64url(numbers.n.to_bytes(KEY_BITS // 8)),
            "e": _base64url(numbers.e.to_bytes(3)),
        }
        self.keys_file.write_text(json.dumps({"keys": [jwk]}))

    def token(self, *, now: float, **claims: Any) -> str:
        """A service account token of one hour."""
        body = {"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "nbf": int(now), "exp": int(now) + 3600, **claims}
        return sign_rs256({"kid": self.key_id}, body, self.key)


def sign_rs256(header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    """Any token at all."""
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", **header}, claims))
    return f"{signed}.{_base64url(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encryption(password: str | None) -> serialization.KeySerializationEncryption:
    if password is None:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(password.encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
