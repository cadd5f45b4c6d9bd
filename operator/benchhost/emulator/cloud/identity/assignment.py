"""The ``identity`` of a machine: which identities it has, and what a PUT or PATCH makes of them.

Called by `benchhost.emulator.cloud.compute.machines`. A system-assigned identity lives as long as its machine has
one: taken away and given again, it is another principal.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.identifiers import resource_key
from benchhost.emulator.cloud.identity.user_assigned import KIND

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body, Context
    from benchhost.emulator.cloud.identifiers import ResourceId

SYSTEM, USER, NONE = "SystemAssigned", "UserAssigned", "None"
ASSIGNED = "userAssignedIdentities"


def identity_after(
    context: Context, owner: ResourceId, given: Body, *, present: Body | None, replace: bool
) -> Body | None:
    """Return the identity of a machine after a write, None for no identity at all.

    Parameters
    ----------
    context
        Where identities are looked up.
    owner
        Whose identity it is, for refusals.
    given
        ``identity`` of the body.
    present
        What the machine has so far.
    replace
        Whether user-assigned identities that the body does not name go, as with PUT; with PATCH they stay.

    Raises
    ------
    ArmError
        ``InvalidParameter``, or ``FailedIdentityOperation`` for an identity that is not there.
    """
    kinds = _kinds_of(given)
    before = present or {}
    if not kinds:
        return None
    identity: Body = {"type": ", ".join(kind for kind in (SYSTEM, USER) if kind in kinds)}
    if SYSTEM in kinds:
        identity["principalId"] = before.get("principalId") or context.identifiers.guid()
        identity["tenantId"] = context.tenant_id
    if USER in kinds:
        identity[ASSIGNED] = _assigned_after(context, owner, given, before.get(ASSIGNED) or {}, replace=replace)
    elif any(value is not None for value in (given.get(ASSIGNED) or {}).values()):
        raise _invalid(f"The identity type '{given['type']}' does not allow user assigned identities.")
    return identity


def _kinds_of(given: Body) -> set[str]:
    text = str(given.get("type") or "")
    kinds = {part.strip().lower() for part in text.split(",")}
    known = {kind.lower(): kind for kind in (SYSTEM, USER, NONE)}
    if not kinds <= known.keys() or ("none" in kinds and len(kinds) > 1):
        raise _invalid(f"The identity type '{text}' is not valid. Use SystemAssigned, UserAssigned, both or None.")
    return {known[kind] for kind in kinds} - {NONE}


def _assigned_after(context: Context, owner: ResourceId, given: Body, present: Body, *, replace: bool) -> Body:
    known = {resource_key(text): (text, value) for text, value in present.items()}
    after = {} if replace else dict(known)
    for text, value in (given.get(ASSIGNED) or {}).items():
        key = resource_key(text)
        if value is None:
            after.pop(key, None)
        else:
            after[key] = known.get(key) or (text, _principal_of(context, owner, text))
    if not after:
        raise _invalid("The identity type 'UserAssigned' needs at least one user assigned identity.")
    return dict(after.values())


def _principal_of(context: Context, owner: ResourceId, text: str) -> Body:
    found = context.store.find(text)
    if found is None or found.id.kind.lower() != KIND.lower():
        raise _not_found(owner, text)
    return {name: found.properties[name] for name in ("principalId", "clientId")}


def _not_found(owner: ResourceId, text: str) -> errors.ArmError:
    """Return the refusal of an identity that is not there; the code is known, the text is from memory."""
    inner = f'{{"error":{{"code":"BadRequest","message":"Resource \'{text}\' was not found."}}}}'
    return errors.ArmError(
        HTTPStatus.BAD_REQUEST,
        "FailedIdentityOperation",
        f"Identity operation for resource '{owner}' failed with error 'Failed to perform resource identity operation. "
        f"Status: 'BadRequest'. Response: '{inner}'.'",
        from_gateway=True,
    )


def _invalid(message: str) -> errors.ArmError:
    """Return the refusal of an identity that is described wrongly; code and wording are assumed."""
    return errors.bad_request("InvalidParameter", message, target="identity")
