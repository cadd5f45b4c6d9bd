"""Refuses fields of a machine's body that its API version does not have yet.

Called by `compute_routes` before a PUT or PATCH. Old versions refuse what they do not know; only fields that the
emulator gives a meaning are watched. Versions: the pull requests to Azure's specifications that brought the fields,
as azure-lifecycle.md names them, and the docstrings of azure-mgmt-compute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.emulator.cloud.context import Body

DELETE_OPTIONS = "2021-03-01"
"""Delete options and interface configurations came with one change."""

_SINCE = {
    "diffDiskSettings": "2018-06-01",
    "placement": "2019-12-01",
    "networkInterfaceConfigurations": DELETE_OPTIONS,
    "networkApiVersion": DELETE_OPTIONS,
    "deleteOption": DELETE_OPTIONS,
    "hibernationEnabled": "2021-03-01",
    "enableFullCaching": "2025-04-01",
}
CONFIGURATION_TAGS = "2025-04-01"
"""Since when an interface or address configuration can have tags."""

NVME_PLACEMENT = "2024-03-01"


def check_fields(body: Body, api_version: str) -> None:
    """Refuse what a version does not know.

    Raises
    ------
    ArmError
        ``BadRequest`` with the path of the field.
    """
    for path, name, value in _fields(body, ""):
        since = _since(path, name, value)
        if since is not None and api_version < since:
            raise errors.unknown_member(name, path)


def _since(path: str, name: str, value: Any) -> str | None:
    if name == "tags" and "networkInterfaceConfigurations" in path:
        return CONFIGURATION_TAGS
    if name == "placement" and path.endswith("diffDiskSettings.placement") and value == "NvmeDisk":
        return NVME_PLACEMENT
    if name == "placement" and not path.endswith("diffDiskSettings.placement"):
        return None
    return _SINCE.get(name)


def _fields(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _fields(item, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if item is None:
            continue
        yield here, name, item
        if name != "tags":
            yield from _fields(item, here)
