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

_Lease = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class _Known:
    state: HolderState
    until: datetime


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
        self._troubled: set[_Lease] = set()

    async def read(self, host: BenchHost) -> HolderState | None:
        """What the Lease of this host's holder says; None when the host names none, or when it could not be read.

        A Lease that is known to be valid is not read again before it can have expired. So a holder that gives its
        Lease back early is noticed at the latest when that Lease would have run out.
        """
        if host.spec.holder is None:
            return None
        lease, now = (host.metadata.namespace, host.spec.holder.lease_name), self._clock()
        known = self._known.get(lease)
        if known is not None and known.until > now:
            return known.state
        self._forget_expired(now)
        return await self._read(lease, now)

    async def _read(self, lease: _Lease, now: datetime) -> HolderState | None:
        try:
            body = await self._server.get(object_path(_API, lease[0], "leases", lease[1]))
        except API_SERVER_TROUBLE as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.NOT_FOUND:
                return self._keep(lease, HolderState(expires_at=None), now)
            self._tell(lease, error)
            return None
        return self._keep(lease, to_holder_state(body, now=now), now)

    def _keep(self, lease: _Lease, state: HolderState, now: datetime) -> HolderState:
        self._troubled.discard(lease)
        if state.expires_at is not None and state.expires_at > now:
            self._known[lease] = _Known(state, until=state.expires_at)
        return state

    def _forget_expired(self, now: datetime) -> None:
        self._known = {lease: known for lease, known in self._known.items() if known.until > now}

    def _tell(self, lease: _Lease, error: BaseException) -> None:
        """One line when the trouble with a Lease begins, not one for each host and pass."""
        if lease in self._troubled:
            return
        self._troubled.add(lease)
        todo = ""
        if isinstance(error, ApiException) and error.status == HTTPStatus.FORBIDDEN:
            todo = "; give the controller's ServiceAccount the roles of manifests/base (get on leases)"
        _log.warning("%s/%s: the Lease cannot be read (%s), so its hosts are kept%s", *lease, one_line(error), todo)


def to_holder_state(lease: Mapping[str, Any], *, now: datetime) -> HolderState:
    """Until when a Lease is held. A renewal in the future, by a clock that is ahead of ours, counts as made now."""
    spec = lease.get("spec") or {}
    renewed = spec.get("renewTime") or spec.get("acquireTime")
    if not spec.get("holderIdentity") or renewed is None:
        return HolderState(expires_at=None)
    duration = timedelta(seconds=spec.get("leaseDurationSeconds") or _DEFAULT_DURATION)
    return HolderState(expires_at=min(datetime.fromisoformat(renewed), now) + duration)
