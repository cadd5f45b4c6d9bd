"""Asks components over HTTPS whether they are ready, and waits until they are.

Used by `LocalControlPlane` with the administrator's certificate; the server's certificate is checked against the
instance's own authority, so another server on the same port is never taken for ours.
"""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchhost.local.components import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchhost.local.certificates import Credential

__all__ = ["Endpoint", "Probe", "wait_until_ready"]

_PERIOD_SECONDS: Final = 0.03
"""Before each question; a component that ends is noticed first."""

_REQUEST_SECONDS: Final = 2.0
"""For one answer: whoever holds the port may be somebody else, who never answers."""


class Probe:
    """Asks over HTTPS with a client certificate.

    Parameters
    ----------
    authority
        The certificate that signed those of the servers.
    credential
        Whom to be.
    """

    def __init__(self, authority: Path, credential: Credential) -> None:
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(credential.certificate, credential.key)

    def is_ok(self, port: int, path: str) -> bool:
        """Tell whether a GET answers 200; a server that is not there yet is not ok."""
        connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=_REQUEST_SECONDS, context=self._context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What must answer before a component counts as ready."""

    component: str
    port: int
    path: str


def wait_until_ready(
    probe: Probe, endpoint: Endpoint, *, deadline: float, watch: Callable[[float], str | None]
) -> bool:
    """Wait until an endpoint answers with 200.

    Parameters
    ----------
    deadline
        On the clock of `time.monotonic`.
    watch
        Waits some seconds and names a component that ended meanwhile.

    Returns
    -------
    bool
        False if the deadline passed or a component ended first.
    """
    while watch(_PERIOD_SECONDS) is None:
        if probe.is_ok(endpoint.port, endpoint.path):
            return True
        if time.monotonic() > deadline:
            return False
    return False
