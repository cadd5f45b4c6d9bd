"""Cloud providers by the digest of their credentials, each kept as long as a host uses it.

Called by ``providers`` within a host's pass. A host has one pass at a time, so that a provider nobody uses any more can
be closed at once: whoever used it last has just asked for another one, or is gone.
"""

from collections.abc import Callable

from benchhost.cloud.provider import CloudProvider
from benchhost.controller.store import Key


class ProviderPool:
    """Providers, and which host uses which."""

    def __init__(self) -> None:
        self._made: dict[str, CloudProvider] = {}
        self._uses: dict[Key, str] = {}

    def __len__(self) -> int:
        """How many providers are open."""
        return len(self._made)

    async def get(self, key: Key, digest: str, make: Callable[[], CloudProvider]) -> CloudProvider:
        """The provider with these credentials, from now on the one that the host uses; what ``make`` raises, too."""
        earlier = self._uses.get(key)
        self._uses[key] = digest
        if earlier is not None and earlier != digest:
            await self._close_unused(earlier)
        if digest not in self._made:
            self._made[digest] = make()
        return self._made[digest]

    def digest_of(self, key: Key) -> str | None:
        """The credentials that the host asked for last, even if they were no good."""
        return self._uses.get(key)

    async def release(self, key: Key) -> None:
        """The host is gone."""
        digest = self._uses.pop(key, None)
        if digest is not None:
            await self._close_unused(digest)

    async def close(self) -> None:
        """Close every provider."""
        for provider in self._made.values():
            await provider.close()
        self._made.clear()
        self._uses.clear()

    async def _close_unused(self, digest: str) -> None:
        if digest in self._uses.values():
            return
        provider = self._made.pop(digest, None)
        if provider is not None:
            await provider.close()
