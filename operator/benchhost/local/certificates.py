"""The certificates of one instance: real ones, checked by everybody who talks to anybody.

Made anew at each start by `LocalControlPlane` and thrown away with it. Keys are written for their owner only. etcd
has an authority of its own, as kubeadm does it: else anybody with a client certificate of the cluster, whatever
RBAC lets him do, could read and write every object in etcd.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Authority", "Credential", "InstanceCertificates", "make_certificates", "write_private"]

LIFETIME: Final = timedelta(days=30)
"""Of every certificate: longer than anybody leaves `benchhost dev up` running."""

CLOCK_SKEW: Final = timedelta(minutes=5)
"""Certificates are valid from a little earlier than now: a container's clock may be behind."""

SERVICE_ADDRESS: Final = "10.0.0.1"
"""The API server's address inside the cluster: the first of the service range 10.0.0.0/24."""

_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1")
_API_SERVER_NAMES: Final = (
    *_LOOPBACK_NAMES,
    SERVICE_ADDRESS,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its key, as files in PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that signs for one instance.

    Parameters
    ----------
    folder
        Where it and what it signs are written.
    name
        Its common name, and the stem of its files.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            _begin(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        self._own = builder.sign(self._key, hashes.SHA256())
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(_pem(self._own))

    def issue_server(self, stem: str, names: Sequence[str], *, also_client: bool = False) -> Credential:
        """Issue a serving certificate for host names and addresses, the first of which is its common name."""
        usages = [ExtendedKeyUsageOID.SERVER_AUTH] + [ExtendedKeyUsageOID.CLIENT_AUTH] * also_client
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        return self._issue(stem, subject, usages, alternatives)

    def issue_client(self, stem: str, user: str, groups: Sequence[str] = ()) -> Credential:
        """Issue a client certificate. Kubernetes reads the user from CN and the groups from O."""
        subject = x509.Name(
            [
                *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups),
                x509.NameAttribute(NameOID.COMMON_NAME, user),
            ]
        )
        return self._issue(stem, subject, [ExtendedKeyUsageOID.CLIENT_AUTH], None)

    def _issue(
        self,
        stem: str,
        subject: x509.Name,
        usages: Sequence[x509.ObjectIdentifier],
        alternatives: x509.SubjectAlternativeName | None,
    ) -> Credential:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _begin(subject, self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        credential = Credential(self._folder / f"{stem}.crt", self._folder / f"{stem}.key")
        credential.certificate.write_bytes(_pem(certificate))
        write_private(credential.key, _key_pem(key))
        return credential


@dataclass(frozen=True, slots=True)
class InstanceCertificates:
    """Everything that the components of one instance are started with."""

    cluster: Authority
    etcd_authority: Authority
    etcd_server: Credential
    etcd_client: Credential
    api_server: Credential
    controller_manager_server: Credential
    controller_manager: Credential
    admin: Credential
    service_account: Credential
    """The key pair that signs ServiceAccount tokens; its `certificate` is the bare public key."""


def make_certificates(folder: Path) -> InstanceCertificates:
    """Make all certificates of an instance in a folder, which is created for its owner only."""
    folder.mkdir(mode=0o700)
    cluster = Authority(folder, "benchhost-cluster-ca")
    etcd = Authority(folder, "benchhost-etcd-ca")
    return InstanceCertificates(
        cluster=cluster,
        etcd_authority=etcd,
        # etcd calls its own gRPC gateway with its serving certificate, hence a client's usage too.
        etcd_server=etcd.issue_server("etcd-server", _LOOPBACK_NAMES, also_client=True),
        etcd_client=etcd.issue_client("etcd-client", "kube-apiserver"),
        api_server=cluster.issue_server("kube-apiserver", _API_SERVER_NAMES),
        controller_manager_server=cluster.issue_server("kube-controller-manager-server", _LOOPBACK_NAMES),
        controller_manager=cluster.issue_client("kube-controller-manager", "system:kube-controller-manager"),
        admin=cluster.issue_client("admin", "benchhost-admin", ("system:masters",)),
        service_account=_make_service_account_keys(folder),
    )


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on; it must not exist yet."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _make_service_account_keys(folder: Path) -> Credential:
    key = ec.generate_private_key(ec.SECP256R1())
    pair = Credential(folder / "service-account.pub", folder / "service-account.key")
    write_private(pair.key, _key_pem(key))
    pair.certificate.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pair


def _begin(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
