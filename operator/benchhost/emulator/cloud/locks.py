"""Management locks: what may not be deleted or changed, whoever asks.

Called by ARM's front door before a request reaches anybody, so that a provider never sees what a lock refuses. A
lock holds for its scope and everything below. Doc: ``lock-resources.md``; the refusal's sentence is recorded
(apiops#606).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.identifiers import resource_key

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body

PROVIDER = "/providers/Microsoft.Authorization/locks/"


class LockLevel(StrEnum):
    """What a lock forbids: deletion, or every change."""

    CAN_NOT_DELETE = "CanNotDelete"
    READ_ONLY = "ReadOnly"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementLock:
    """One lock.

    Parameters
    ----------
    scope
        Id of the subscription, group or resource that is locked.
    name, level, notes
        As ARM has them.
    """

    scope: str
    name: str
    level: LockLevel
    notes: str | None = None

    @property
    def id(self) -> str:
        """The id of the lock itself."""
        return f"{self.scope}{PROVIDER}{self.name}"


class Locks:
    """All locks of a subscription, in the order of their creation."""

    def __init__(self) -> None:
        self._by_key: dict[str, ManagementLock] = {}

    def put(self, scope: str, name: str, properties: Body) -> tuple[ManagementLock, bool]:
        """Create or replace a lock; the second value tells whether it is new.

        Raises
        ------
        ArmError
            ``InvalidRequestContent`` for another level.
        """
        lock = ManagementLock(scope=scope, name=name, level=_level_of(properties), notes=properties.get("notes"))
        key = resource_key(lock.id)
        is_new = key not in self._by_key
        self._by_key[key] = lock
        return lock, is_new

    def find(self, scope: str, name: str) -> ManagementLock | None:
        """Return the lock of that name on a scope itself, or None."""
        return self._by_key.get(resource_key(f"{scope}{PROVIDER}{name}"))

    def remove(self, scope: str, name: str) -> bool:
        """Remove a lock; tell whether there was one."""
        return self._by_key.pop(resource_key(f"{scope}{PROVIDER}{name}"), None) is not None

    def list_at(self, scope: str) -> list[ManagementLock]:
        """Return the locks that hold at a scope and below it, those that it inherits included."""
        return [lock for lock in self._by_key.values() if _covers(lock.scope, scope) or _covers(scope, lock.scope)]

    def is_deletable(self, scope: str) -> bool:
        """Tell whether no lock forbids a deletion."""
        return not self.list_at(scope)

    def require_deletable(self, scope: str) -> None:
        """Refuse a deletion that a lock forbids; what is below the scope would go with it and counts too.

        Raises
        ------
        ArmError
            ``ScopeLocked``.
        """
        self._refuse(scope, "delete", self.list_at(scope))

    def require_writable(self, scope: str) -> None:
        """Refuse a write or an action on what is locked for reading only.

        Raises
        ------
        ArmError
            ``ScopeLocked``.
        """
        locks = [lock for lock in self._by_key.values() if _covers(lock.scope, scope)]
        self._refuse(scope, "write", [lock for lock in locks if lock.level is LockLevel.READ_ONLY])

    @staticmethod
    def _refuse(scope: str, what: str, locks: list[ManagementLock]) -> None:
        if not locks:
            return
        scopes = ",".join(dict.fromkeys(lock.scope for lock in locks))
        error = errors.conflict(
            "ScopeLocked",
            f"The scope '{scope}' cannot perform {what} operation because following scope(s) are locked: '{scopes}'. "
            "Please remove the lock and try again.",
        )
        error.from_gateway = True
        raise error


def _covers(scope: str, other: str) -> bool:
    return f"{resource_key(other)}/".startswith(f"{resource_key(scope)}/")


def _level_of(properties: Body) -> LockLevel:
    text = str(properties.get("level") or "")
    found = next((level for level in LockLevel if level.lower() == text.lower()), None)
    if found is None:
        raise errors.bad_request(
            "InvalidRequestContent",
            f"The lock level '{text}' is not valid. The supported levels are 'CanNotDelete' and 'ReadOnly'.",
        )
    return found
