"""Who holds a host: the Lease that ``spec.holder`` names, read when it could matter.

Asked by a pass for a host whose holder may be lost. Trouble with the API server is never taken for a lost holder, and
nothing here decides what becomes of the host.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.host import BenchHost
from benchhost.controller.api_server import API_SERVER_TROUBLE, ApiServer, object_path, one_line
from benchhost.lifecycle.circumstances import HolderState

_log = logging.getLogger(__name__)

_API: Final = "apis/coordination.k8s.io/v1"
_DEFAULT_DURATION: Final = 15
"""Seconds that a Lease without leaseDurationSeconds counts: LeaseDuration of the Kubernetes components' leader
election (component-base, LeaderElectionConfiguration)."""

_MEMORY: Final = timedelta(days=1)
"""How long a Lease that nobody asks for is remembered; a host that names one asks within its resync interval."""

_Lease = tuple[str, str]
"""Namespace and name."""


@dataclass(slots=True)
class _Known:
    """What is remembered of a Lease."""

    asked_at: datetime
    state: HolderState | None = None
    """As it was read last; it stands until it expires."""
    record: Mapping[str, Any] | None = None
    """Its spec as it was read last."""
    changed_at: datetime | None = None
    """When that was seen here for the first time."""
    is_troubled: bool = False

    def saw(self, record: Mapping[str, Any], now: datetime) -> datetime:
        """When this record was seen for the first time."""
        if self.changed_at is None or record != self.record:
            self.record, self.changed_at = record, now
        return self.changed_at


class Holders:
    """Reads Leases, each at most once until it can have expired.

    Parameters
    ----------
    server
        The API server.
    clock
        Gives the time in UTC.
    """

    def __init__(self, server: ApiServer, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._server = server
        self._clock = clock
        self._known: dict[_Lease, _Known] = {}

    async def read(self, host: BenchHost) -> HolderState | None:
        """What the Lease of this host's holder says; None when the host names none, or when it could not be read.

        A Lease that is known to be valid is not read again before it can have expired. So a holder that gives its
        Lease back early is noticed at the latest when that Lease would have run out.
        """
        if host.spec.holder is None:
            return None
        lease, now = (host.metadata.namespace, host.spec.holder.lease_name), self._clock()
        self._forget_unasked(now)
        known = self._known.setdefault(lease, _Known(now))
        known.asked_at = now
        if known.state is not None and known.state.expires_at is not None and known.state.expires_at > now:
            return known.state
        return await self._read(lease, known, now)

    async def _read(self, lease: _Lease, known: _Known, now: datetime) -> HolderState | None:
        try:
            body = await self._server.get(object_path(_API, lease[0], "leases", lease[1]))
        except API_SERVER_TROUBLE as error:
            if not isinstance(error, ApiException) or error.status != HTTPStatus.NOT_FOUND:
                _tell(lease, known, error)
                return None
            body = {}
        known.is_troubled = False
        known.state = to_holder_state(body, seen_at=known.saw(body.get("spec") or {}, now))
        return known.state

    def _forget_unasked(self, now: datetime) -> None:
        self._known = {lease: known for lease, known in self._known.items() if now - known.asked_at < _MEMORY}


def _tell(lease: _Lease, known: _Known, error: BaseException) -> None:
    """One line when the trouble with a Lease begins, not one for each host and pass."""
    if known.is_troubled:
        return
    known.is_troubled = True
    todo = ""
    if isinstance(error, ApiException) and error.status == HTTPStatus.FORBIDDEN:
        todo = "; give the controller's ServiceAccount the roles of manifests/base (get on leases)"
    _log.warning("%s/%s: the Lease cannot be read (%s), so its hosts are kept%s", *lease, one_line(error), todo)


def to_holder_state(lease: Mapping[str, Any], *, seen_at: datetime) -> HolderState:
    """Until when a Lease is held.

    ``seen_at`` is when this state of it was seen for the first time: by a clock that is ahead of ours it may have been
    renewed later than that, and counts as renewed then. So such a holder gains nothing, except that a controller that
    has just begun sees every renewal for the first time.
    """
    spec = lease.get("spec") or {}
    renewed = spec.get("renewTime") or spec.get("acquireTime")
    if not spec.get("holderIdentity") or renewed is None:
        return HolderState(expires_at=None)
    duration = timedelta(seconds=spec.get("leaseDurationSeconds") or _DEFAULT_DURATION)
    return HolderState(expires_at=min(datetime.fromisoformat(renewed), seen_at) + duration)
