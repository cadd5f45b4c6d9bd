"""``LeaseClient``: hold a ``coordination.k8s.io`` Lease, which says that somebody still needs its hosts.

For programs that ask for hosts whose ``spec.holder`` names a Lease. It renews nothing by itself: whoever holds the
Lease calls ``hold`` again in time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from benchhost.api.names import API_VERSION, KIND
from benchhost.client.connection import ConnectionSettings
from benchhost.client.errors import NamespaceMissingError, NotFoundError
from benchhost.client.retry import Deadline, attempt
from benchhost.client.transport import MERGE_PATCH, Collection, Transport

LEASES: Final = Collection("Lease", "/apis/coordination.k8s.io/v1", "leases")


@dataclass(frozen=True, slots=True)
class LeaseOwner:
    """A BenchHost that the Lease exists for: when the last one is gone, the cluster removes the Lease."""

    name: str
    uid: str


class LeaseClient:
    """Leases of one namespace.

    Parameters
    ----------
    settings
        Which cluster and namespace.

    Raises
    ------
    ConfigurationError
        If there is no usable kubeconfig. No request is sent yet.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._transport = Transport(settings, LEASES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def hold(
        self,
        name: str,
        *,
        identity: str,
        duration_seconds: int,
        deadline: Deadline,
        owners: Iterable[LeaseOwner] = (),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Create the Lease or renew it; it counts from now.

        Parameters
        ----------
        name
            The Lease's name.
        identity
            Who holds it, for people.
        duration_seconds
            How long it counts without another call.
        deadline
            Time limit: trouble with the API server is tried again until then.
        owners
            The hosts that it exists for.
        labels
            Its labels.

        Raises
        ------
        ClientError
            As the API server answers; ForbiddenError when the account may not write Leases.
        """
        body: dict[str, Any] = {
            "metadata": {"labels": dict(labels or {}), "ownerReferences": [_to_reference(owner) for owner in owners]},
            "spec": {
                "holderIdentity": identity,
                "leaseDurationSeconds": duration_seconds,
                # The API's MicroTime wants six digits.
                "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }
        attempt(lambda: self._hold_once(name, body, deadline), deadline, also_conflict=True)

    def release(self, name: str, *, deadline: Deadline) -> None:
        """Delete the Lease; one that is gone is released."""
        try:
            attempt(lambda: self._transport.request("DELETE", name, timeout_seconds=_left(deadline)), deadline)
        except NotFoundError:
            return

    def _hold_once(self, name: str, body: Mapping[str, Any], deadline: Deadline) -> None:
        seconds = _left(deadline)
        try:
            self._transport.request("PATCH", name, timeout_seconds=seconds, body=body, content_type=MERGE_PATCH)
        except NamespaceMissingError:
            raise
        except NotFoundError:
            whole = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {**body["metadata"], "name": name},
                "spec": {**body["spec"], "acquireTime": body["spec"]["renewTime"]},
            }
            self._transport.request("POST", timeout_seconds=_left(deadline), body=whole)


def _to_reference(owner: LeaseOwner) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": KIND, "name": owner.name, "uid": owner.uid}


def _left(deadline: Deadline) -> float:
    return max(deadline.remaining, 0.1)
