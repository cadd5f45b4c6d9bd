"""The emulator's own certificate authority and the certificate of its server.

Made anew for each emulator, kept in its own folder; nothing is ever added to the machine's trust store. Fit for
the strict checks of OpenSSL that Python 3.13 makes by default.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

VALIDITY = dt.timedelta(days=397)
"""The longest that clients accept of a server's certificate (CA/Browser Forum)."""

_NO_USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Where the files are.

    Parameters
    ----------
    ca_bundle
        What clients have to trust (PEM).
    chain, key
        What the server shows and keeps to itself (PEM).
    """

    ca_bundle: Path
    chain: Path
    key: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS settings of the server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.chain, self.key)
        return context


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """Who vouches for the server, as PEM.

    Parameters
    ----------
    certificate, key
        What clients trust, and what it signs with.
    """

    certificate: bytes
    key: bytes = field(repr=False)

    @classmethod
    def make(cls) -> Self:
        """Return a new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(_pem(_authority(key)), _key_pem(key))

    def load_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the key itself."""
        return cast("ec.EllipticCurvePrivateKey", serialization.load_pem_private_key(self.key, None))


def make_certificate(
    directory: Path, hosts: tuple[str, ...], authority: CertificateAuthority | None = None
) -> ServerCertificate:
    """Make a server certificate for ``hosts`` (names or addresses) in a folder, by an authority that is made, too."""
    authority = authority or CertificateAuthority.make()
    ca, ca_key = x509.load_pem_x509_certificate(authority.certificate), authority.load_key()
    server_key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server(server_key, ca, ca_key, hosts)
    files = ServerCertificate(
        ca_bundle=directory / "ca.pem", chain=directory / "server.pem", key=directory / "server.key"
    )
    files.ca_bundle.write_bytes(_pem(ca))
    files.chain.write_bytes(_pem(certificate) + _pem(ca))
    _write_key(files.key, server_key)
    return files


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "BenchHost ARM emulator CA")])
    usage = x509.KeyUsage(**{**_NO_USAGE, "key_cert_sign": True, "crl_sign": True, "digital_signature": True})
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    hosts: tuple[str, ...],
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    usage = x509.KeyUsage(**{**_NO_USAGE, "digital_signature": True})
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _builder(name, ca.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + VALIDITY)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_key_pem(key))
