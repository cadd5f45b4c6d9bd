"""Serve the metrics over HTTP, where the administrator says; nowhere by default. Run by ``app``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


class MetricsServerError(Exception):
    """The metrics cannot be served there; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something is served over HTTP."""

    host: str
    port: int
    path: str

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read ``http://127.0.0.1:8081/metrics``.

        Raises
        ------
        MetricsServerError
            If it has another form.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if host is None or port is None or parts.scheme != "http" or parts.query or parts.fragment:
            raise MetricsServerError(f"{url} is no address for metrics; write it as http://127.0.0.1:8081/metrics.")
        return cls(host, port, parts.path or "/metrics")


@asynccontextmanager
async def serving(registry: CollectorRegistry, url: str | None) -> AsyncIterator[None]:
    """Serve this registry at the URL while the context lasts; nothing without a URL.

    Raises
    ------
    MetricsServerError
        If the URL makes no sense, or its port cannot be opened.
    """
    if url is None:
        yield
        return
    endpoint = Endpoint.from_url(url)

    async def answer(_: web.Request) -> web.Response:
        response = web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
        # A connection that is kept is a task that is kept, and kopf waits for tasks when the process ends.
        response.force_close()
        return response

    app = web.Application()
    app.router.add_get(endpoint.path, answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, endpoint.host, endpoint.port).start()
        except OSError as error:
            why = error.strerror or str(error)
            raise MetricsServerError(f"The metrics cannot be served at {url}: {why}; choose another port.") from error
        yield
    finally:
        await runner.cleanup()
