"""Tags as clouds have them: their names are compared without case, and the owner's are nobody else's. Pure.

Used wherever the spec's tags meet those of a resource, so that what is sent and what is compared is the same.
"""

from collections.abc import Mapping

from benchhost.api.names import OWNER_TAG_PREFIX


def to_user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The spec's tags as a resource can have them: without what is the owner's, and one of names that are the same."""
    return merge_tags({}, {name: value for name, value in tags.items() if not _is_reserved(name)})


def merge_tags(tags: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
    """The tags with others added: a name that is there already stays as it is written, with the new value."""
    merged: dict[str, str] = {}
    written: dict[str, str] = {}
    for name, value in (*tags.items(), *added.items()):
        merged[written.setdefault(name.lower(), name)] = value
    return merged


def missing_tags(tags: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the wanted ones that a resource does not have, or has with another value."""
    seen = {name.lower(): value for name, value in tags.items()}
    return {name: value for name, value in wanted.items() if seen.get(name.lower()) != value}


def _is_reserved(name: str) -> bool:
    return name.lower().startswith(OWNER_TAG_PREFIX)
