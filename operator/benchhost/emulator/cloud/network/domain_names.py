"""Domain names of public addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchhost.emulator.cloud.context import Body

DNS = "dnsSettings"

SUFFIX = "cloudapp.azure.com"
"""What follows the region in the public cloud; nobody resolves the emulator's names."""

_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")


def dns_settings(given: Any, location: str) -> Body | None:
    """Return the settings with the name that a label gives; None where there are none.

    Raises
    ------
    ArmError
        ``InvalidDomainNameLabel``.
    """
    if not isinstance(given, dict):
        return None
    label = given.get("domainNameLabel")
    if label is None:
        return dict(given)
    if _LABEL.fullmatch(str(label)) is None:
        raise errors.network_error(
            "InvalidDomainNameLabel",
            f"The domain name label {label} is invalid. It must conform to the following regular expression: "
            f"^{_LABEL.pattern}$.",
        )
    return {**given, "fqdn": f"{label}.{location}.{SUFFIX}"}


def full_name_of(properties: Mapping[str, Any]) -> str | None:
    """Return the domain name of an address, or None."""
    settings = properties.get(DNS)
    name = settings.get("fqdn") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else None
