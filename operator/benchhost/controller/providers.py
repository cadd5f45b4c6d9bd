"""What a host's credentials are, and the cloud provider that all hosts with the same ones share.

Called by the reconciler within a pass. Credentials stay in here and in the provider: they are compared by
digest, and no message names more than the Secret and the key that is missing.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.cloud.errors import AdminError, CredentialsError
from benchhost.cloud.provider import CloudProvider, GuestSecrets
from benchhost.controller.hosts import Hosts
from benchhost.controller.provider_pool import ProviderPool
from benchhost.controller.store import Key

SecretFactory = Callable[[Mapping[str, str], bool], CloudProvider]
"""Makes a provider from the values of a credentials Secret, and whether its namespace may use what is the controller's
own; raises CredentialsError naming a missing key. Bytes in a value that are no text come as surrogates."""

OwnFactory = Callable[[], CloudProvider]
"""Makes a provider with the controller's own credentials; raises CredentialsError."""

_OWN: Final = "own"
"""Stands for the digest of the controller's own credentials, which only a restart or the files they name change."""


Wrap = Callable[[CloudProvider], CloudProvider]
"""Puts something around a provider, for example a meter."""

ProvidersFactory = Callable[["Hosts", Wrap], "Providers"]
"""Makes the clouds of a process, each of them wrapped."""


class Providers:
    """Gives each host its provider, and what goes into its machine.

    Parameters
    ----------
    hosts
        Reads Secrets.
    factory
        Makes a provider from a Secret.
    own
        Makes the one with the controller's own credentials.
    own_namespaces
        Namespaces that may use what is the controller's own; ``*`` means all.
    """

    def __init__(
        self,
        hosts: Hosts,
        factory: SecretFactory,
        *,
        own: OwnFactory | None = None,
        own_namespaces: tuple[str, ...] = (),
    ) -> None:
        self._hosts = hosts
        self._factory = factory
        self._own = own
        self._own_namespaces = own_namespaces
        self._pool = ProviderPool()

    async def get(self, host: BenchHost, user: Key | None = None) -> CloudProvider:
        """The provider for this host's credentials.

        ``user`` is who uses it, if that is not a pass over the host: each user closes what only it has used as soon as
        the credentials change.

        Raises
        ------
        CredentialsError
            If there are none, or one of their keys is missing.
        """
        namespace = host.metadata.namespace
        user = user or host.key
        if host.spec.credentials_ref is None:
            return await self._pool.get(user, _OWN, self._require_own(namespace))
        values = await self._values(host, host.spec.credentials_ref.name)
        may_use_own = self._may_use_own(namespace)
        return await self._pool.get(user, _digest(values, may_use_own), lambda: self._factory(values, may_use_own))

    async def get_own(self, user: Key) -> CloudProvider:
        """The provider for the controller's own credentials, for work that belongs to no host.

        Raises
        ------
        CredentialsError
            If it has none.
        """
        if self._own is None:
            raise CredentialsError(
                "The controller has no credentials of its own; set the AZURE_* variables of its environment.",
                reason=Reason.CREDENTIALS_MISSING,
            )
        return await self._pool.get(user, _OWN, self._own)

    def digest_of(self, key: Key) -> str | None:
        """Tells the credentials that a host used last from others; None before its first pass."""
        return self._pool.digest_of(key)

    async def read_digest(self, host: BenchHost) -> str | None:
        """The same of its Secret as it is now; None when there is none."""
        if host.spec.credentials_ref is None:
            return None
        namespace = host.metadata.namespace
        data = await self._hosts.read_secret(namespace, host.spec.credentials_ref.name)
        return None if data is None else _digest(_texts(data), self._may_use_own(namespace))

    async def release(self, key: Key) -> None:
        """Forget what a host used that is gone."""
        await self._pool.release(key)

    async def guest_secrets(self, host: BenchHost) -> GuestSecrets:
        """What the spec wants put into the machine at its creation.

        Raises
        ------
        AdminError
            If a Secret or a key that the spec names does not exist.
        """
        azure = host.spec.azure
        keys = list(azure.admin.ssh_public_keys)
        if azure.admin.ssh_public_keys_ref is not None:
            ref = azure.admin.ssh_public_keys_ref
            text = await self._secret_value(host, ref.name, ref.key, "spec.azure.admin.sshPublicKeysRef")
            keys += [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
        custom_data = azure.custom_data.encode() if azure.custom_data is not None else None
        if azure.custom_data_ref is not None:
            ref = azure.custom_data_ref
            custom_data = await self._secret_value(host, ref.name, ref.key, "spec.azure.customDataRef")
        return GuestSecrets(ssh_public_keys=tuple(keys), custom_data=custom_data)

    async def close(self) -> None:
        """Close every provider."""
        await self._pool.close()

    async def _values(self, host: BenchHost, name: str) -> Mapping[str, str]:
        namespace = host.metadata.namespace
        data = await self._hosts.read_secret(namespace, name)
        if data is None:
            raise CredentialsError(
                f"Secret {namespace}/{name}, which spec.credentialsRef names, does not exist; create it "
                "with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
                reason=Reason.CREDENTIALS_MISSING,
            )
        return _texts(data)

    def _may_use_own(self, namespace: str) -> bool:
        return "*" in self._own_namespaces or namespace in self._own_namespaces

    def _require_own(self, namespace: str) -> OwnFactory:
        if self._own is None or not self._may_use_own(namespace):
            raise CredentialsError(
                f"spec.credentialsRef is absent, and namespace {namespace} may not use the controller's own "
                "credentials; set spec.credentialsRef to a Secret of this namespace.",
                reason=Reason.CREDENTIALS_MISSING,
            )
        return self._own

    async def _secret_value(self, host: BenchHost, name: str, key: str, field: str) -> bytes:
        namespace = host.metadata.namespace
        data = await self._hosts.read_secret(namespace, name)
        if data is None or key not in data:
            what = f"has no key {key}" if data is not None else "does not exist"
            raise AdminError(
                f"Secret {namespace}/{name}, which {field} names, {what}; create it or correct the name.",
                reason=Reason.SECRET_MISSING,
            )
        return data[key]


def _texts(data: Mapping[str, bytes]) -> dict[str, str]:
    return {key: value.decode(errors="surrogateescape") for key, value in data.items()}


def _digest(values: Mapping[str, str], may_use_own: bool) -> str:
    """What tells credentials apart; a namespace's rights are a part of them, or it could use another's provider."""
    content = repr((may_use_own, sorted(values.items())))
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()
