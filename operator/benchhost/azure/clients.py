"""The SDK's clients: one HTTP session and one credential for all of them, one pair for each subscription.

Made by the provider. Clients here neither try again nor follow redirects nor register resource providers by
themselves: each of those waits inside the call, and waiting is the controller's business.
"""

import asyncio
import logging
import ssl
from typing import Any, Final

import aiohttp

from azure.core.pipeline.policies import CustomHookPolicy, HeadersPolicy, RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.network.aio import NetworkManagementClient
from benchhost.api.conditions import Reason
from benchhost.azure.budget import Budget, BudgetPolicy, require_turn
from benchhost.azure.credentials import AzureCredentials
from benchhost.azure.settings import AzureCloudSettings
from benchhost.cloud.errors import AdminError

_CONNECTIONS: Final = 96
"""Open at once. A machine's PUT keeps one busy for 3.56 s (recorded), so 36 carry the 10 writes a second that come back
to ARM's bucket, and the rest spend the 200 that were in it within 12 s; each costs some 300 kB while it is used."""
_IDLE_CONNECTION: Final = 75.0
"""Seconds that an unused connection is kept, so that hosts which are polled once a minute do not shake hands anew."""

_NOISY: Final = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.identity",
    "azure.mgmt.compute._utils.model_base",
    "azure.mgmt.network._utils.model_base",
)


class AzureClients:
    """Everything that sends requests, with one set of credentials.

    Parameters
    ----------
    settings
        Which Azure.
    credentials
        Who we are.
    budget
        What may be asked, shared by all that ask; one of its own when there is nobody else.
    """

    def __init__(
        self, settings: AzureCloudSettings, credentials: AzureCredentials, budget: Budget | None = None
    ) -> None:
        self.settings = settings
        self._credentials = credentials
        self._budget = budget if budget is not None else Budget()
        self._connections = asyncio.Semaphore(_CONNECTIONS)
        self._session: aiohttp.ClientSession | None = None
        self._shared: dict[str, Any] = {}
        self._compute: dict[str, ComputeManagementClient] = {}
        self._network: dict[str, NetworkManagementClient] = {}
        self._plain: AsyncARMPipelineClient[HttpRequest, AsyncHttpResponse] | None = None
        for name in _NOISY:
            # They write a line for each request, two for each refusal (which the condition tells once) and a whole
            # traceback for each answer that is no JSON.
            logging.getLogger(name).setLevel(logging.ERROR)

    def compute(self, subscription_id: str) -> ComputeManagementClient:
        """The client for machines and disks."""
        key = subscription_id.lower()
        if key not in self._compute:
            self._compute[key] = ComputeManagementClient(subscription_id=subscription_id, **self._client_arguments())
        return self._compute[key]

    def network(self, subscription_id: str) -> NetworkManagementClient:
        """The client for networks, interfaces and addresses."""
        key = subscription_id.lower()
        if key not in self._network:
            self._network[key] = NetworkManagementClient(subscription_id=subscription_id, **self._client_arguments())
        return self._network[key]

    async def get(self, url: str) -> AsyncHttpResponse:
        """One GET of any ARM URL, with our token: only for URLs that the settings allow."""
        if self._plain is None:
            arguments = self._client_arguments()
            self._plain = AsyncARMPipelineClient(
                arguments["base_url"], policies=arguments["policies"], transport=arguments["transport"]
            )
        return await self._plain.send_request(HttpRequest("GET", url))

    def require_turn(self, method: str, path: str) -> None:
        """Take a place in line for a request to an ARM path, or raise DeferredError until its turn has come."""
        require_turn(self._budget, method, path, self._credentials.principal)

    def anonymous_session(self) -> aiohttp.ClientSession:
        """The HTTP session under all clients, without a token: for addresses that say in themselves who may read.

        It has one TLS context; the SDK itself would make a new one for each request.
        """
        if self._session is None:
            context = self._tls_context()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, limit=_CONNECTIONS, keepalive_timeout=_IDLE_CONNECTION),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Close clients, credential and session."""
        clients: tuple[ComputeManagementClient | NetworkManagementClient, ...]
        clients = (*self._compute.values(), *self._network.values())
        for client in clients:
            await client.close()
        if self._plain is not None:
            await self._plain.close()
        if "credential" in self._shared:
            await self._shared["credential"].close()
        if self._session is not None:
            await self._session.close()

    def _client_arguments(self) -> dict[str, Any]:
        """What every client is made with. A policy is chained to its successor, so each client needs its own."""
        if not self._shared:
            self._shared = self._open()
        credential = self._shared["credential"]
        authentication = AsyncARMChallengeAuthenticationPolicy(credential, self.settings.scope)
        return {
            **self._shared,
            "base_url": self.settings.resource_manager_endpoint,
            "authentication_policy": authentication,
            "policies": [
                RequestIdPolicy(),
                HeadersPolicy(),
                UserAgentPolicy(base_user_agent="benchhost"),
                authentication,
                CustomHookPolicy(),
                BudgetPolicy(self._budget, self._credentials.principal, self._connections),
            ],
        }

    def _open(self) -> dict[str, Any]:
        """One credential and one transport for everything."""
        transport = AioHttpTransport(
            session=self.anonymous_session(),
            session_owner=False,
            use_env_settings=False,
            connection_timeout=self.settings.request_timeout,
            read_timeout=self.settings.request_timeout,
        )
        return {
            "credential": self._credentials.to_token_credential(self.settings, transport),
            "transport": transport,
        }

    def _tls_context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.settings.ca_bundle)
        except OSError as error:
            raise AdminError(
                f"The certificates in {self.settings.ca_bundle} cannot be read any more; restore the file that "
                "AZURE_CA_BUNDLE names.",
                reason=Reason.CLOUD_UNREACHABLE,
            ) from error
