"""A console's log and its ends, from a server that keeps blobs as Azure does, over HTTPS."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from benchhost.azure.console import HALF, read_ends, read_tail
from benchhost.emulator.certificates import make_certificate
from contract.clouds import Cloud

KIB = 1024


@dataclass
class Blobs:
    """A server with one blob, and what it was asked."""

    base: str = ""
    content: bytes = b""
    refusals: dict[str, int] = field(default_factory=dict)
    """By method, the status that it answers with."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        wanted = request.headers.get("Range")
        self.asked.append((request.method, wanted))
        self.headers.append(dict(request.headers))
        if self.refusals.get(request.method) == 302:
            raise web.HTTPFound(f"{self.base}/blob")
        if request.method in self.refusals:
            raise web.HTTPForbidden
        if request.method == "HEAD":
            return web.Response(headers={"Content-Length": str(len(self.content))})
        # Azure knows bytes=first-last and bytes=first-, and nothing that counts from the end.
        first, _, last = (wanted or "bytes=0-").removeprefix("bytes=").partition("-")
        part = self.content[int(first) : int(last) + 1 if last else None]
        return web.Response(body=part, status=206 if wanted else 200)


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[tuple[Blobs, aiohttp.ClientSession]]:
    certificate = make_certificate(tmp_path, ("localhost", "127.0.0.1"))
    blobs, application = Blobs(), web.Application()
    application.router.add_get("/blob", blobs.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.server_context())
    await site.start()
    port = runner.addresses[0][1]
    blobs.base = f"https://localhost:{port}"
    context = ssl.create_default_context(cafile=certificate.ca_bundle)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield blobs, session
    await runner.cleanup()


async def test_a_short_log_is_read_whole_and_anonymously(blobs: tuple[Blobs, aiohttp.ClientSession]) -> None:
    server, session = blobs
    server.content = b"login: "
    assert await read_tail(session, f"{server.base}/blob?sig=x%2By") == b"login: "
    assert server.asked == [("HEAD", None), ("GET", "bytes=0-6")]
    assert not [headers for headers in server.headers if "Authorization" in headers]


async def test_only_the_end_of_a_long_log_is_read(blobs: tuple[Blobs, aiohttp.ClientSession]) -> None:
    server, session = blobs
    server.content = b"x" * KIB + b"y" * 64 * KIB
    assert await read_tail(session, f"{server.base}/blob") == b"y" * 64 * KIB
    assert server.asked[1] == ("GET", f"bytes={KIB}-{65 * KIB - 1}")


@pytest.mark.parametrize("length", [1, 65 * KIB, 2 * HALF], ids=["short", "longer-than-a-tail", "as-long-as-both-ends"])
async def test_the_whole_of_a_log_is_read_in_one(blobs: tuple[Blobs, aiohttp.ClientSession], length: int) -> None:
    server, session = blobs
    server.content = b"x" * (length - 1) + b"y"
    assert await read_ends(session, f"{server.base}/blob") == server.content
    assert server.asked == [("HEAD", None), ("GET", f"bytes=0-{length - 1}")]


async def test_of_a_very_long_log_both_ends_are_read(blobs: tuple[Blobs, aiohttp.ClientSession]) -> None:
    server, session = blobs
    server.content = b"a" * HALF + b"middle" + b"z" * HALF
    assert await read_ends(session, f"{server.base}/blob") == b"a" * HALF + b"\n\n" + b"z" * HALF


async def test_an_empty_log_is_empty(blobs: tuple[Blobs, aiohttp.ClientSession]) -> None:
    server, session = blobs
    assert await read_tail(session, f"{server.base}/blob") == b""
    assert await read_ends(session, f"{server.base}/blob") == b""


@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("status", [403, 302], ids=["an-address-that-is-no-longer-good", "an-answer-that-leads-on"])
async def test_what_is_not_given_is_not_read(
    blobs: tuple[Blobs, aiohttp.ClientSession], method: str, status: int
) -> None:
    server, session = blobs
    server.content, server.refusals = b"x" * (2 * HALF + 1), {method: status}
    assert await read_tail(session, f"{server.base}/blob") is None
    assert await read_ends(session, f"{server.base}/blob") is None
    assert [asked for asked, _ in server.asked].count(method) == 2


async def test_an_address_without_encryption_is_not_used(blobs: tuple[Blobs, aiohttp.ClientSession]) -> None:
    server, session = blobs
    assert await read_tail(session, server.base.replace("https", "http") + "/blob") is None
    assert await read_tail(session, "") is None
    assert await read_ends(session, "") is None
    assert server.asked == []


async def test_trouble_with_azure_is_no_console(azure: Cloud) -> None:
    assert (
        await azure.provider.read_console(azure.request(subscriptionId="00000000-0000-4000-8000-00000000dead")) is None
    )
