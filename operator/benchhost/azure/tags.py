"""Owner tags: how a cloud resource says which BenchHost it belongs to. Pure.

ARM keeps the case of a tag's name and compares without it, and so does this module; see ``benchhost.cloud.tags``.
"""

from collections.abc import Mapping
from typing import Final

from benchhost.api.names import OWNER_TAG_PREFIX
from benchhost.cloud.machine import Owner
from benchhost.cloud.provider import HostRequest
from benchhost.cloud.tags import merge_tags, to_user_tags

CLUSTER: Final = f"{OWNER_TAG_PREFIX}cluster"
NAMESPACE: Final = f"{OWNER_TAG_PREFIX}namespace"
NAME: Final = f"{OWNER_TAG_PREFIX}name"
UID: Final = f"{OWNER_TAG_PREFIX}uid"
SHARED: Final = f"{OWNER_TAG_PREFIX}shared"
"""On a virtual network that a controller made for all hosts of its cluster."""

_OWN: Final = frozenset({CLUSTER, NAMESPACE, NAME, UID, SHARED})


def owner_tags(owner: Owner) -> dict[str, str]:
    """The tags of a resource that belongs to one host."""
    return {CLUSTER: owner.cluster, NAMESPACE: owner.namespace, NAME: owner.name, UID: owner.uid}


def to_tags(request: HostRequest) -> dict[str, str]:
    """The user's tags and the owner's."""
    return to_user_tags(request.spec.azure.tags) | owner_tags(request.owner)


def with_tags(request: HostRequest, tags: Mapping[str, str]) -> dict[str, str]:
    """A resource's tags with the user's and the owner's; those of others (cost centres, policies) stay."""
    return merge_tags(without_owner(tags), to_user_tags(request.spec.azure.tags)) | owner_tags(request.owner)


def shared_tags(owner: Owner) -> dict[str, str]:
    """The tags of the network that all hosts of the owner's cluster share."""
    return {CLUSTER: owner.cluster, SHARED: "true"}


def read_owner(tags: Mapping[str, str] | None) -> Owner | None:
    """Whose resource it is; None when it carries no owner tags. A shared network has an owner with a cluster only."""
    folded = {name.lower(): value for name, value in (tags or {}).items()}
    if CLUSTER not in folded:
        return None
    return Owner(
        cluster=folded[CLUSTER],
        namespace=folded.get(NAMESPACE, ""),
        name=folded.get(NAME, ""),
        uid=folded.get(UID, ""),
    )


def without_owner(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags without the owner's."""
    return {name: value for name, value in (tags or {}).items() if name.lower() not in _OWN}


def is_shared_by(owner: Owner, seen: Owner | None) -> bool:
    """Whether a network with this owner was made for all hosts of the cluster that ``owner`` is in."""
    return seen is not None and seen == Owner(cluster=owner.cluster, namespace="", name="", uid="")
