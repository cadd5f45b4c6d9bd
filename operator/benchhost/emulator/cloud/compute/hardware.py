"""Which physical hardware a virtual machine size runs on, read off its name.

A running machine can only be resized within its hardware, and hidden hosts belong to one kind of it. Azure says
which sizes share a cluster only when it refuses one; that D and E of one generation do is this project's assumption.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.catalog import MACHINE_SIZES

if TYPE_CHECKING:
    from benchhost.emulator.cloud.catalog import MachineSize

_NAME = re.compile(r"standard_([a-z]+)[\d-]+([a-z]*)(?:_(?!v\d)[a-z]+\d+)?(?:_v(\d+))?", re.IGNORECASE)
_GENERAL_PURPOSE = frozenset("DE")
"""Series that stand on the same machines: Azure's documents name the same processors for D and E of a version."""


def series_of(size_name: str) -> str:
    """Return the series of a size, ``Ddsv5`` for ``Standard_D4ds_v5``."""
    letters, features, version = _parts(size_name)
    return f"{letters}{features}{f'v{version}' if version else ''}"


def hardware_of(size_name: str) -> str:
    """Return the kind of hardware that a size runs on, for instance ``general-intel-v5``."""
    letters, features, version = _parts(size_name)
    first = letters[0].upper()
    line = "general" if len(letters.rstrip("Ss")) == 1 and first in _GENERAL_PURPOSE else letters.rstrip("Ss").lower()
    return f"{line}-{_vendor(features)}-v{version or '1'}"


@cache
def sizes_on(hardware: str) -> tuple[MachineSize, ...]:
    """Return the sizes that a kind of hardware offers, in the order of the catalogue."""
    return tuple(size for size in MACHINE_SIZES.values() if hardware_of(size.name) == hardware)


def _parts(size_name: str) -> tuple[str, str, str]:
    found = _NAME.fullmatch(size_name)
    if found is None:  # pragma: no cover - every size of the catalogue follows the pattern, which a test checks
        raise LookupError(size_name)
    letters, features, version = found.groups()
    return letters, features, version or ""


def _vendor(features: str) -> str:
    if "p" in features:
        return "arm"
    return "amd" if "a" in features else "intel"
