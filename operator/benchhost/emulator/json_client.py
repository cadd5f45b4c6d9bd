"""JSON over HTTPS to a running emulator on this machine. Needs nothing beyond the standard library."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.connection_files import EmulatorUnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 30.0


@dataclass(slots=True)
class RefusedError(Exception):
    """The emulator answered with an error.

    Parameters
    ----------
    status
        HTTP status.
    body
        The JSON object that came, empty where none did.
    """

    status: int
    body: dict[str, Any]

    def __str__(self) -> str:
        """Return the status in words."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"


class JsonClient:
    """Sends requests.

    Parameters
    ----------
    endpoint
        Where the emulator is, for messages.
    ca_bundle
        PEM file with the authority to trust.

    Raises
    ------
    EmulatorUnreachableError
        When the file cannot be read.
    """

    def __init__(self, endpoint: str, ca_bundle: str) -> None:
        self._endpoint = endpoint
        try:
            tls = ssl.create_default_context(cafile=ca_bundle)
        except OSError as error:
            raise EmulatorUnreachableError(f"{ca_bundle} cannot be read: {error}.") from error
        # No proxy: the emulator is on this machine.
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls), urllib.request.ProxyHandler({})
        )

    def send(
        self, method: str, url: str, *, data: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Send one request and return the JSON object that is answered.

        Raises
        ------
        RefusedError
            For an error status.
        EmulatorUnreachableError
            When there is no answer.
        """
        request = urllib.request.Request(url, data=data, headers=dict(headers or {}), method=method)  # noqa: S310 - the URL is https, from the emulator's own file
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                content: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(error.code, _json_of(error.read())) from error
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise EmulatorUnreachableError(
                f"The emulator at {self._endpoint} does not answer: {getattr(error, 'reason', error)}. It may have "
                "ended without cleaning up; start it again."
            ) from error
        return content


def _json_of(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
