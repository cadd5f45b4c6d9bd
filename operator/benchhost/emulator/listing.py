"""What exists in a running emulator, asked over HTTPS with a token as any client would.

Called by ``benchhost emulator resources``. Needs nothing beyond the standard library.
"""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.connection_files import CONNECTION_FILE

if TYPE_CHECKING:
    from pathlib import Path

API_VERSION = "2024-11-01"
TIMEOUT_SECONDS = 30.0


class EmulatorUnreachableError(Exception):
    """There is no emulator to ask; the message says why and what to do."""


def list_everything(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Return ``resourceGroups`` and ``resources`` of the emulator that was given ``directory``.

    Raises
    ------
    EmulatorUnreachableError
        When none runs there, or it does not answer.
    """
    client = _Client(_read_connection(directory))
    return {
        "resourceGroups": client.list_all("resourcegroups"),
        "resources": client.list_all("resources"),
    }


def _read_connection(directory: Path) -> dict[str, str]:
    path = directory / CONNECTION_FILE
    try:
        connection: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EmulatorUnreachableError(
            f"No emulator runs with the folder {directory}: {path} does not exist. Start one with "
            f"`benchhost emulator run --directory {directory}`."
        ) from error
    except (OSError, ValueError) as error:
        raise EmulatorUnreachableError(f"{path} cannot be read: {error}.") from error
    return connection


class _Client:
    def __init__(self, connection: dict[str, str]) -> None:
        self._connection = connection
        try:
            tls = ssl.create_default_context(cafile=connection["caBundle"])
        except OSError as error:
            raise EmulatorUnreachableError(f"{connection['caBundle']} cannot be read: {error}.") from error
        # No proxy: the emulator is on this machine.
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls), urllib.request.ProxyHandler({})
        )
        self._token = self._get_token()

    def list_all(self, collection: str) -> list[dict[str, Any]]:
        """Return all items of a collection of the subscription, from all pages."""
        base = f"{self._connection['endpoint']}/subscriptions/{self._connection['subscriptionId']}"
        url: str | None = f"{base}/{collection}?api-version={API_VERSION}"
        found: list[dict[str, Any]] = []
        while url is not None:
            page = self._open(urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"}))  # noqa: S310 - the URL is https, from our own file
            found.extend(page["value"])
            url = page.get("nextLink")
        return found

    def _get_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._connection["clientId"],
            "client_secret": self._connection["clientSecret"],
            "scope": f"{self._connection['audience']}/.default",
        }
        url = f"{self._connection['authority']}/{self._connection['tenantId']}/oauth2/v2.0/token"
        request = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode())  # noqa: S310 - as above
        return str(self._open(request)["access_token"])

    def _open(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                content: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            status = HTTPStatus(error.code)
            error.close()
            raise EmulatorUnreachableError(
                f"The emulator at {self._connection['endpoint']} refused: {status.value} {status.phrase}."
            ) from error
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise EmulatorUnreachableError(
                f"The emulator at {self._connection['endpoint']} does not answer: "
                f"{getattr(error, 'reason', error)}. It may have ended without cleaning up; start it again."
            ) from error
        return content
