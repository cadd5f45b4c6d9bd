"""``BenchHostClient``: create, read, patch, delete and watch BenchHosts, and wait for what they become.

For programs that ask for hosts; ``benchhost.mlos`` and the CLI are built on it. Synchronous. It knows nothing
of clouds and decides nothing about hosts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from benchhost.api import BenchHost
from benchhost.api.names import API_VERSION, KIND
from benchhost.client.connection import ConnectionSettings
from benchhost.client.errors import (
    ConflictError,
    NamespaceMissingError,
    NotFoundError,
    UnreachableError,
    WaitTimeoutError,
)
from benchhost.client.merge import to_merge_patch
from benchhost.client.queries import Query, read_host, to_selectors
from benchhost.client.retry import Backoff, Deadline, attempt
from benchhost.client.transport import BENCHHOSTS, MERGE_PATCH, Transport
from benchhost.client.watch import EventType, Listing, Watcher, WatchEvent, to_source

CALL_SECONDS = 30.0
"""Time limit of a call that is given none: an API server restarts in less (measured: 3 s to 10 s)."""

T = TypeVar("T")


class BenchHostClient:
    """BenchHosts of one namespace.

    Every call is repeated when the API server is unreachable, overloaded or restarting, until its deadline
    (default: ``CALL_SECONDS``), and then raises a ``ClientError``.

    Parameters
    ----------
    settings
        Which cluster and namespace; default: as kubectl would choose.

    Raises
    ------
    ConfigurationError
        If there is no usable kubeconfig. No request is sent yet.
    """

    def __init__(self, settings: ConnectionSettings | None = None) -> None:
        self._transport = Transport(settings or ConnectionSettings(), BENCHHOSTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    @property
    def namespace(self) -> str:
        """The namespace that this client works in."""
        return self._transport.namespace

    @property
    def where(self) -> str:
        """Which server and context, for messages."""
        return self._transport.where

    def create(self, body: Mapping[str, Any], *, deadline: Deadline | None = None) -> BenchHost:
        """Create an object.

        Raises
        ------
        ConflictError
            If it exists already; also when an earlier attempt succeeded and its answer was lost.
        RefusedError
            If the API server does not accept it; the message names the field.
        """
        manifest = {"apiVersion": API_VERSION, "kind": KIND, **body}
        limit = deadline or Deadline.after(CALL_SECONDS)
        return self._to_host(attempt(lambda: self._send("POST", None, limit, body=manifest), limit))

    def get(self, name: str, *, deadline: Deadline | None = None) -> BenchHost | None:
        """The object, or None if there is none."""
        raw = self._get_raw(name, deadline or Deadline.after(CALL_SECONDS))
        return None if raw is None else self._to_host(raw)

    def list(self, *, label_selector: str | None = None, deadline: Deadline | None = None) -> list[BenchHost]:
        """All objects of the namespace, or those with these labels (``key=value,other``)."""
        limit = deadline or Deadline.after(CALL_SECONDS)
        return self._get_listing(to_selectors(None, label_selector), limit).hosts

    def patch(
        self,
        name: str,
        patch: Mapping[str, Any],
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        deadline: Deadline | None = None,
    ) -> BenchHost:
        """Send a JSON merge patch.

        Parameters
        ----------
        name
            The object's name.
        patch
            The merge patch.
        uid
            Refuse with ConflictError if another object has this name now.
        resource_version
            Refuse with ConflictError if the object has changed since.
        deadline
            Time limit.

        Raises
        ------
        NotFoundError, ConflictError, RefusedError
            As the API server decides.
        """
        expected = {"uid": uid, "resourceVersion": resource_version}
        metadata = dict(patch.get("metadata", {})) | {key: value for key, value in expected.items() if value}
        body = {**patch, "metadata": metadata} if metadata else patch
        limit = deadline or Deadline.after(CALL_SECONDS)
        send = lambda: self._send("PATCH", name, limit, body=body, content_type=MERGE_PATCH)  # noqa: E731 - one call
        return self._to_host(attempt(send, limit))

    def ensure(
        self,
        name: str,
        get_wanted: Callable[[BenchHost | None], Mapping[str, Any]],
        *,
        deadline: Deadline | None = None,
    ) -> BenchHost:
        """Create the object, or patch what differs; nothing is sent when nothing differs.

        Parameters
        ----------
        name
            The object's name.
        get_wanted
            Told the object as it is now, or None; answers how it shall be (``metadata.labels``,
            ``metadata.annotations`` and ``spec``; what it leaves out stays). It may raise to refuse, and is
            asked again when somebody else changed the object meanwhile.
        deadline
            Time limit.

        Returns
        -------
        The object afterwards. An object that is being deleted is returned as it is: it cannot come back.
        """
        limit = deadline or Deadline.after(CALL_SECONDS)
        backoff = Backoff()
        while True:
            try:
                return self._ensure_once(name, get_wanted, limit)
            except NamespaceMissingError:
                raise
            except (ConflictError, NotFoundError):
                if not backoff.pause(limit):
                    raise

    def delete(self, name: str, *, uid: str | None = None, deadline: Deadline | None = None) -> bool:
        """Ask for the object's deletion.

        Parameters
        ----------
        name
            The object's name.
        uid
            Delete only this very object; another one of the same name counts as gone.
        deadline
            Time limit.

        Returns
        -------
        False if it is gone already; True if it was there, and a finalizer may still hold it.
        """
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        limit = deadline or Deadline.after(CALL_SECONDS)
        try:
            attempt(lambda: self._send("DELETE", name, limit, body=options), limit)
        except (NotFoundError, ConflictError):
            return False
        return True

    def watch(
        self,
        *,
        name: str | None = None,
        label_selector: str | None = None,
        known: Iterable[BenchHost] = (),
        resource_version: str | None = None,
        deadline: Deadline,
    ) -> Iterator[WatchEvent]:
        """Changes as they happen, until the deadline; survives lost connections, restarts and 410.

        Parameters
        ----------
        name
            Only the object of this name.
        label_selector
            Only objects with these labels.
        known
            Objects that the caller knows already: a deletion missed between two connections is told of them.
        resource_version
            Go on from here, for example from the answer of ``create``. Default: list first, and tell of every
            object that is not known.
        deadline
            When to end.
        """
        selectors = to_selectors(name, label_selector)
        source = to_source(self._transport, selectors, lambda limit: self._get_listing(selectors, limit))
        return Watcher(source, known=known, resource_version=resource_version).events(deadline)

    def wait_for(
        self,
        name: str,
        condition: Callable[[BenchHost | None], T | None],
        *,
        deadline: Deadline,
        start: BenchHost | None = None,
    ) -> T:
        """Watch one name until the condition says something.

        Parameters
        ----------
        name
            The object's name; it need not exist.
        condition
            Told the object after each change, None while there is none; waiting ends when it answers anything
            but None. Before an object that replaces another of the same name it is told None.
        deadline
            Time limit.
        start
            The object as an earlier call returned it: no change since then is missed, and no list is needed.

        Raises
        ------
        WaitTimeoutError
            If the deadline passes first.
        ClientError
            If the API server refuses for good.
        """
        current, version = (start, start.metadata.resource_version) if start else self._look(name, deadline)
        answer = condition(current)
        if answer is not None:
            return answer
        known = [current] if current else []
        try:
            for event in self.watch(name=name, known=known, resource_version=version, deadline=deadline):
                current = None if event.type is EventType.DELETED else event.host
                answer = condition(current)
                if answer is not None:
                    return answer
        except UnreachableError as error:
            raise WaitTimeoutError(f"the time limit passed while waiting; {error}", last=current) from error
        raise WaitTimeoutError(f"the time limit passed while waiting for {self.namespace}/{name}", last=current)

    def _look(self, name: str, deadline: Deadline) -> tuple[BenchHost | None, str]:
        listing = self._get_listing(to_selectors(name, None), deadline)
        return (listing.hosts[0] if listing.hosts else None), listing.resource_version

    def _ensure_once(
        self, name: str, get_wanted: Callable[[BenchHost | None], Mapping[str, Any]], limit: Deadline
    ) -> BenchHost:
        raw = self._get_raw(name, limit)
        if raw is None:
            wanted = get_wanted(None)
            return self.create({**wanted, "metadata": {**wanted.get("metadata", {}), "name": name}}, deadline=limit)
        current = self._to_host(raw)
        if current.is_deleting:
            return current
        patch = to_merge_patch(raw, get_wanted(current))
        if not patch:
            return current
        meta = current.metadata
        return self.patch(name, patch, uid=meta.uid, resource_version=meta.resource_version, deadline=limit)

    def _get_raw(self, name: str, limit: Deadline) -> dict[str, Any] | None:
        try:
            return attempt(lambda: self._send("GET", name, limit), limit)
        except NotFoundError:
            return None

    def _get_listing(self, selectors: Query, limit: Deadline) -> Listing:
        raw = attempt(lambda: self._send("GET", None, limit, query=selectors), limit)
        hosts = [self._to_host({"apiVersion": API_VERSION, "kind": KIND, **item}) for item in raw["items"]]
        return Listing(hosts, raw["metadata"]["resourceVersion"])

    def _send(self, method: str, name: str | None, limit: Deadline, **request: Any) -> dict[str, Any]:
        return self._transport.request(method, name, timeout_seconds=max(limit.remaining, 0.1), **request)

    def _to_host(self, raw: Mapping[str, Any]) -> BenchHost:
        return read_host(raw, self.namespace)
