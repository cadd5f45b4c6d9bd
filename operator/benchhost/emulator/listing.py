"""What exists in a running emulator, asked over HTTPS with a token as any client would.

Called by ``benchhost emulator resources``.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from benchhost.emulator.connection_files import CONNECTION_FILE, EmulatorUnreachableError, read_connection_file
from benchhost.emulator.json_client import JsonClient, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

API_VERSION = "2024-11-01"


def list_everything(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Return ``resourceGroups`` and ``resources`` of the emulator that was given ``directory``.

    Raises
    ------
    EmulatorUnreachableError
        When none runs there, or it does not answer.
    """
    connection = read_connection_file(directory, CONNECTION_FILE)
    try:
        client = _Client(connection)
        return {
            "resourceGroups": client.list_all("resourcegroups"),
            "resources": client.list_all("resources"),
        }
    except RefusedError as error:
        raise EmulatorUnreachableError(f"The emulator at {connection['endpoint']} refused: {error}.") from error


class _Client:
    def __init__(self, connection: dict[str, str]) -> None:
        self._connection = connection
        self._client = JsonClient(connection["endpoint"], connection["caBundle"])
        self._headers = {"Authorization": f"Bearer {self._get_token()}"}

    def list_all(self, collection: str) -> list[dict[str, Any]]:
        """Return all items of a collection of the subscription, from all pages."""
        base = f"{self._connection['endpoint']}/subscriptions/{self._connection['subscriptionId']}"
        url: str | None = f"{base}/{collection}?api-version={API_VERSION}"
        found: list[dict[str, Any]] = []
        while url is not None:
            page = self._client.send("GET", url, headers=self._headers)
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
        return str(self._client.send("POST", url, data=urllib.parse.urlencode(form).encode())["access_token"])
