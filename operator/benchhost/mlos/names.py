"""Names and variables: ``$variable`` expansion, DNS-1123 names, and who owns a host.

Pure but for the default owner, which asks the operating system who the user is. Used by ``settings`` and
``template``.
"""

import getpass
import hashlib
import re
from collections.abc import Mapping
from string import Template
from typing import Any, Final

NAME_LIMIT: Final = 63
"""Longest DNS-1123 label (RFC 1123); also the limit of a Kubernetes label value and of an Azure VM name."""

_WHOLE_VARIABLE = re.compile(r"^\$(?:\{(\w+)\}|(\w+))$")
_LEFT_OVER = re.compile(r"\$\{?([A-Za-z_]\w*)")


class ServiceConfigError(ValueError):
    """The configuration of the service or of an environment is wrong; the message names the key."""


def expand(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replace ``$variable`` in every string; a string that is nothing but a variable becomes its value and type."""
    if isinstance(value, Mapping):
        return {key: expand(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, variables) for item in value]
    if not isinstance(value, str):
        return value
    whole = _WHOLE_VARIABLE.match(value)
    if whole and (whole[1] or whole[2]) in variables:
        return variables[whole[1] or whole[2]]
    return Template(value).safe_substitute(variables)


def find_variable(value: Any) -> str | None:
    """The name of a ``$variable`` that nobody has replaced, or None."""
    if isinstance(value, Mapping):
        return next(filter(None, map(find_variable, value.values())), None)
    if isinstance(value, list):
        return next(filter(None, map(find_variable, value)), None)
    left = _LEFT_OVER.search(value) if isinstance(value, str) else None
    return left[1] if left else None


def to_host_name(text: str) -> str:
    """The nearest DNS-1123 label: lower case, digits and hyphens, at most 63 characters.

    Raises
    ------
    ServiceConfigError
        If a ``$variable`` is left in it, or nothing remains.
    """
    variable = find_variable(text)
    if variable is not None:
        raise ServiceConfigError(
            f"the host name {text!r} still holds ${variable}: define {variable} in the globals, "
            "or name it in the environment's required_args"
        )
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name:
        raise ServiceConfigError(f"the host name {text!r} holds no letter or digit; give one that does")
    return _shorten(name)


def to_owner(text: str) -> str:
    """The nearest value of a Kubernetes label."""
    return _shorten(re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")) or "unknown"


def get_default_owner(experiment_id: str | None) -> str:
    """User and experiment: hosts of one experiment belong together even when it is run again."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        user = "unknown"
    return to_owner(f"{user}-{experiment_id}" if experiment_id else user)


def _shorten(name: str) -> str:
    if len(name) <= NAME_LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: NAME_LIMIT - 9].rstrip('-_.')}-{digest}"
