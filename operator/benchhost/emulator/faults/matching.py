"""Which requests and operations a fault is about."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a fault may be about: a request, or an operation that is due.

    Parameters
    ----------
    method
        HTTP method; empty for an operation.
    resource_type
        For instance ``Microsoft.Compute/virtualMachines``; polls are about ``Microsoft.Compute/locations/operations``.
    group, name
        Resource group, and the names after the type, joined by ``/``; empty where there are none.
    action
        The last word of a POST such as ``deallocate``; empty otherwise.
    operation
        The kind of operation, such as ``createMachine``; empty for a request.
    """

    method: str = ""
    resource_type: str = ""
    group: str = ""
    name: str = ""
    action: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Patterns for the parts of a `Subject`; case does not matter, ``*`` and ``?`` stand for any characters.

    A part without a pattern may be anything.
    """

    method: str | None = None
    resource_type: str | None = None
    group: str | None = None
    name: str | None = None
    action: str | None = None
    operation: str | None = None

    def matches(self, subject: Subject) -> bool:
        """Tell whether every pattern fits."""
        return (
            _fits(self.method, subject.method)
            and _fits(self.resource_type, subject.resource_type)
            and _fits(self.group, subject.group)
            and _fits(self.name, subject.name)
            and _fits(self.action, subject.action)
            and _fits(self.operation, subject.operation)
        )


def _fits(pattern: str | None, text: str) -> bool:
    return pattern is None or fnmatchcase(text.lower(), pattern.lower())
