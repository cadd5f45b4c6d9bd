"""Azure's role-based access control, as far as it is needed to be refused: three built-in roles on a group or on all.

Called by `pipeline` for every request, after the token and before anything is looked up, so that nobody learns what
exists where they have no rights. Rights on what a request refers to (``LinkedAuthorizationFailed``) are not checked.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.entra.directory import Role

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import ArmPath
    from benchhost.emulator.entra.directory import Directory, RoleAssignment
    from benchhost.emulator.entra.tokens import AccessToken

_GROUP_POSITION = 2
"""Of ``resourceGroups`` in a path; the group's name follows."""

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


class Authorization:
    """Says who may do what.

    Parameters
    ----------
    directory
        Who has which roles.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def check(self, token: AccessToken, method: str, path: ArmPath) -> None:
        """Let a request pass if its sender has the right.

        What lies in no group can be read by everybody who has a role anywhere: lists show each caller their own part,
        and the URL of an operation is signed.

        Raises
        ------
        ArmError
            403 ``AuthorizationFailed``.
        """
        group = _group_of(path)
        is_read = method in ("GET", "HEAD")
        for assignment in self._directory.roles_of(token.object_id):
            is_in_scope = _covers(assignment, group) or (group is None and is_read)
            if is_in_scope and (is_read or assignment.role is not Role.READER):
                return
        if not path.names:
            return  # the list of subscriptions is everybody's; it is cut to what they may see
        raise _authorization_failed(token, method, path)

    def cut(self, token: AccessToken, path: ArmPath, body: Any) -> Any:
        """Return the body of a list without what its reader has no rights on."""
        if _group_of(path) is not None or not isinstance(body, dict) or not isinstance(body.get("value"), list):
            return body
        roles = self._directory.roles_of(token.object_id)
        if any(assignment.resource_group is None for assignment in roles):
            return body
        return {**body, "value": [item for item in body["value"] if roles and _is_visible(item, roles)]}


def _covers(assignment: RoleAssignment, group: str | None) -> bool:
    if assignment.resource_group is None:
        return True
    return group is not None and assignment.resource_group.lower() == group.lower()


def _group_of(path: ArmPath) -> str | None:
    has_group = len(path.segments) > _GROUP_POSITION + 1 and path.segments[_GROUP_POSITION].lower() == "resourcegroups"
    return path.segments[_GROUP_POSITION + 1] if has_group else None


def _is_visible(item: Any, roles: tuple[RoleAssignment, ...]) -> bool:
    segments = str(item.get("id", "")).strip("/").split("/") if isinstance(item, dict) else []
    if len(segments) <= _GROUP_POSITION + 1 or segments[_GROUP_POSITION].lower() != "resourcegroups":
        return True
    return any(_covers(assignment, segments[_GROUP_POSITION + 1]) for assignment in roles)


def _authorization_failed(token: AccessToken, method: str, path: ArmPath) -> ArmError:
    return ArmError(
        HTTPStatus.FORBIDDEN,
        "AuthorizationFailed",
        f"The client '{token.client_id}' with object id '{token.object_id}' does not have authorization to perform "
        f"action '{_action(method, path)}' over scope '/{'/'.join(path.segments)}' or the scope is invalid. If access "
        "was recently granted, please refresh your credentials.",
        from_gateway=True,
    )


def _action(method: str, path: ArmPath) -> str:
    if path.provider is None:
        kind = "Microsoft.Resources/subscriptions" + ("/resourceGroups" if _group_of(path) is not None else "")
    else:
        kind = "/".join((path.provider, *path.types))
    return f"{kind}/{_VERBS.get(method, 'action')}"
