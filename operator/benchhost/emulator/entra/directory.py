"""The directory: who exists in the tenant, what proves each of them, and which roles they have in the subscription.

Filled from the emulator's configuration; read by the token endpoint, the metadata endpoint and ARM's check of rights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
"""What a federated token is for, unless the application says otherwise (Microsoft Entra Workload ID)."""


class Role(StrEnum):
    """Built-in roles, as far as they differ here: Contributor lacks only rights over rights."""

    OWNER = "Owner"
    CONTRIBUTOR = "Contributor"
    READER = "Reader"


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role on a scope.

    Parameters
    ----------
    role
        What may be done.
    resource_group
        Where; None means the whole subscription.
    """

    role: Role
    resource_group: str | None = None


WHOLE_SUBSCRIPTION = (RoleAssignment(Role.CONTRIBUTOR),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedIdentity:
    """Whose tokens an application accepts as proof (a federated identity credential).

    Parameters
    ----------
    issuer, subject, audience
        What the token has to say, compared letter by letter.
    keys
        File with the issuer's JSON web key set, as ``kubectl get --raw /openid/v1/jwks`` gives it. It stands for the
        download that Entra makes, and is read for each token.
    """

    issuer: str
    subject: str
    audience: str = EXCHANGE_AUDIENCE
    keys: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An app registration with its service principal.

    Parameters
    ----------
    client_id, object_id
        GUIDs of the application and of its service principal.
    secrets
        Client secrets.
    certificates
        PEM texts of registered certificates, without their keys.
    federated
        Whose tokens it accepts.
    roles
        What it may do.
    """

    client_id: str
    object_id: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    certificates: tuple[str, ...] = ()
    federated: tuple[FederatedIdentity, ...] = ()
    roles: tuple[RoleAssignment, ...] = WHOLE_SUBSCRIPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedIdentity:
    """An identity of the machine that programs run on, whose tokens the metadata endpoint gives.

    Parameters
    ----------
    client_id, object_id
        GUIDs.
    resource_id
        ARM id of a user-assigned identity; None for the system-assigned one.
    roles
        What it may do.
    """

    client_id: str
    object_id: str
    resource_id: str | None = None
    roles: tuple[RoleAssignment, ...] = WHOLE_SUBSCRIPTION


class Directory:
    """Everybody in the tenant.

    Parameters
    ----------
    applications, managed_identities
        Who exists.
    """

    def __init__(self, applications: Iterable[Application], managed_identities: Iterable[ManagedIdentity] = ()) -> None:
        self.managed_identities = tuple(managed_identities)
        self._applications = {application.client_id.lower(): application for application in applications}
        self._roles = {application.object_id: application.roles for application in self._applications.values()}
        self._roles |= {identity.object_id: identity.roles for identity in self.managed_identities}

    def find_application(self, client_id: str) -> Application | None:
        """Return the application of that id, in any case, or None."""
        return self._applications.get(client_id.lower())

    def roles_of(self, object_id: str) -> tuple[RoleAssignment, ...]:
        """Return what somebody may do; nothing when nobody knows who it is."""
        return self._roles.get(object_id, ())
