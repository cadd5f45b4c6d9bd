"""One list of Azure's that many hosts look into: whoever needs it shares the round that began late enough.

Used by the inventory. It knows pages and time, and nothing of hosts.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from benchhost.azure.bodies import Body, each
from benchhost.azure.budget import Caller, calling
from benchhost.azure.clients import AzureClients
from benchhost.azure.lately import Lately
from benchhost.azure.names import without_suffix
from benchhost.azure.pages import read_pages
from benchhost.azure.waiting import Flow
from benchhost.cloud.errors import CloudError, DeferredError

_PATIENCE: Final = timedelta(seconds=1)
"""How long somebody is kept waiting for a round: they hold one of the controller's workers meanwhile."""
_SOON: Final = timedelta(seconds=0.5)
"""After which somebody asks again for whom a round took longer than was expected."""
_LATEST: Final = timedelta(seconds=5)
"""After which they ask again in any case: the last round's time is an estimate of the next one's."""
_FOR_A_PAGE: Final = timedelta(seconds=0.5)
"""From the begin of one round to the begin of the next, for each page that the first had: hosts that are changed one
after the other share a round. The six lists of a group take at most twelve of the 25 reads a second that ARM allows,
and leave the rest to what is asked of single hosts."""
_RENEW: Final = timedelta(seconds=7.5)
"""Age at which a round is renewed for those who come after whoever looks into it."""
_KEEP: Final = timedelta(seconds=90)
"""After which a round that nobody renewed gives its memory back, and the time between two rounds beside it."""
_REMEMBER: Final = timedelta(minutes=10)
"""How long it is known that an entry was listed, or was made."""


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one round has shown."""

    started: datetime
    ended: datetime
    items: Mapping[str, Body]
    """By id in lower case: ARM does not keep the case of ids."""
    _by_stem: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def without_suffix(self, stem: str) -> list[str]:
        """The ids that are this one, or this one with a suffix that the cloud has chosen."""
        if not self._by_stem:
            for key in self.items:
                self._by_stem.setdefault(without_suffix(key), []).append(key)
        return self._by_stem.get(stem, [])


@dataclass(slots=True)
class Listing:
    """All pages of one URL, again and again, at most one round at a time."""

    clients: AzureClients
    url: str
    what: str
    """For messages: "list disks in resource group x"."""
    location: str
    """The region whose limits it counts against."""
    pages: int = 1
    """Requests of the last round."""
    _last: Snapshot | None = None
    _round: asyncio.Task[None] | None = None
    _begins: datetime = _LONG_AGO
    """When the round under way begins, or has begun."""
    _is_wanted_again: bool = False
    """Whether somebody comes back for the round after it."""
    _has_failed: bool = False
    """Whether the last round brought an error."""
    _took: timedelta = timedelta(0)
    """From the last round's beginning to its end."""
    _shown: dict[str, datetime] = field(default_factory=dict)
    _expected: Lately = field(default_factory=lambda: Lately(_REMEMBER))
    _expiry: asyncio.TimerHandle | None = None

    async def recent(self, max_age: timedelta, not_before: datetime | None = None) -> Snapshot:
        """A round that ended within ``max_age``, and began at ``not_before`` or later.

        A long list is not renewed as often as ``max_age`` may ask for: the last round is recent until the next is due.
        One that is getting on is renewed for those who come after, so that no crowd waits for it at once.

        Raises
        ------
        CloudError
            If Azure refuses it.
        DeferredError
            If it takes longer than a caller should be kept; it goes on, for whoever comes back.
        """
        # What ended while somebody waited is recent for them, however long it took and whoever was first to wait.
        max_age = max(max_age, self._interval)
        oldest = datetime.now(UTC) - max_age
        while self._last is None or self._last.ended < oldest or (not_before and self._last.started < not_before):
            round_ = self._round or self._begin()
            wait = self._until_end(not_before)
            if wait > _PATIENCE:
                self._is_wanted_again |= self._is_too_early(not_before)
                raise DeferredError(min(wait, _LATEST), f"a round to {self.what}")
            done, _ = await asyncio.wait({round_}, timeout=_PATIENCE.total_seconds())
            if not done:
                raise DeferredError(_SOON, f"a round to {self.what}")
            for ended in done:
                ended.result()
        if self._round is None and self._last.ended < datetime.now(UTC) - min(_RENEW, max_age / 2):
            self._begin()
        return self._last

    def wake(self) -> None:
        """Begin a round if no earlier one is kept: lists that are looked into in turn are then read side by side.

        One that has failed is left to whoever needs it.
        """
        if self._last is None and self._round is None and not self._has_failed:
            self._begin()

    def expect(self, key: str) -> None:
        """An entry is made: it may be missing in the list for a moment (seen on ARM: bosh-azure-cpi-release#765)."""
        self._shown.pop(key, None)
        self._expected.note(key)

    def is_expected(self, key: str) -> bool:
        """Whether an entry was made and no round has shown it since."""
        return self._expected.get(key) is not None

    def has_shown(self, key: str) -> bool:
        """Whether an earlier round has shown an entry, so that its absence means that it is gone."""
        return key in self._shown

    async def close(self) -> None:
        """End a round under way."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._round is not None:
            self._round.cancel()
            with suppress(asyncio.CancelledError, CloudError):
                await self._round

    @property
    def _interval(self) -> timedelta:
        return self.pages * _FOR_A_PAGE

    def _begin(self) -> asyncio.Task[None]:
        """Begin a round, some time after the last one."""
        now = datetime.now(UTC)
        self._begins = now if self._last is None else max(now, self._last.started + self._interval)
        self._round = asyncio.create_task(self._run(self._begins - now))
        self._round.add_done_callback(self._end)
        return self._round

    def _is_too_early(self, not_before: datetime | None) -> bool:
        """Whether the round under way shows the past to somebody."""
        return not_before is not None and self._begins < not_before

    def _until_end(self, not_before: datetime | None) -> timedelta:
        """How long it may be until a round has ended that serves somebody, if rounds take as long as the last one."""
        now = datetime.now(UTC)
        end = max(self._begins + self._took, now)
        if self._is_too_early(not_before):
            end = max(end, self._begins + self._interval) + self._took
        return end - now

    async def _run(self, pause: timedelta) -> None:
        await asyncio.sleep(pause.total_seconds())
        started = datetime.now(UTC)
        items: dict[str, Body] = {}
        pages = 0
        with calling(Caller(uid=f"list {started.timestamp()}", location=self.location, flow=Flow(""))):
            async for page in read_pages(self.clients, self.url, self.what, is_patient=True):
                pages += 1
                items |= {str(item.get("id")).lower(): item for item in each(page, "value")}
        self.pages, self._last = pages, Snapshot(started, datetime.now(UTC), items)
        self._took = self._last.ended - started
        self._remember(items, started)
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later((_KEEP + self._interval).total_seconds(), self._expire)

    def _remember(self, items: Mapping[str, Body], started: datetime) -> None:
        oldest = started - _REMEMBER
        self._shown = {key: seen for key, seen in self._shown.items() if seen > oldest} | dict.fromkeys(items, started)
        self._expected.forget(items)

    def _end(self, ended: asyncio.Task[None]) -> None:
        self._round = None
        # Whoever waited has the error; if nobody did, nobody misses it.
        self._has_failed = ended.cancelled() or ended.exception() is not None
        if not self._has_failed and self._is_wanted_again:
            self._is_wanted_again = False
            self._begin()

    def _expire(self) -> None:
        self._last = None
