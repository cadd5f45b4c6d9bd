"""A real control plane for tests: started once a session, from the binaries that are there already or are built now."""

import base64
import json
import ssl
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from benchhost.local import (
    AssetsSource,
    Binaries,
    BuildSource,
    CachedSource,
    ControlPlane,
    build_control_plane,
    find_build,
    find_control_plane,
    open_control_plane,
    show_progress,
)


def own_binaries() -> Binaries:
    """The cached build; built first, with progress on the terminal, where there is none yet."""
    found = find_build()
    if isinstance(found, BuildSource):
        with show_progress(Console(file=sys.__stderr__)) as progress:
            found = build_control_plane(found, progress)
    return Binaries.from_folder(found)


@contextmanager
def running_control_plane(directory: Path | None = None) -> Iterator[ControlPlane]:
    """One control plane, for as long as the context lasts. A session-scoped fixture yields from it.

    Never kind and never a cluster of the user: the tests want the same thing on every machine.
    """
    source = find_control_plane()
    if not isinstance(source, AssetsSource):
        source = CachedSource(own_binaries().etcd.parent)
    with open_control_plane(source, Console(file=sys.__stderr__), directory=directory) as control_plane:
        yield control_plane


def compact(control_plane: Any) -> None:
    """Let etcd forget everything but the present, as it does every five minutes in a real cluster."""
    instance = control_plane._instance
    credential, authority = instance.certificates.etcd_client, instance.certificates.etcd_authority.certificate
    tls = ssl.create_default_context(cafile=authority)
    tls.load_cert_chain(credential.certificate, credential.key)

    def ask(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        url = f"https://127.0.0.1:{instance.ports.etcd}/v3/kv/{path}"
        with urllib.request.urlopen(
            urllib.request.Request(url, data=json.dumps(body).encode()), context=tls, timeout=30
        ) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found

    newest = ask("range", {"key": base64.b64encode(b"/").decode(), "limit": 1})["header"]["revision"]
    ask("compaction", {"revision": newest, "physical": True})
