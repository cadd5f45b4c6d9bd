"""Query parameters of lists and watches, and how an object in an answer is read. Pure.

Used by ``client``.
"""

from collections.abc import Mapping
from typing import Any

from benchhost.api import BenchHost, InvalidBenchHostError
from benchhost.client.errors import UnreadableError

Query = list[tuple[str, str]]


def to_selectors(name: str | None, label_selector: str | None) -> Query:
    """Which objects a list or watch is about."""
    query: Query = []
    if name is not None:
        query.append(("fieldSelector", f"metadata.name={name}"))
    if label_selector is not None:
        query.append(("labelSelector", label_selector))
    return query


def to_watch_query(selectors: Query, version: str, seconds: int) -> Query:
    """A watch from this version that the server itself ends after so many seconds."""
    asked = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", version)]
    return [*selectors, *asked, ("timeoutSeconds", str(seconds))]


def read_host(raw: Mapping[str, Any], namespace: str) -> BenchHost:
    """Read an object.

    Raises
    ------
    UnreadableError
        If it does not fit the models of this version.
    """
    try:
        return BenchHost.from_dict(raw)
    except InvalidBenchHostError as error:
        name = raw.get("metadata", {}).get("name", "?")
        raise UnreadableError(
            f"BenchHost {namespace}/{name} does not fit this version of benchhost ({error}); "
            "install the version that the cluster's CRD comes from"
        ) from error
