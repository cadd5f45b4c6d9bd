"""Blob addresses that carry their own permission: who has one may read that blob until it expires.

Made by `diagnostics_routes`, honoured by `blob_service`. The key is one emulator's own.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

STORAGE_VERSION = "2024-11-04"
_PERMISSION = "r"


class BlobSignatures:
    """Signs blob addresses and checks them.

    Parameters
    ----------
    key
        What they are signed with, a secret.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def address(self, base_url: str, path: str, *, expires: float) -> str:
        """Return the address of a blob; ``path`` is its container and name, ``expires`` seconds since 1970."""
        until = _moment(expires)
        query = {
            "sv": STORAGE_VERSION,
            "sr": "b",
            "sp": _PERMISSION,
            "se": until,
            "spr": "https",
            "sig": self._signature(path, until),
        }
        return f"{base_url}/{quote(path)}?{urlencode(query)}"

    def is_signed(self, path: str, query: Mapping[str, str]) -> bool:
        """Tell whether an address was made here, expired or not."""
        expected = self._signature(path, query.get("se", ""))
        return hmac.compare_digest(expected.encode(), query.get("sig", "").encode())

    def _signature(self, path: str, until: str) -> str:
        text = f"{_PERMISSION}\n{until}\n/blob/{path}\n{STORAGE_VERSION}"
        return base64.b64encode(hmac.digest(self._key, text.encode(), "sha256")).decode("ascii")


def has_expired(query: Mapping[str, str], now: float) -> bool:
    """Tell whether an address that was made here is no longer good."""
    return _moment(now) >= query["se"]


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
