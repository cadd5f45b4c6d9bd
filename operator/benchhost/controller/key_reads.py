"""Read host keys off the serial consoles of hosts that wait for them, beside the passes, until each has them.

Asked and read by ``surroundings``. A read is one change-like request of the cloud's budget and some hundred KiB, so few
are under way and they become rare; hosts that ask for no host keys cost nothing. Every trouble is no answer: the
condition tells how long it has been so.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from benchhost.api.host import BenchHost, InvalidBenchHostError
from benchhost.cloud.errors import CloudError, DeferredError
from benchhost.cloud.machine import Owner
from benchhost.cloud.provider import HostRequest
from benchhost.controller.api_server import API_SERVER_TROUBLE, one_line
from benchhost.controller.host_keys import host_keys_on
from benchhost.controller.inquiries import Inquiries
from benchhost.controller.providers import Providers
from benchhost.controller.store import HostStore, Key
from benchhost.lifecycle import wait_of

_AT_ONCE: Final = 8
"""Reads under way at the same time; each may hold 1 MiB."""
_FIRST_PAUSE: Final = 5.0
"""Seconds from the first read to the second: what a console shows lags behind by some seconds."""
_MOST_DOUBLINGS: Final = 16
_LONGEST_PAUSE: Final = 60.0
"""Seconds. Azure lets a machine be changed four times a minute, and counts a read as one (compute-throttling-limits.md:
UpdateVM)."""

_log = logging.getLogger(__name__)

ReadConsole = Callable[[Key], Awaitable[str | None]]
"""Gives a host's whole console, None where it cannot be read."""


class KeyReads:
    """Reads by the key of their host. Belongs to one event loop.

    Parameters
    ----------
    read
        Reads a console.
    on_found
        Called with the key of a host whose host keys were found.
    first_pause
        Seconds from the first read to the second; then twice as many each time, up to a minute.
    """

    def __init__(
        self, read: ReadConsole, on_found: Callable[[Key], None], *, first_pause: float = _FIRST_PAUSE
    ) -> None:
        self._read = read
        self._first_pause = first_pause
        self._inquiries = Inquiries(self._find, self._pause, on_answer=on_found, at_once=_AT_ONCE)

    def follow(self, host: BenchHost) -> None:
        """Let the console be read until it shows the keys that the host, as it was last reported, waits for."""
        record = host.status.ssh_host_keys
        refused = tuple(record.keys) if record is not None else ()
        self._inquiries.begin(host.key, refused, wait_of(host.status))

    def found(self, host: BenchHost) -> tuple[str, ...]:
        """The keys that were found since they are awaited; empty while none were."""
        return self._inquiries.answer(host.key, wait_of(host.status)) or ()

    def forget(self, key: Key) -> None:
        """Read no more."""
        self._inquiries.forget(key)

    async def close(self) -> None:
        """End every read."""
        await self._inquiries.close()

    async def _find(self, key: Key, refused: tuple[str, ...]) -> tuple[str, ...] | None:
        """The keys on the console, but for those that were the host's before it lost its disk."""
        try:
            console = await self._read(key)
        except Exception:  # noqa: BLE001 - a mistake of ours in one read must not end the others
            _log.exception("%s/%s: internal error, its serial console is read again", *key)
            return None
        found = host_keys_on(console or "")
        if not found or found == refused:
            return None
        _log.info("%s/%s: %d SSH host keys are on its serial console", *key, len(found))
        return found

    def _pause(self, _: tuple[str, ...], attempt: int) -> float:
        return min(self._first_pause * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS), _LONGEST_PAUSE)


def console_reader(store: HostStore, providers: Providers, *, cluster: str) -> ReadConsole:
    """Read the console of a host as its object is now, with its own credentials.

    Parameters
    ----------
    store
        The newest objects.
    providers
        Clouds.
    cluster
        Id of this cluster, for owner tags.
    """

    async def read(key: Key) -> str | None:
        body = store.get(key)
        if body is None:
            return None
        try:
            host = BenchHost.from_dict(body)
            provider = await providers.get(host)
            return await provider.read_console(_request(host, cluster), whole=True)
        except (CloudError, DeferredError, InvalidBenchHostError, *API_SERVER_TROUBLE) as error:
            _log.debug("%s/%s: its serial console was not read: %s", *key, one_line(error))
            return None

    return read


def _request(host: BenchHost, cluster: str) -> HostRequest:
    meta = host.metadata
    owner = Owner(cluster=cluster, namespace=meta.namespace, name=meta.name, uid=meta.uid)
    return HostRequest(owner=owner, spec=host.spec, size=host.status.size or host.spec.azure.sizes[0])
