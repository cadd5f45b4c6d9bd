"""The admin API of a running emulator, found by the folder that it was given. For the command line and for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchhost.emulator.connection_files import ADMIN_FILE, read_connection_file
from benchhost.emulator.json_client import JsonClient, RefusedError

if TYPE_CHECKING:
    from pathlib import Path


class AdminRefusedError(Exception):
    """The emulator refused; the message is its sentence."""


class AdminClient:
    """Calls the admin API.

    Parameters
    ----------
    directory
        The folder that the running emulator was given.

    Raises
    ------
    EmulatorUnreachableError
        When none runs there.
    """

    def __init__(self, directory: Path) -> None:
        connection = read_connection_file(directory, ADMIN_FILE)
        self._endpoint = connection["endpoint"]
        self._headers = {"Authorization": f"Bearer {connection['token']}", "Content-Type": "application/json"}
        self._client = JsonClient(self._endpoint, connection["caBundle"])

    def call(self, method: str, *path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one request to a path, given by its segments, and return the answer.

        Raises
        ------
        AdminRefusedError
            When the emulator refuses.
        EmulatorUnreachableError
            When it does not answer.
        """
        url = "/".join((self._endpoint, *(quote(segment, safe="") for segment in path)))
        data = None if body is None else json.dumps(body).encode()
        try:
            return self._client.send(method, url, data=data, headers=self._headers)
        except RefusedError as error:
            raise AdminRefusedError(error.body.get("error") or f"The emulator refused: {error}.") from error
