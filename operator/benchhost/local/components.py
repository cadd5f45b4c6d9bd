"""The command lines of the components: what each one is told, and why.

Pure: from folders, ports and certificates to arguments. Used by `LocalControlPlane`. Every component listens on
loopback only, shows a certificate and asks for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from benchhost.local.binaries import Binaries
    from benchhost.local.certificates import InstanceCertificates

__all__ = [
    "API_SERVER",
    "CONTROLLERS",
    "CONTROLLER_MANAGER",
    "ETCD",
    "LOOPBACK",
    "Ports",
    "api_server_command",
    "controller_manager_command",
    "etcd_command",
]

LOOPBACK: Final = "127.0.0.1"

ETCD: Final = "etcd"
API_SERVER: Final = "kube-apiserver"
CONTROLLER_MANAGER: Final = "kube-controller-manager"

CONTROLLERS: Final = (
    "namespace-controller",  # deletes what is in a namespace that is deleted
    "garbage-collector-controller",  # deletes what belongs to an owner that is gone
    "serviceaccount-controller",  # makes the default ServiceAccount of a namespace
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",  # the authority's certificate in each namespace
    "clusterrole-aggregation-controller",
    "validatingadmissionpolicy-status-controller",  # type checks of admission policies
)
"""What matters without nodes; the others would only watch things that never come."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The TCP ports of one instance, all on loopback."""

    etcd: int
    api_server: int
    controller_manager: int


def etcd_command(binaries: Binaries, data: Path, ports: Ports, *, certificates: InstanceCertificates) -> list[str]:
    """Give the command of an etcd with one member, whose data is temporary.

    The data is thrown away at the end, so nothing is synced to the disk (`--unsafe-no-fsync`): starts and writes
    are faster, and what a power cut would destroy is not wanted any more.
    """
    url = f"https://{LOOPBACK}:{ports.etcd}"
    server, authority = certificates.etcd_server, certificates.etcd_authority.certificate
    return [
        str(binaries.etcd),
        f"--data-dir={data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls=https://{LOOPBACK}:0",  # there is no peer: any port will do
        f"--cert-file={server.certificate}",
        f"--key-file={server.key}",
        f"--trusted-ca-file={authority}",
        "--client-cert-auth=true",
        f"--peer-cert-file={server.certificate}",
        f"--peer-key-file={server.key}",
        f"--peer-trusted-ca-file={authority}",
        "--peer-client-cert-auth=true",
        "--unsafe-no-fsync=true",
        "--logger=zap",
        "--log-level=warn",
    ]


def api_server_command(binaries: Binaries, ports: Ports, *, certificates: InstanceCertificates) -> list[str]:
    """Give the command of the API server: RBAC on, nobody anonymous, everything over TLS."""
    serving, etcd = certificates.api_server, certificates.etcd_client
    command = [
        str(binaries.kube_apiserver),
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--secure-port={ports.api_server}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={certificates.cluster.certificate}",
        f"--etcd-servers=https://{LOOPBACK}:{ports.etcd}",
        f"--etcd-cafile={certificates.etcd_authority.certificate}",
        f"--etcd-certfile={etcd.certificate}",
        f"--etcd-keyfile={etcd.key}",
        "--authorization-mode=Node,RBAC",
        "--anonymous-auth=false",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={certificates.service_account.certificate}",
        f"--service-account-signing-key-file={certificates.service_account.key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--endpoint-reconciler-type=none",  # its only task is to publish an address, and loopback is refused
        "--profiling=false",
    ]
    if binaries.kube_controller_manager is None:
        # It waits for the default ServiceAccount of a namespace, which only the controller manager makes.
        command.append("--disable-admission-plugins=ServiceAccount")
    return command


def controller_manager_command(
    executable: Path, kubeconfig: Path, ports: Ports, *, certificates: InstanceCertificates
) -> list[str]:
    """Give the command of the controller manager: one instance, a few controllers, each with its own account."""
    serving = certificates.controller_manager_server
    return [
        str(executable),
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.controller_manager}",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={certificates.cluster.certificate}",
        f"--root-ca-file={certificates.cluster.certificate}",
        f"--service-account-private-key-file={certificates.service_account.key}",
        "--use-service-account-credentials=true",  # RBAC holds for each controller, as in a real cluster
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        "--profiling=false",
    ]
