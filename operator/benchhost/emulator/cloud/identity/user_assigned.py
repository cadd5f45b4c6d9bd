"""User-assigned identities: a service principal each, made and removed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud.context import Body, Context, new_resource, tags_of, touch

if TYPE_CHECKING:
    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.resources import Resource

KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"


class UserAssignedIdentities:
    """User-assigned identities of a subscription.

    One that machines have can be deleted: their bodies go on naming it, as Azure's do.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def put(self, identity_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, bool]:
        """Create an identity, or replace the tags of one; the second value tells whether it is new."""
        context = self._context
        context.groups.get_for_write(identity_id.group)
        draft = new_resource(context, identity_id, body, now=now)
        existing = context.store.find(identity_id)
        if existing is not None:
            existing.tags = draft.tags
            touch(context, existing)
            return existing, False
        draft.properties = {
            "tenantId": context.tenant_id,
            "principalId": context.identifiers.guid(),
            "clientId": context.identifiers.guid(),
        }
        context.store.add(draft)
        return draft, True

    def patch(self, identity_id: ResourceId, body: Body) -> Resource:
        """Replace the tags of an identity."""
        self._context.groups.get_for_write(identity_id.group)
        identity = self._context.store.get(identity_id)
        if "tags" in body:
            identity.tags = tags_of(body)
        touch(self._context, identity)
        return identity

    def delete(self, identity_id: ResourceId) -> bool:
        """Remove an identity; tell whether there was one."""
        identity = self._context.store.find(identity_id)
        self._context.store.remove(identity_id)
        return identity is not None
