"""Every BenchHost of a cluster as its watch shows it, to wait for a state without asking again and again.

Used by tests that drive many hosts at once. It survives what a watch can meet: it lists anew whenever it is cut off.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
from kubernetes.aio.client import ApiClient, CustomObjectsApi
from kubernetes.aio.client.exceptions import ApiException

from benchhost.api.names import GROUP, PLURAL, VERSION

Body = Mapping[str, Any]
Key = tuple[str, str]

_TROUBLE = (ApiException, aiohttp.ClientError, OSError, TimeoutError)
_PAUSE = 0.2
"""Seconds until the next attempt to list when the API server is away."""


class Board:
    """The newest version of each object, and those who wait for another."""

    def __init__(self, client: ApiClient) -> None:
        self._objects = CustomObjectsApi(client)
        self._bodies: dict[Key, Body] = {}
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Self]:
        """Follow the cluster for as long as the context lasts."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._follow())
            try:
                yield self
            finally:
                task.cancel()

    async def until(
        self, key: Key, is_reached: Callable[[Body | None], bool], *, what: str, seconds: float
    ) -> Body | None:
        """Wait until the object, or its absence, is as wanted."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: is_reached(self._bodies.get(key)))
                return self._bodies.get(key)
        except TimeoutError:
            last = json.dumps((self._bodies.get(key) or {}).get("status"))
            raise AssertionError(f"{'/'.join(key)}: not {what} within {seconds} s, but {last}") from None

    async def _follow(self) -> None:
        while True:
            try:
                await self._list_and_watch()
            except _TROUBLE:
                await asyncio.sleep(_PAUSE)

    async def _list_and_watch(self) -> None:
        found = await self._objects.list_cluster_custom_object(GROUP, VERSION, PLURAL, _request_timeout=10)
        async with self._changed:
            self._bodies = {_key_of(body): body for body in found["items"]}
            self._changed.notify_all()
        version = found["metadata"]["resourceVersion"]
        answer = await self._objects.list_cluster_custom_object_without_preload_content(
            GROUP, VERSION, PLURAL, watch=True, resource_version=version
        )
        try:
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                async with self._changed:
                    self._note(event)
                    self._changed.notify_all()
        finally:
            answer.close()

    def _note(self, event: Mapping[str, Any]) -> None:
        body = event["object"]
        if event["type"] == "DELETED":
            self._bodies.pop(_key_of(body), None)
        else:
            self._bodies[_key_of(body)] = body


def _key_of(body: Body) -> Key:
    return (body["metadata"]["namespace"], body["metadata"]["name"])
