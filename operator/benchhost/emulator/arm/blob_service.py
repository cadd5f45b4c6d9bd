"""The storage that boot diagnostics are read from: blobs of machines, for whoever has a signed address.

Called by `benchhost.emulator.dispatcher` for paths that begin with a container of boot diagnostics. It answers as Azure
Storage does, in XML where it refuses, and it asks for no token: the address is the permission.
"""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from benchhost.emulator.arm.signed_blobs import STORAGE_VERSION, has_expired
from benchhost.emulator.cloud.compute.boot_diagnostics import (
    CONTAINER_PREFIX,
    blob_of,
    container_of,
    screenshot,
    settings_of,
)
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.machines import KIND
from benchhost.emulator.cloud.compute.serial_log import serial_log

if TYPE_CHECKING:
    from benchhost.emulator.arm.signed_blobs import BlobSignatures
    from benchhost.emulator.clock import Clock
    from benchhost.emulator.cloud.subscription import Subscription

PATH_PREFIX = f"/{CONTAINER_PREFIX}"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class BlobService:
    """Answers reads of blobs.

    Parameters
    ----------
    subscription
        Whose machines the blobs are of.
    signatures
        Knows which addresses were given out.
    clock
        What time it is.
    """

    def __init__(self, subscription: Subscription, signatures: BlobSignatures, clock: Clock) -> None:
        self._subscription = subscription
        self._signatures = signatures
        self._clock = clock

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        now = self._clock.now()
        self._subscription.advance(now)
        path = request.path.lstrip("/")
        if not self._signatures.is_signed(path, request.query):
            return _refusal(HTTPStatus.FORBIDDEN, "AuthenticationFailed", "The signature did not match.")
        if has_expired(request.query, now):
            return _refusal(
                HTTPStatus.FORBIDDEN, "AuthenticationFailed", "Signature not valid in the specified time frame."
            )
        if request.method not in ("GET", "HEAD"):
            return _refusal(
                HTTPStatus.FORBIDDEN,
                "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission.",
            )
        content = self._content(path, now)
        if content is None:
            return _refusal(HTTPStatus.NOT_FOUND, "BlobNotFound", "The specified blob does not exist.")
        return _answer(request, content)

    def _content(self, path: str, now: float) -> bytes | None:
        for machine in self._subscription.store.list_of_kind(KIND):
            if not isinstance(machine, VirtualMachine) or not path.startswith(f"{container_of(machine)}/"):
                continue
            if not settings_of(machine.properties).get("enabled"):
                return None
            if path.endswith(blob_of(machine, "screenshot.bmp")):
                return screenshot(machine)
            return serial_log(machine, self._subscription.operations.running_on(machine), now).encode()
        return None


def _answer(request: web.BaseRequest, content: bytes) -> web.Response:
    headers = {**_headers(), "Accept-Ranges": "bytes", "x-ms-blob-type": "PageBlob"}
    kind = "image/bmp" if request.path.endswith(".bmp") else "text/plain"
    wanted = _RANGE.fullmatch(request.headers.get("x-ms-range") or request.headers.get("Range") or "")
    if wanted is None:
        return web.Response(body=content, headers=headers, content_type=kind)
    first, last = int(wanted[1]), min(int(wanted[2] or len(content) - 1), len(content) - 1)
    if first >= len(content):
        return _refusal(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The range specified is invalid for the current size of the resource.",
        )
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return web.Response(
        status=HTTPStatus.PARTIAL_CONTENT, body=content[first : last + 1], headers=headers, content_type=kind
    )


def _refusal(status: HTTPStatus, code: str, message: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(
        status=status, text=text, headers={**_headers(), "x-ms-error-code": code}, content_type="application/xml"
    )


def _headers() -> dict[str, str]:
    return {"x-ms-request-id": str(uuid.uuid4()), "x-ms-version": STORAGE_VERSION}
