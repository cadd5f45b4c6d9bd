"""Where the orphan sweep looks, and with whose credentials.

Used by ``orphans``. A scope is remembered when its last host is gone, because that is when it matters; it is forgotten
when a look has shown that nothing of this cluster is left there, or when nothing is left to look with.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.cloud.errors import CloudError
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.cloud.provider import CloudProvider
from benchhost.controller.providers import Providers
from benchhost.controller.store import Key

_NOTHING_TO_LOOK_AT: Final = frozenset(
    {Reason.CREDENTIALS_MISSING, Reason.RESOURCE_GROUP_NOT_FOUND, Reason.SUBSCRIPTION_NOT_FOUND}
)
"""Why a look failed that will not succeed again, unless somebody makes anew what is gone, and hosts with it."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Credentials for a scope."""

    get_provider: Callable[[], Awaitable[CloudProvider]]
    named_at: datetime | None
    """When a host named them last; None for what an administrator has set, which is never forgotten."""


class SweepScopes:
    """Remembers scopes and the credentials for each.

    Parameters
    ----------
    providers
        Clouds.
    configured
        Where to look beside the places that hosts name; with the controller's own credentials.
    memory
        How long a scope is remembered in any case: something may turn up there later.
    """

    def __init__(self, providers: Providers, configured: Iterable[Scope], *, memory: timedelta) -> None:
        self._providers = providers
        self._memory = memory
        own = _Way(partial(providers.get_own, _user_of(None)), None)
        self._ways: dict[Scope, dict[Hashable, _Way]] = {scope: {None: own} for scope in configured}
        self._reached: dict[Scope, CloudProvider] = {}

    def learn(self, hosts: Iterable[BenchHost], *, now: datetime) -> tuple[Scope, ...]:
        """Take over what these hosts name; gives every scope that is known."""
        for host in hosts:
            ref = host.spec.credentials_ref
            credentials = (host.metadata.namespace, ref.name if ref is not None else None)
            get_provider = partial(self._providers.get, host, _user_of(credentials))
            self._ways.setdefault(Scope.of(host.spec), {})[credentials] = _Way(get_provider, now)
        return tuple(self._ways)

    async def list_owned(self, scope: Scope, cluster: str, *, now: datetime) -> list[OwnedResource]:
        """What the cluster owns there, by the first credentials that work.

        Raises
        ------
        CloudError
            Why the last ones did not.
        DeferredError
            When a turn has not come.
        """
        ways = self._ways[scope]
        spent = {name for name, way in ways.items() if way.named_at and now - way.named_at >= self._memory}
        trouble: CloudError | None = None
        for name in sorted(ways, key=lambda name: name in spent):
            try:
                provider = await ways[name].get_provider()
                found = await provider.list_owned(scope, cluster)
            except CloudError as error:
                trouble = error
                if error.reason not in _NOTHING_TO_LOOK_AT:
                    spent.discard(name)
                continue
            self._reached[scope] = provider
            await self._forget(scope, spent - {name} if found else spent)
            return found
        await self._forget(scope, spent)
        if trouble is not None:
            raise trouble
        return []

    def reached(self, scope: Scope) -> CloudProvider:
        """The cloud that the last list of this scope came from."""
        return self._reached[scope]

    async def _forget(self, scope: Scope, spent: set[Hashable]) -> None:
        ways = self._ways[scope]
        for name in spent:
            del ways[name]
            if not any(name in others for others in self._ways.values()):
                await self._providers.release(_user_of(name))
        if not ways:
            del self._ways[scope]
            self._reached.pop(scope, None)


def _user_of(credentials: Hashable) -> Key:
    """Who uses a provider here; no host has this key, as a namespace is never empty."""
    return ("", f"orphans/{credentials}")
