"""Hosts that wait for better credentials: when to look at their Secret, so that a new one is used soon.

Called by the reconciler for a host that its backoff holds back. A look is one GET to the API server; the cloud is asked
again only when the Secret has changed since, or when the backoff is over.
"""

from datetime import datetime, timedelta
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.controller.providers import Providers
from benchhost.controller.store import Key

LOOK_INTERVAL: Final = timedelta(seconds=30)
"""As often as for a Secret that is missing (lifecycle.backoff)."""

_MENDED_BY_A_SECRET: Final = frozenset(
    {
        Reason.CREDENTIALS_REJECTED,
        Reason.CREDENTIALS_MISSING,
        Reason.AUTHORIZATION_FAILED,
        Reason.SUBSCRIPTION_NOT_FOUND,
    }
)


class CredentialWatch:
    """Looks at the Secrets of hosts whose credentials were no good.

    Parameters
    ----------
    providers
        Reads Secrets, and knows which credentials each host has used last.
    """

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self._refused: dict[Key, str | None] = {}

    def note(self, host: BenchHost) -> None:
        """Remember after a pass which credentials were no good; a restart forgets it, and costs one request each."""
        if waits_for_secret(host):
            self._refused[host.key] = self._providers.digest_of(host.key)
        else:
            self.forget(host.key)

    def forget(self, key: Key) -> None:
        """The host is gone."""
        self._refused.pop(key, None)

    async def is_mended(self, host: BenchHost) -> bool:
        """Whether a host that is held back by its credentials has others by now."""
        if not waits_for_secret(host):
            return False
        digest = await self._providers.read_digest(host)
        return digest is not None and digest != self._refused.get(host.key)


def try_now(host: BenchHost, now: datetime) -> BenchHost:
    """The host with its backoff over."""
    failure = host.status.failure
    if failure is None:
        return host
    over = failure.model_copy(update={"next_attempt_at": now})
    return host.model_copy(update={"status": host.status.model_copy(update={"failure": over})})


def look_within(host: BenchHost, waiting: timedelta) -> timedelta:
    """How long to leave the host alone: its backoff, but no longer than until the next look at its Secret."""
    return min(waiting, LOOK_INTERVAL) if waits_for_secret(host) else waiting


def waits_for_secret(host: BenchHost) -> bool:
    """Whether the host's failure is one that another Secret could mend."""
    failure = host.status.failure
    return failure is not None and failure.reason in _MENDED_BY_A_SECRET and host.spec.credentials_ref is not None
