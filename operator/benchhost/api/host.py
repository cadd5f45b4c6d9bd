"""The whole object: ``BenchHost`` with the part of its metadata that anybody here reads."""

from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import ValidationError

from benchhost.api.model import Model, Timestamp
from benchhost.api.names import API_VERSION, FINALIZER, KIND
from benchhost.api.spec import BenchHostSpec
from benchhost.api.status import BenchHostStatus

_NEEDED_TO_DELETE: Final = frozenset({"azure", "credentialsRef", "deletionPolicy", "adopt", "paused"})
"""The fields of spec that say what a deletion takes away, how, and whether."""


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

        When it is being deleted, a field at fault that its deletion does not need counts as absent.

        Raises
        ------
        InvalidBenchHostError
            If a field is missing, unknown in spec, or has a wrong value; the message names each.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            needless = _needless_faults(body, error)
            if not needless:
                raise InvalidBenchHostError(describe_errors(error)) from error
        return cls.from_dict(_without_fields(body, needless))

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


def _needless_faults(body: Mapping[str, Any], error: ValidationError) -> set[str]:
    """The fields of spec at fault that the deletion under way does not need."""
    if not (body.get("metadata") or {}).get("deletionTimestamp"):
        return set()
    places = [item["loc"] for item in error.errors(include_input=False, include_url=False)]
    at_fault = {str(place[1]) for place in places if len(place) > 1 and place[0] == "spec"}
    return {name for name in at_fault if name in body["spec"]} - _NEEDED_TO_DELETE


def _without_fields(body: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    spec = {name: value for name, value in body["spec"].items() if name not in names}
    return {**body, "spec": spec}


def describe_errors(error: ValidationError) -> str:
    """One sentence that names every field at fault; never shows the values, which may be secret."""
    parts = []
    for item in error.errors(include_input=False, include_url=False):
        where = ".".join(str(step) for step in item["loc"]) or "the object"
        parts.append(f"{where}: {item['msg'].removeprefix('Value error, ')}")
    return "; ".join(parts)
