"""A connection to the API server that is known to be of use: credentials that work, the CRD, the rights to list.

Opened by the controller and by the one-time sweep. What is missing ends as one sentence before anything starts.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.names import GROUP, PLURAL, VERSION
from benchhost.controller.api_server import API_SERVER_TROUBLE, ApiServer, object_path

Login = Callable[[], Awaitable[Configuration]]
"""Gives a connected configuration; called again when the API server stops to accept it."""

_CONNECTIONS: Final = 8
"""To the API server, beside the watch: at some 5 ms a write they carry far more than a controller writes."""
_API: Final = f"apis/{GROUP}/{VERSION}"


class InstallationError(Exception):
    """The controller cannot work in this cluster as it is; the message says what to do."""


@asynccontextmanager
async def connected(login: Login, namespaces: tuple[str, ...] = ()) -> AsyncIterator[ApiServer]:
    """The API server, seen to list the BenchHosts of these namespaces, or of all.

    Raises
    ------
    InstallationError
        If it does not.
    """
    configuration = await login()
    configuration.connection_pool_maxsize = _CONNECTIONS
    async with ApiClient(configuration) as client:

        async def renew() -> None:
            """Take over a token that has been replaced in the kubeconfig or in the pod since."""
            client.configuration.api_key = (await login()).api_key

        server = ApiServer(client, renew)
        await _check(server, namespaces, where=configuration.host)
        yield server


async def _check(server: ApiServer, namespaces: tuple[str, ...], *, where: str) -> None:
    """See that BenchHosts can be listed, so that a missing CRD or role is a sentence and not a silence."""
    paths = [object_path(_API, namespace, PLURAL) for namespace in namespaces] or [f"/{_API}/{PLURAL}"]
    try:
        for path in paths:
            await server.get(path, limit="1")
    except ApiException as error:
        raise InstallationError(_why_refused(error)) from error
    except API_SERVER_TROUBLE as error:
        raise InstallationError(
            f"The API server at {where} cannot be reached ({str(error) or type(error).__name__}); "
            "check the kubeconfig and that the server runs."
        ) from error


def _why_refused(error: ApiException) -> str:
    match error.status:
        case 404:
            return f"The cluster has no {PLURAL}.{GROUP}; install the CRD with: kubectl apply -f crds/"
        case 401:
            return "The API server does not accept the controller's credentials; check the kubeconfig or token."
        case 403:
            return f"The controller may not list {PLURAL}.{GROUP}; give its ServiceAccount the roles of manifests/base."
        case _:
            return f"The API server refused a list of {PLURAL}.{GROUP}: HTTP {error.status} {error.reason}."
