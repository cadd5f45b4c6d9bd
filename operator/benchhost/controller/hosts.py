"""What the controller says to the API server about BenchHosts, and what it reads of Secrets.

Called by the reconciler, by ``providers`` and by the orphan sweep. Every write is guarded by the resourceVersion that
it rests on and puts its answer into the store. It decides nothing.
"""

import base64
import json
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any, Final

from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.host import BenchHost, ObjectMeta
from benchhost.api.names import FINALIZER, GROUP, KIND, PLURAL, VERSION
from benchhost.api.status import BenchHostStatus
from benchhost.controller.api_server import JSON_PATCH, ApiServer, object_path
from benchhost.controller.shared_reads import SharedReads
from benchhost.controller.store import HostStore, Key

CLUSTER_NAMESPACE: Final = "kube-system"
"""Its uid tells this cluster from others, as is the custom."""

_API = f"apis/{GROUP}/{VERSION}"


class HostGoneError(Exception):
    """The object does not exist any more."""


class HostChangedError(Exception):
    """The object is not what the pass rested on; the store has, or will have, a newer one."""


class Hosts:
    """Writes to BenchHosts, and reads of what belongs to them.

    Parameters
    ----------
    server
        The API server.
    store
        Where the answers go.
    """

    def __init__(self, server: ApiServer, store: HostStore) -> None:
        self._server = server
        self._store = store
        self._secrets = SharedReads(self._read_secret)

    async def add_finalizer(self, host: BenchHost) -> None:
        """Hold the object until everything in the cloud is gone."""
        await self._set_finalizers(host.metadata, [*host.metadata.finalizers, FINALIZER])

    async def remove_finalizer(self, meta: ObjectMeta) -> None:
        """Let the object go."""
        await self._set_finalizers(meta, [name for name in meta.finalizers if name != FINALIZER])

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

    async def write_raw_status(self, body: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
        """Replace fields of the status of an object that cannot be read as a BenchHost.

        The others are left alone: the API server lets a field at fault be, as long as nobody writes it.
        """
        meta = body["metadata"]
        values = [(f"/status/{name}", value) for name, value in fields.items()] if body.get("status") else []
        values = values or [("/status", fields)]
        await self._patch(meta["namespace"], meta["name"], meta["resourceVersion"], values, status=True)

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

    async def delete(self, host: BenchHost) -> None:
        """Ask for the end of this object as it is now; when it is gone or going already, there is nothing to do.

        Raises
        ------
        HostChangedError
            If the object is not the version that the wish rests on.
        """
        meta = host.metadata
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": meta.uid, "resourceVersion": meta.resource_version},
            "propagationPolicy": "Background",
        }
        try:
            body = await self._ask(self._server.delete(_path(*host.key), options))
        except HostGoneError:
            return
        except HostChangedError:
            if await self._is_over(host):
                return
            raise
        if body.get("kind") == KIND:
            self._store.put(body)

    async def read(self, host: BenchHost) -> BenchHost:
        """The object as it is now; puts it into the store."""
        body = await self._ask(self._server.get(_path(*host.key)))
        self._store.put(body)
        return BenchHost.from_dict(body)

    async def list_bodies(self, namespaces: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """Every BenchHost of these namespaces, or of all, as the API server has them at this moment."""
        paths = [object_path(_API, namespace, PLURAL) for namespace in namespaces] or [f"/{_API}/{PLURAL}"]
        return [body for path in paths for body in await self._server.list_all(path)]

    async def read_uid(self, namespace: str, name: str) -> str | None:
        """The uid of the BenchHost of this name, or None when the API server says that there is none.

        A 404 that does not speak of this very object (the resource type itself is gone, a proxy answers) is an error.
        """
        try:
            body = await self._server.get(_path(namespace, name))
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND and _speaks_of(error, name):
                return None
            raise
        return str(body["metadata"]["uid"])

    async def read_secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret as it is now, or None when there is no such Secret."""
        return await self._secrets.get((namespace, name))

    async def read_cluster_id(self) -> str:
        """What tells this cluster from others."""
        namespace = await self._server.get(f"/api/v1/namespaces/{CLUSTER_NAMESPACE}")
        return str(namespace["metadata"]["uid"])

    async def _read_secret(self, key: Key) -> dict[str, bytes] | None:
        namespace, name = key
        try:
            secret = await self._server.get(object_path("api/v1", namespace, "secrets", name))
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}

    async def _is_over(self, host: BenchHost) -> bool:
        try:
            fresh = await self.read(host)
        except HostGoneError:
            return True
        return fresh.metadata.uid != host.metadata.uid or fresh.is_deleting

    async def _set_finalizers(self, meta: ObjectMeta, finalizers: list[str]) -> None:
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
        path = _path(namespace, name) + ("/status" if status else "")
        self._store.put(await self._ask(self._server.patch(path, operations, content_type=JSON_PATCH)))

    async def _ask(self, asking: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        """Ask of a BenchHost."""
        try:
            return await asking
        except ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise HostGoneError from error
            if error.status == HTTPStatus.CONFLICT:
                raise HostChangedError from error
            raise


def _path(namespace: str, name: str) -> str:
    return object_path(_API, namespace, PLURAL, name)


def _speaks_of(error: ApiException, name: str) -> bool:
    """Whether the API server's Status names this object; the body of other 404s is a page or a sentence."""
    try:
        status = json.loads(error.body or "null")
    except ValueError:
        return False
    details = status.get("details") if isinstance(status, dict) else None
    return isinstance(details, dict) and (details.get("name"), details.get("kind")) == (name, PLURAL)
