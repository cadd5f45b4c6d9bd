"""The service's configuration: every key checked before anything is sent anywhere.

Used by ``service``. mlos_bench's own schema check (see ``registration``) runs earlier where it is switched on; these
checks hold also where it is not.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from benchhost.client import ConnectionSettings
from benchhost.mlos.names import (
    ServiceConfigError,
    expand,
    find_variable,
    get_default_owner,
    to_host_name,
    to_owner,
)
from benchhost.mlos.template import HostTemplate

POLL_TIMEOUT_SECONDS: Final = 1800.0
"""Default of ``pollTimeout``: longer than spec.timeouts.provision, so that the controller speaks first."""
REQUEST_TIMEOUT_SECONDS: Final = 10.0
"""Default of ``requestTimeout``."""

C = TypeVar("C", bound=StrEnum)

KEYS: Final = frozenset(
    {
        "kubeconfig",
        "context",
        "namespace",
        "template",
        "parameters",
        "name",
        "owner",
        "pollTimeout",
        "requestTimeout",
        "onSetupFailure",
        "placementPolicy",
    }
)


class OnSetupFailure(StrEnum):
    """What becomes of a host that did not come up."""

    DELETE = "Delete"
    DEALLOCATE = "Deallocate"
    KEEP = "Keep"


class PlacementPolicy(StrEnum):
    """Whether trials share hardware."""

    KEEP = "Keep"
    NEW_PER_TRIAL = "NewPerTrial"


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The configuration with every default filled in."""

    connection: ConnectionSettings
    template: HostTemplate
    name: str | None
    """Template of the host's name; None: the environment's ``vmName``."""
    poll_timeout_seconds: float
    on_setup_failure: OnSetupFailure
    placement_policy: PlacementPolicy

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], global_config: Mapping[str, Any], resolve_path: Callable[[str], str]
    ) -> "ServiceSettings":
        """Read the service's ``config``.

        Raises
        ------
        ServiceConfigError
            If a key is unknown or has a wrong value; the message names it.
        """
        _check_keys(config)
        text = _TextKeys(config, {**os.environ, **global_config})
        experiment = global_config.get("experiment_id")
        owner = text.get("owner")
        template = config.get("template")
        if isinstance(template, str):
            template = resolve_path(template)
        return cls(
            connection=ConnectionSettings(
                kubeconfig=text.get("kubeconfig"),
                context=text.get("context"),
                namespace=text.get("namespace"),
                request_timeout_seconds=_seconds(config, "requestTimeout", REQUEST_TIMEOUT_SECONDS),
            ),
            template=HostTemplate.load(
                _of_type(template, Mapping | str | None, "template", "a mapping or the path of a YAML file"),
                _of_type(config.get("parameters"), Mapping | None, "parameters", "a mapping"),
                owner=to_owner(owner) if owner else get_default_owner(str(experiment) if experiment else None),
            ),
            name=_of_type(config.get("name"), str | None, "name", "text"),
            poll_timeout_seconds=_seconds(config, "pollTimeout", POLL_TIMEOUT_SECONDS),
            on_setup_failure=_choice(config, "onSetupFailure", OnSetupFailure.DELETE),
            placement_policy=_choice(config, "placementPolicy", PlacementPolicy.KEEP),
        )

    def get_name(self, variables: Mapping[str, Any]) -> str:
        """The host's name for these globals and parameters of the environment.

        Raises
        ------
        ServiceConfigError
            If there is none, or a variable in it is not defined.
        """
        known = {key: value for key, value in variables.items() if value is not None}
        text = self.name or known.get("vmName") or self.template.name
        if not text:
            raise ServiceConfigError(
                "the host has no name: set the service's config key 'name', or pass 'vmName' from the environment"
            )
        return to_host_name(str(expand(text, known)))


@dataclass(frozen=True, slots=True)
class _TextKeys:
    """Keys that hold text in which variables are replaced."""

    config: Mapping[str, Any]
    variables: Mapping[str, Any]

    def get(self, key: str) -> str | None:
        value = expand(self.config.get(key), self.variables)
        if value is None or value == "":
            return None
        variable = find_variable(value)
        if variable is not None:
            raise ServiceConfigError(f"the key {key!r} still holds ${variable}: define {variable} in the globals")
        return str(value)


def _check_keys(config: Mapping[str, Any]) -> None:
    for key in config:
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise ServiceConfigError(f"BenchHostService has no config key {key!r}; it has {known}")


def _of_type(value: Any, kind: Any, key: str, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise ServiceConfigError(f"the key {key!r} must be {wanted}, not {type(value).__name__}")
    return value


def _seconds(config: Mapping[str, Any], key: str, default: float) -> float:
    value = config.get(key)
    if value is None:
        return default
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if isinstance(value, bool) or not seconds >= 1:
        raise ServiceConfigError(f"the key {key!r} must be a number of seconds, at least 1, not {value!r}")
    return seconds


def _choice(config: Mapping[str, Any], key: str, default: C) -> C:
    value = config.get(key)
    if value is None:
        return default
    try:
        return type(default)(value)
    except ValueError:
        choices = ", ".join(type(default))
        raise ServiceConfigError(f"the key {key!r} must be one of {choices}, not {value!r}") from None
