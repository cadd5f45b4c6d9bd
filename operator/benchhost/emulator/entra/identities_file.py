"""The file with the identities that an emulator knows beside its first one: JSON, written by people.

Read by ``benchhost emulator run --identities``. Its fields are those of `directory`, in camelCase; paths in it are
relative to the file. Every mistake ends in one sentence that says where it is.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509

from benchhost.emulator.entra.directory import (
    EXCHANGE_AUDIENCE,
    WHOLE_SUBSCRIPTION,
    Application,
    FederatedIdentity,
    ManagedIdentity,
    Role,
    RoleAssignment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class IdentitiesFileError(Exception):
    """A file that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Identities:
    """What the file holds."""

    applications: tuple[Application, ...] = ()
    managed_identities: tuple[ManagedIdentity, ...] = ()


def read_identities(path: Path) -> Identities:
    """Read the file.

    Raises
    ------
    IdentitiesFileError
        When it cannot be read or says something that makes no sense.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise IdentitiesFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise IdentitiesFileError(f"{path} is no JSON: {error}.") from error
    return _Reader(path).identities(content)


class _Reader:
    """Reads one file; ``where`` in its methods is the place in it, for messages."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def identities(self, content: Any) -> Identities:
        fields = self._fields(content, "the file", {"applications", "managedIdentities"})
        applications = self._list(fields, "applications", "the file")
        managed = self._list(fields, "managedIdentities", "the file")
        return Identities(
            tuple(self._application(item, f"applications[{i}]") for i, item in enumerate(applications)),
            tuple(self._managed_identity(item, f"managedIdentities[{i}]") for i, item in enumerate(managed)),
        )

    def _application(self, item: Any, where: str) -> Application:
        known = {"clientId", "objectId", "secrets", "certificates", "federated", "roles"}
        fields = self._fields(item, where, known)
        federated = self._list(fields, "federated", where)
        client_id = self._guid(fields, "clientId", where)
        return Application(
            client_id=client_id,
            object_id=self._guid(fields, "objectId", where, default=_principal_of(client_id)),
            secrets=tuple(self._list(fields, "secrets", where, kind=str)),
            certificates=tuple(
                self._certificate(name, where) for name in self._list(fields, "certificates", where, kind=str)
            ),
            federated=tuple(self._federated(one, f"{where}.federated[{i}]") for i, one in enumerate(federated)),
            roles=self._roles(fields, where),
        )

    def _managed_identity(self, item: Any, where: str) -> ManagedIdentity:
        fields = self._fields(item, where, {"clientId", "objectId", "resourceId", "roles"})
        client_id = self._guid(fields, "clientId", where)
        return ManagedIdentity(
            client_id=client_id,
            object_id=self._guid(fields, "objectId", where, default=_principal_of(client_id)),
            resource_id=self._text(fields, "resourceId", where, default="") or None,
            roles=self._roles(fields, where),
        )

    def _federated(self, item: Any, where: str) -> FederatedIdentity:
        fields = self._fields(item, where, {"issuer", "subject", "audience", "keys"})
        return FederatedIdentity(
            issuer=self._text(fields, "issuer", where),
            subject=self._text(fields, "subject", where),
            audience=self._text(fields, "audience", where, default=EXCHANGE_AUDIENCE),
            keys=self._path.absolute().parent / self._text(fields, "keys", where),
        )

    def _roles(self, fields: Mapping[str, Any], where: str) -> tuple[RoleAssignment, ...]:
        if "roles" not in fields:
            return WHOLE_SUBSCRIPTION
        return tuple(
            self._role(item, f"{where}.roles[{i}]") for i, item in enumerate(self._list(fields, "roles", where))
        )

    def _role(self, item: Any, where: str) -> RoleAssignment:
        fields = self._fields(item, where, {"role", "resourceGroup"})
        name = self._text(fields, "role", where)
        if name not in {str(role) for role in Role}:
            raise self._mistake(where, f"the role {name!r} is none of {', '.join(Role)}")
        return RoleAssignment(Role(name), self._text(fields, "resourceGroup", where, default="") or None)

    def _certificate(self, name: str, where: str) -> str:
        path = self._path.absolute().parent / name
        try:
            text = path.read_text(encoding="ascii")
            x509.load_pem_x509_certificate(text.encode())
        except (OSError, ValueError) as error:
            raise self._mistake(f"{where}.certificates", f"{path} is no readable PEM certificate") from error
        return text

    def _fields(self, item: Any, where: str, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(item, dict):
            raise self._mistake(where, "a JSON object is needed")
        unknown = sorted(item.keys() - known)
        if unknown:
            raise self._mistake(where, f"the field {unknown[0]!r} is not known; there are {', '.join(sorted(known))}")
        return item

    def _list(self, fields: Mapping[str, Any], name: str, where: str, *, kind: type = object) -> list[Any]:
        found = fields.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, kind) for item in found):
            raise self._mistake(where, f"{name} has to be a list" + (" of texts" if kind is str else ""))
        return found

    def _text(self, fields: Mapping[str, Any], name: str, where: str, *, default: str | None = None) -> str:
        found = fields.get(name, default)
        if not isinstance(found, str) or (default is None and not found):
            raise self._mistake(where, f"{name} has to be a text")
        return found

    def _guid(self, fields: Mapping[str, Any], name: str, where: str, *, default: uuid.UUID | None = None) -> str:
        text = self._text(fields, name, where, default=None if default is None else str(default))
        try:
            uuid.UUID(text)
        except ValueError:
            raise self._mistake(where, f"{name} has to be a GUID") from None
        return text

    def _mistake(self, where: str, what: str) -> IdentitiesFileError:
        return IdentitiesFileError(f"{self._path}: in {where}, {what}.")


def _principal_of(client_id: str) -> uuid.UUID:
    """Return an object id that is the same in the next run, since tokens carry it."""
    return uuid.uuid5(uuid.UUID(client_id), "principal")
