"""``$filter`` of the lists of resources and of resource groups.

Doc: REST reference "Resources - List". A filter by tag stands alone; terms are joined by ``and`` or by ``or``, not by
both. Nothing is guessed: what is not understood is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import normalize_location

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.cloud.groups import ResourceGroup
    from benchhost.emulator.cloud.resources import Resource

    Test = Callable[["_Tagged"], bool]

_COMPARISON = re.compile(r"(?P<name>\w+)\s+(?P<operator>eq|ne)\s+'(?P<value>[^']*)'", re.IGNORECASE)
_SUBSTRING = re.compile(r"substringof\(\s*'(?P<value>[^']*)'\s*,\s*(?P<name>\w+)\s*\)", re.IGNORECASE)
_PREFIX = re.compile(r"startswith\(\s*tagName\s*,\s*'(?P<value>[^']*)'\s*\)", re.IGNORECASE)
_JOINT = re.compile(r"\s+(and|or)\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)
"""A joint between terms, outside of quotes: an even number of them follows."""


class _Tagged(Protocol):
    @property
    def tags(self) -> dict[str, str]: ...


def filter_resources(resources: list[Resource], text: str | None) -> list[Resource]:
    """Return what a filter leaves of resources.

    Raises
    ------
    ArmError
        ``InvalidFilterInQueryString``.
    """
    if not text:
        return resources
    by_tag = _tag_test(text)
    if by_tag is not None:
        return [resource for resource in resources if by_tag(resource)]
    joints = {joint.lower() for joint in _JOINT.findall(text)}
    if len(joints) > 1:
        raise _invalid(text)
    tests = [_property_test(term, text) for term in _JOINT.split(text)[::2]]
    combined = any if joints == {"or"} else all
    return [resource for resource in resources if combined(test(resource) for test in tests)]


def filter_groups(groups: list[ResourceGroup], text: str | None) -> list[ResourceGroup]:
    """Return what a filter leaves of resource groups, which know tags only.

    Raises
    ------
    ArmError
        ``InvalidFilterInQueryString``.
    """
    if not text:
        return groups
    by_tag = _tag_test(text)
    if by_tag is None:
        raise _invalid(text)
    return [group for group in groups if by_tag(group)]


def _tag_test(text: str) -> Test | None:
    prefix = _PREFIX.fullmatch(text.strip())
    if prefix is not None:
        return lambda item: any(name.lower().startswith(prefix["value"].lower()) for name in item.tags)
    terms = [_COMPARISON.fullmatch(term) for term in _JOINT.split(text.strip())[::2]]
    names = [term["name"].lower() for term in terms if term is not None]
    if not {"tagname", "tagvalue"} & set(names):
        return None
    values = {term["name"].lower(): term["value"] for term in terms if term is not None}
    is_plain = all(term is not None and term["operator"].lower() == "eq" for term in terms)
    joints = [joint.lower() for joint in _JOINT.findall(text)]
    if not is_plain or names not in (["tagname"], ["tagname", "tagvalue"]) or "or" in joints:
        raise _invalid(text)
    return lambda item: _has_tag(item, values["tagname"], values.get("tagvalue"))


def _has_tag(item: _Tagged, name: str, value: str | None) -> bool:
    """Tell whether a tag is there; its name is compared in any case, its value exactly (doc: tag-resources)."""
    return any(key.lower() == name.lower() and value in (None, found) for key, found in item.tags.items())


def _property_test(term: str, text: str) -> Callable[[Resource], bool]:
    comparison = _COMPARISON.fullmatch(term.strip())
    if comparison is not None:
        read, wanted = _reader(comparison["name"], text), comparison["value"].lower()
        if comparison["name"].lower() == "location":
            wanted = normalize_location(wanted)
        is_equal = comparison["operator"].lower() == "eq"
        return lambda resource: (read(resource) == wanted) is is_equal
    substring = _SUBSTRING.fullmatch(term.strip())
    if substring is None or substring["name"].lower() not in ("name", "resourcegroup"):
        raise _invalid(text)
    read, part = _reader(substring["name"], text), substring["value"].lower()
    return lambda resource: part in read(resource)


def _reader(name: str, text: str) -> Callable[[Resource], str]:
    readers: dict[str, Callable[[Resource], str]] = {
        "resourcetype": lambda resource: resource.id.kind.lower(),
        "name": lambda resource: resource.id.name.lower(),
        "resourcegroup": lambda resource: resource.id.group.lower(),
        "location": lambda resource: resource.location,
    }
    found = readers.get(name.lower())
    if found is None:
        raise _invalid(text)
    return found


def _invalid(text: str) -> errors.ArmError:
    return errors.bad_request("InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string.")
