"""The whole object: ``BenchHost`` with the part of its metadata that anybody here reads."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ValidationError

from benchhost.api.model import Model, Timestamp
from benchhost.api.names import API_VERSION, FINALIZER, KIND
from benchhost.api.spec import BenchHostSpec
from benchhost.api.status import BenchHostStatus


class InvalidBenchHostError(ValueError):
    """The object does not fit the API; the message names the fields."""


class ObjectMeta(Model):
    """The fields of ``metav1.ObjectMeta`` that are read here."""

    name: str
    """Name, unique in the namespace."""
    namespace: str = "default"
    """Namespace."""
    uid: str = ""
    """Unique for all time; empty before the API server has seen the object."""
    generation: int = 0
    """Grows with each change of spec."""
    resource_version: str = ""
    """The version the object was read at."""
    creation_timestamp: Timestamp | None = None
    """When it was created."""
    deletion_timestamp: Timestamp | None = None
    """When its deletion was asked for."""
    finalizers: list[str] = []
    """Who must agree before it goes."""
    labels: dict[str, str] = {}
    """Labels."""
    annotations: dict[str, str] = {}
    """Annotations."""


class BenchHost(Model):
    """A machine for benchmarks, kept in agreement with ``spec`` by the controller."""

    api_version: str = API_VERSION
    """Always benchhost.dev/v1alpha1."""
    kind: str = KIND
    """Always BenchHost."""
    metadata: ObjectMeta
    """Standard object metadata."""
    spec: BenchHostSpec
    """What somebody wants."""
    status: BenchHostStatus = BenchHostStatus()
    """What the controller reports."""

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """Read an object as the API server gives it.

        Raises
        ------
        InvalidBenchHostError
            If a field is missing, unknown in spec, or has a wrong value; the message names each.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise InvalidBenchHostError(describe_errors(error)) from error

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return (self.metadata.namespace, self.metadata.name)

    @property
    def is_deleting(self) -> bool:
        """Whether its deletion was asked for."""
        return self.metadata.deletion_timestamp is not None

    @property
    def has_finalizer(self) -> bool:
        """Whether the controller's finalizer holds it."""
        return FINALIZER in self.metadata.finalizers


def describe_errors(error: ValidationError) -> str:
    """One sentence that names every field at fault; never shows the values, which may be secret."""
    parts = []
    for item in error.errors(include_input=False, include_url=False):
        where = ".".join(str(step) for step in item["loc"]) or "the object"
        parts.append(f"{where}: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(parts)
