"""What the controller says to the API server: three kinds of write to a BenchHost, and reads of Secrets.

Called by the reconciler and by ``providers``. Every write is guarded by the resourceVersion that it rests on and puts
its answer into the store. It decides nothing.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from kubernetes.aio.client import ApiClient, CustomObjectsApi
from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.host import BenchHost
from benchhost.api.names import FINALIZER, GROUP, PLURAL, VERSION
from benchhost.api.status import BenchHostStatus
from benchhost.controller.store import HostStore

_JSON_PATCH = "application/json-patch+json"
_REQUEST_TIMEOUT = 30
"""Seconds for one request; the API server's own limit is 60 (kube-apiserver --request-timeout)."""
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT = 401, 404, 409


class HostGoneError(Exception):
    """The object does not exist any more."""


class HostChangedError(Exception):
    """The object is not what the pass rested on; the store has, or will have, a newer one."""


class Hosts:
    """Writes to BenchHosts.

    Parameters
    ----------
    client
        A connected client of the API server.
    store
        Where the answers go.
    renew
        Reads the credentials anew into the client's configuration, when the API server does not accept them any more.
    """

    def __init__(
        self, client: ApiClient, store: HostStore, *, renew: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._objects = CustomObjectsApi(client)
        self._client = client
        self._store = store
        self._renew = renew

    async def add_finalizer(self, host: BenchHost) -> None:
        """Hold the object until everything in the cloud is gone."""
        await self._set_finalizers(host, [*host.metadata.finalizers, FINALIZER])

    async def remove_finalizer(self, host: BenchHost) -> None:
        """Let the object go."""
        await self._set_finalizers(host, [name for name in host.metadata.finalizers if name != FINALIZER])

    async def write_status(self, host: BenchHost, status: BenchHostStatus) -> None:
        """Replace the whole status.

        When only metadata or spec have changed since the pass began the status is written all the same: it speaks of
        the generation that the pass saw, and says so. When somebody else wrote the status the pass is void.
        """
        for _ in range(5):
            try:
                return await self._patch_status(host, status.to_dict())
            except HostChangedError:
                fresh = await self.read(host)
                if fresh.status != host.status or fresh.metadata.uid != host.metadata.uid:
                    raise
                host = host.model_copy(update={"metadata": fresh.metadata})
        raise HostChangedError

    async def write_raw_status(self, body: Mapping[str, Any], status: Mapping[str, Any]) -> None:
        """Replace the status of an object that cannot be read as a BenchHost."""
        meta = body["metadata"]
        await self._patch(meta["namespace"], meta["name"], meta["resourceVersion"], [("/status", status)], status=True)

    def newest(self, host: BenchHost) -> BenchHost:
        """The newest version that the store has of this object.

        Raises
        ------
        HostGoneError
            If it is gone, or another object has taken its name.
        """
        body = self._store.get(host.key)
        if body is None or body["metadata"]["uid"] != host.metadata.uid:
            raise HostGoneError
        return BenchHost.from_dict(body)

    async def read(self, host: BenchHost) -> BenchHost:
        """The object as it is now; puts it into the store."""
        body = await self._call(
            self._objects.get_namespaced_custom_object,
            group=GROUP,
            version=VERSION,
            namespace=host.metadata.namespace,
            plural=PLURAL,
            name=host.metadata.name,
        )
        self._store.put(body)
        return BenchHost.from_dict(body)

    async def read_secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret, or None when there is no such Secret."""
        try:
            secret = await self._get_core(f"/api/v1/namespaces/{quote(namespace)}/secrets/{quote(name)}")
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}

    async def read_cluster_id(self) -> str:
        """What tells this cluster from others: the uid of the namespace kube-system, as is the custom."""
        namespace = await self._get_core("/api/v1/namespaces/kube-system")
        return str(namespace["metadata"]["uid"])

    async def _get_core(self, path: str) -> dict[str, Any]:
        """Read an object of the core API as it is: the package's typed form of that API costs 25 MB of memory."""

        async def get(**options: Any) -> Any:
            request = await self._client.param_serialize(
                "GET", path, header_params={"Accept": "application/json"}, auth_settings=["BearerToken"]
            )
            response: Any = await self._client.call_api(*request, **options)
            await response.read()
            return self._client.response_deserialize(response, {"200": "object"}).data

        return await self._ask(get)

    async def _set_finalizers(self, host: BenchHost, finalizers: list[str]) -> None:
        meta = host.metadata
        await self._patch(meta.namespace, meta.name, meta.resource_version, [("/metadata/finalizers", finalizers)])

    async def _patch_status(self, host: BenchHost, status: Mapping[str, Any]) -> None:
        meta = host.metadata
        await self._patch(meta.namespace, meta.name, meta.resource_version, [("/status", status)], status=True)

    async def _patch(
        self,
        namespace: str,
        name: str,
        resource_version: str,
        values: list[tuple[str, Any]],
        *,
        status: bool = False,
    ) -> None:
        """One JSON patch; naming the resourceVersion makes the API server refuse it when that is not the newest."""
        operations = [{"op": "add", "path": "/metadata/resourceVersion", "value": resource_version}]
        operations += [{"op": "add", "path": path, "value": value} for path, value in values]
        objects = self._objects
        method = objects.patch_namespaced_custom_object_status if status else objects.patch_namespaced_custom_object
        body = await self._call(
            method,
            group=GROUP,
            version=VERSION,
            namespace=namespace,
            plural=PLURAL,
            name=name,
            body=operations,
            _content_type=_JSON_PATCH,
        )
        self._store.put(body)

    async def _call(self, method: Any, **arguments: Any) -> dict[str, Any]:
        """Ask of a BenchHost."""
        try:
            return await self._ask(method, **arguments)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                raise HostGoneError from error
            if error.status == _CONFLICT:
                raise HostChangedError from error
            raise

    async def _ask(self, method: Any, **arguments: Any) -> dict[str, Any]:
        """Send a request; once more with renewed credentials when those in use have expired."""
        try:
            answer = await method(**arguments, _request_timeout=_REQUEST_TIMEOUT)
        except ApiException as error:
            if error.status != _UNAUTHORIZED or self._renew is None:
                raise
            await self._renew()
            answer = await method(**arguments, _request_timeout=_REQUEST_TIMEOUT)
        return dict(answer)
