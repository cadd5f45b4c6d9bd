"""What a cluster owns in the in-memory cloud, for the orphan sweep.

Part of ``benchhost.cloud.fake``; nobody else needs it.
"""

from benchhost.api.conditions import Reason
from benchhost.cloud.errors import AdminError, TransientError
from benchhost.cloud.fake_resources import FakeResource
from benchhost.cloud.fake_store import FakeStore
from benchhost.cloud.machine import Owner, Part
from benchhost.cloud.owned import OwnedResource, Scope


def list_owned(store: FakeStore, scope: Scope, cluster: str) -> list[OwnedResource]:
    """Everything in the resource group that carries this cluster's owner."""
    return [
        _to_owned(store, scope, seen, seen.owner)
        for seen in store.resources.values()
        if seen.owner is not None and seen.owner.cluster == cluster and _scope_of(seen) == scope
    ]


def find_owned(store: FakeStore, resource: OwnedResource) -> FakeResource | None:
    """The resource as it is now, if it may be deleted as it was listed; None when it is gone.

    Raises
    ------
    CloudError
        If it is another's now, or in use.
    """
    seen = store.resources.get(resource.resource_id)
    if seen is None:
        return None
    if seen.owner != resource.owner:
        raise AdminError(f"{seen.id} was left alone: its owner has changed.", reason=Reason.NOT_OWNED)
    user = store.user_of(seen.id)
    if user is not None:
        raise TransientError(f"{seen.id} is in use by {user.id}.", code="InUse")
    return seen


def _to_owned(store: FakeStore, scope: Scope, seen: FakeResource, owner: Owner) -> OwnedResource:
    return OwnedResource(
        scope=scope,
        part=seen.part,
        resource_id=seen.id,
        owner=owner,
        created_at=seen.machine.created_at if seen.machine is not None else None,
        state=seen.state,
        in_use=seen.part is Part.NETWORK and store.user_of(seen.id) is not None,
    )


def _scope_of(seen: FakeResource) -> Scope:
    _, subscription_id, resource_group, *_ = seen.id.split("/")
    return Scope(subscription_id.lower(), resource_group.lower())
