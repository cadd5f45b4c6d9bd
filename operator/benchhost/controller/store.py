"""The newest version of every object that the watch or our own writes have shown.

Filled by the watch handler and by ``hosts`` after each write, read by the reconciler, so that a pass never sees an
object from before its own last write. It holds what the API server said and nothing else.
"""

from collections.abc import Iterable, Mapping
from typing import Any

Key = tuple[str, str]
"""Namespace and name."""


def key_of(body: Mapping[str, Any]) -> Key:
    """Namespace and name of an object."""
    meta = body["metadata"]
    return (meta["namespace"], meta["name"])


class HostStore:
    """Raw objects by namespace and name."""

    def __init__(self) -> None:
        self._bodies: dict[Key, Mapping[str, Any]] = {}

    def __len__(self) -> int:
        """How many objects are known."""
        return len(self._bodies)

    def get(self, key: Key) -> Mapping[str, Any] | None:
        """The newest version, or None."""
        return self._bodies.get(key)

    def bodies(self) -> Iterable[Mapping[str, Any]]:
        """Every object, newest versions, in no order."""
        return self._bodies.values()

    def put(self, body: Mapping[str, Any]) -> bool:
        """Keep the object if it is newer than what is here; whether it was."""
        key = key_of(body)
        known = self._bodies.get(key)
        if known is not None and not _is_newer(body, known):
            return False
        self._bodies[key] = _without_managed_fields(body)
        return True

    def remove(self, body: Mapping[str, Any]) -> bool:
        """Forget the object unless another one has taken its name since; whether it was forgotten."""
        key = key_of(body)
        known = self._bodies.get(key)
        if known is None or known["metadata"]["uid"] != body["metadata"]["uid"]:
            return False
        del self._bodies[key]
        return True


def _without_managed_fields(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object without its bookkeeping of field owners, which is as large as the rest and which nobody here reads."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    return {**body, "metadata": metadata}


def _is_newer(body: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether one version of an object is newer than another.

    Resource versions of one resource type are comparable as integers since Kubernetes 1.35 (KEP-5504), and have been
    in practice before. An object with another uid under the same name is the newer one if its version is.
    """
    return int(body["metadata"]["resourceVersion"]) > int(known["metadata"]["resourceVersion"])
