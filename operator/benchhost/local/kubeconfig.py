"""Writes kubeconfig files that hold all they need: address, authority and credentials.

Used by every kind of control plane here. A file is written for its owner only, replaces an older one at once, and
never switches a check off.
"""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from benchhost.local.certificates import Credential

__all__ = ["certificate_user", "cluster_entry", "token_user", "write_kubeconfig"]

_NAME = "benchhost-local"


def cluster_entry(server: str, authority: Path) -> dict[str, Any]:
    """Describe a cluster by its URL and the certificate of its authority."""
    return {"server": server, "certificate-authority-data": _embed(authority)}


def certificate_user(credential: Credential) -> dict[str, Any]:
    """Describe a user who shows a client certificate."""
    return {
        "client-certificate-data": _embed(credential.certificate),
        "client-key-data": _embed(credential.key),
    }


def token_user(token: str) -> dict[str, Any]:
    """Describe a user who shows a bearer token."""
    return {"token": token}


def write_kubeconfig(
    file: Path, cluster: dict[str, Any], *, user: dict[str, Any], name: str = _NAME, namespace: str = "default"
) -> Path:
    """Write a kubeconfig with one cluster, one user and one context, which is the current one."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }
    replace_private(file, yaml.safe_dump(content, sort_keys=False).encode())
    return file


def replace_private(file: Path, content: bytes) -> None:
    """Put a file in place that only its owner may read; a reader sees the old one or the new one."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")  # mode 0600
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    Path(temporary).replace(file)


def _embed(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
