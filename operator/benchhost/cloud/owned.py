"""What a cluster owns in the cloud, as a list shows it. Values only; read by the orphan sweep."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from benchhost.api.spec import BenchHostSpec
from benchhost.cloud.machine import Owner, Part, PartState


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Where a list looks."""

    subscription_id: str
    resource_group: str

    @classmethod
    def of(cls, spec: BenchHostSpec) -> Self:
        """Where a host's resources are. The cloud does not tell upper from lower case here."""
        return cls(spec.azure.subscription_id.lower(), spec.azure.resource_group.lower())

    def __str__(self) -> str:
        return f"{self.subscription_id}/{self.resource_group}"


@dataclass(frozen=True, slots=True)
class OwnedResource:
    """A resource that carries owner tags."""

    scope: Scope
    part: Part
    resource_id: str
    owner: Owner
    """Of a network that all hosts of a cluster share: the cluster alone."""
    created_at: datetime | None
    """None where the cloud does not say."""
    state: PartState
    location: str = ""
    """The region that it is in, where the cloud says so."""
    in_use: bool = False
    """Of a network: something is attached to it."""

    @property
    def is_shared(self) -> bool:
        """Whether it belongs to the cluster and to no host of it."""
        return not self.owner.uid
