"""What a machine wrote to its serial console: for a message to people, or for its host keys. Called by the provider.

Azure gives out an address with a signature in it: whoever has it may read. It leads to another host than ARM, so our
token is not sent there, and it is never logged. Whoever needs the text comes again, so every trouble is None.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from benchhost.azure.calls import azure_call
from benchhost.azure.clients import AzureClients
from benchhost.azure.names import HostNames
from benchhost.cloud.errors import CloudError, DeferredError
from benchhost.cloud.machine import Part
from benchhost.cloud.provider import HostRequest

TAIL: Final = 64 * 1024
"""Bytes of the end that are read; the log grows up to 1 GB (boot-diagnostics.md)."""
HALF: Final = 512 * 1024
"""Bytes of each end that are read of the whole: several times the first boot of an Ubuntu image, and what a serial line
of 115200 baud carries in 45 s."""
_TIME: Final = 10.0
"""Seconds for all of it."""
_VALIDITY: Final = 5
"""Minutes for which the address is good; it is used at once."""

_log = logging.getLogger("benchhost.azure")


async def read_console(clients: AzureClients, request: HostRequest, *, whole: bool) -> str | None:
    """The end of the console's log, or both its ends; None when there is none or it cannot be read."""
    names = HostNames.of(request)
    try:
        async with asyncio.timeout(_TIME):
            url = await _address(clients, names)
            log = await (read_ends if whole else read_tail)(clients.anonymous_session(), url)
    except (CloudError, DeferredError, aiohttp.ClientError, OSError, EOFError, ValueError) as error:
        # Only its type: the text of a network error may hold the address.
        _log.debug("%s: the console was not read: %s", names.machine, type(error).__name__)
        return None
    # A page blob is filled up with zeros.
    return log.decode(errors="replace").replace("\0", "") if log is not None else None


async def read_tail(session: aiohttp.ClientSession, url: str) -> bytes | None:
    """The end of a blob; None when it is not there for us, or the address is not HTTPS.

    Its length is asked for first, as Azure does not know ranges that count from the end.
    """
    length = await _length(session, url)
    return None if length is None else await _part(session, url, max(0, length - TAIL), length)


async def read_ends(session: aiohttp.ClientSession, url: str) -> bytes | None:
    """The whole blob, or its two ends with an empty line between them where it is long; None as of ``read_tail``."""
    length = await _length(session, url)
    if length is None:
        return None
    if length <= 2 * HALF:
        return await _part(session, url, 0, length)
    first = await _part(session, url, 0, HALF)
    last = await _part(session, url, length - HALF, length) if first is not None else None
    return None if first is None or last is None else first + b"\n\n" + last


async def _length(session: aiohttp.ClientSession, url: str) -> int | None:
    if urlsplit(url).scheme != "https":
        return None
    async with session.head(url, allow_redirects=False) as answer:
        return answer.content_length if answer.status == HTTPStatus.OK else None


async def _part(session: aiohttp.ClientSession, url: str, start: int, end: int) -> bytes | None:
    """The bytes from ``start`` up to ``end``."""
    if start == end:
        return b""
    wanted = {"Range": f"bytes={start}-{end - 1}"}
    async with session.get(url, headers=wanted, allow_redirects=False) as answer:
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            return None
        return await answer.content.readexactly(end - start)


async def _address(clients: AzureClients, names: HostNames) -> str:
    machines: Any = clients.compute(names.azure.subscription_id).virtual_machines
    where = names.at(Part.MACHINE, None)
    async with azure_call(clients.settings, f"read the console of {names.describe(Part.MACHINE)}"):
        given = await machines.retrieve_boot_diagnostics_data(*where, sas_uri_expiration_time_in_minutes=_VALIDITY)
    return given.serial_console_log_blob_uri or ""
