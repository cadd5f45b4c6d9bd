"""One cloud provider for each set of credentials, shared by all hosts that use it.

Called by the reconciler at the start of a pass. Credentials stay in here and in the provider: they are compared by
digest, and no message names more than the Secret and the key that is missing.
"""

import hashlib
from collections.abc import Callable, Mapping

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.cloud.errors import AdminError, CredentialsError
from benchhost.cloud.provider import CloudProvider, GuestSecrets
from benchhost.controller.hosts import Hosts

ProviderFactory = Callable[[Mapping[str, str]], CloudProvider]
"""Makes a provider from the values of a credentials Secret; raises CredentialsError naming a missing key."""


Wrap = Callable[[CloudProvider], CloudProvider]
"""Puts something around a provider, for example a meter."""

ProvidersFactory = Callable[["Hosts", Wrap], "Providers"]
"""Makes the clouds of a process, each of them wrapped."""


class Providers:
    """Providers by the digest of their credentials.

    Parameters
    ----------
    hosts
        Reads Secrets.
    factory
        Makes a provider.
    own
        The controller's own credentials, or None.
    own_namespaces
        Namespaces that may use them; ``*`` means all.
    """

    def __init__(
        self,
        hosts: Hosts,
        factory: ProviderFactory,
        *,
        own: Mapping[str, str] | None = None,
        own_namespaces: tuple[str, ...] = (),
    ) -> None:
        self._hosts = hosts
        self._factory = factory
        self._own = own
        self._own_namespaces = own_namespaces
        self._made: dict[str, CloudProvider] = {}

    async def get(self, host: BenchHost) -> CloudProvider:
        """The provider for this host's credentials.

        Raises
        ------
        CredentialsError
            If there are none, or one of their keys is missing.
        """
        return self._provider(await self._values(host))

    async def get_own(self) -> CloudProvider:
        """The provider for the controller's own credentials, for work that belongs to no host.

        Raises
        ------
        CredentialsError
            If it has none.
        """
        return self._provider(self._own or {})

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
        for provider in self._made.values():
            await provider.close()
        self._made.clear()

    def _provider(self, values: Mapping[str, str]) -> CloudProvider:
        digest = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()
        if digest not in self._made:
            self._made[digest] = self._factory(values)
        return self._made[digest]

    async def _values(self, host: BenchHost) -> Mapping[str, str]:
        ref, namespace = host.spec.credentials_ref, host.metadata.namespace
        if ref is None:
            return self._own_values(namespace)
        data = await self._hosts.read_secret(namespace, ref.name)
        if data is None:
            raise CredentialsError(
                f"Secret {namespace}/{ref.name}, which spec.credentialsRef names, does not exist; create it "
                "with AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.",
                reason=Reason.CREDENTIALS_MISSING,
            )
        return {key: value.decode(errors="replace").strip() for key, value in data.items()}

    def _own_values(self, namespace: str) -> Mapping[str, str]:
        allowed = "*" in self._own_namespaces or namespace in self._own_namespaces
        if self._own is None or not allowed:
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
