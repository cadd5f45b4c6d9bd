"""Azure Resource Manager as somebody else than the controller uses it: an administrator, or a colleague by mistake."""

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from support.stack import RESOURCE_GROUP, Emulator

_GROUPS = "2021-04-01"
_LOCKS = "2020-05-01"
_COMPUTE = "2024-11-01"
_NETWORK = "2024-05-01"


class Arm:
    """Requests to an emulated subscription, with a token of its own.

    Parameters
    ----------
    emulator
        Whose subscription it is.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._connection = emulator.connection
        self._tls = ssl.create_default_context(cafile=emulator.connection["caBundle"])
        self._token = self._log_in()

    def delete_group(self) -> None:
        """Delete the resource group with all that is in it, and wait until it is gone."""
        self._ask("DELETE", "", _GROUPS)
        until(lambda: self._ask("GET", "", _GROUPS)[0] == 404)

    def lock_group(self) -> None:
        """Let nothing in the resource group be deleted."""
        lock = {"properties": {"level": "CanNotDelete", "notes": "Accounts are closed this week."}}
        status, answer = self._ask("PUT", "/providers/Microsoft.Authorization/locks/keep", _LOCKS, lock)
        assert status in (200, 201), answer

    def unlock_group(self) -> None:
        """Take the lock away."""
        self._ask("DELETE", "/providers/Microsoft.Authorization/locks/keep", _LOCKS)

    def state_of(self, kind: str, name: str) -> str | None:
        """The provisioning state of a machine or an interface in the group; None when there is none."""
        version = _COMPUTE if kind.startswith("Microsoft.Compute/") else _NETWORK
        status, answer = self._ask("GET", f"/providers/{kind}/{name}", version)
        return str(answer["properties"]["provisioningState"]) if status == 200 else None

    def _log_in(self) -> str:
        connection = self._connection
        form = {
            "grant_type": "client_credentials",
            "client_id": connection["clientId"],
            "client_secret": connection["clientSecret"],
            "scope": f"{connection['audience']}/.default",
        }
        url = f"{connection['authority']}/{connection['tenantId']}/oauth2/v2.0/token"
        request = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode())  # noqa: S310 - https
        _, answer = self._send(request)
        return str(answer["access_token"])

    def _ask(self, method: str, path: str, version: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        group = f"/subscriptions/{self._connection['subscriptionId']}/resourceGroups/{RESOURCE_GROUP}"
        request = urllib.request.Request(  # noqa: S310 - https
            f"{self._connection['endpoint']}{group}{path}?api-version={version}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        return self._send(request)

    def _send(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=30) as answer:  # noqa: S310 - https
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or b"null")


def until(happened: Callable[[], bool], *, seconds: float = 30) -> None:
    """Look until it has happened."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
