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
LEASE_DURATION_SECONDS: Final = 120
"""Default of ``leaseDurationSeconds``: longer than an API server takes to restart or a network to recover; a lost
program costs its hosts for twice as long."""
SSH_CONNECT_SECONDS: Final = 60.0
"""Default of ``sshConnectTimeout``: the cloud calls a machine running before its SSH server listens."""
HISTORY_FILE: Final = "benchhost-history.jsonl"
"""Default of ``historyFile``: beside mlos_bench's own SQLite file, in the folder that the experiment is run from."""

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
        "leaseDurationSeconds",
        "historyFile",
        "sshPrivateKeyFile",
        "sshPrivateKeySecret",
        "sshHostKeys",
        "sshConnectTimeout",
        "sshCommandTimeout",
        "fileShare",
        "trialsPerPlacement",
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
    """Other hardware before each trial, or each ``trialsPerPlacement`` of them."""


class SshHostKeys(StrEnum):
    """Which host keys are trusted."""

    PUBLISHED = "Published"
    ACCEPT_ANY = "AcceptAny"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """How commands reach a host."""

    key_file: str | None = None
    """Path of an OpenSSH private key."""
    key_secret: tuple[str, str] | None = None
    """Name of a Secret and the key in it that holds an OpenSSH private key."""
    host_keys: SshHostKeys | None = None
    """None: published ones, but the hosts are not asked to publish them unless a private key is given."""
    connect_seconds: float = SSH_CONNECT_SECONDS
    command_seconds: float | None = None
    """How long one command may run; None: as long as the host answers."""

    @property
    def key_source(self) -> str:
        """Where the private key comes from, for messages."""
        if self.key_secret is not None:
            return f"the Secret {'/'.join(self.key_secret)} ('sshPrivateKeySecret')"
        return f"{self.key_file} ('sshPrivateKeyFile')"

    @property
    def is_pinned(self) -> bool:
        """Whether only published host keys are trusted."""
        return self.host_keys is not SshHostKeys.ACCEPT_ANY

    @property
    def wants_host_keys(self) -> bool:
        """Whether hosts are asked to publish their keys."""
        has_key = self.key_file is not None or self.key_secret is not None
        return self.host_keys is SshHostKeys.PUBLISHED or (self.host_keys is None and has_key)


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
    trials_per_placement: int
    """With NewPerTrial: how many trials share hardware before other hardware is asked for."""
    lease_duration_seconds: int | None
    """How long hosts count as held without renewal; None: nobody holds them."""
    history_file: str | None
    """Where the hosts' history goes; None: nowhere."""
    remote: RemoteSettings

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
        _of_type(config.get("fileShare"), bool | None, "fileShare", "true or false")
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
            on_setup_failure=_choice(config, "onSetupFailure", OnSetupFailure) or OnSetupFailure.DELETE,
            placement_policy=_choice(config, "placementPolicy", PlacementPolicy) or PlacementPolicy.KEEP,
            trials_per_placement=_count(config, "trialsPerPlacement"),
            lease_duration_seconds=_lease_seconds(config),
            history_file=text.get("historyFile") if "historyFile" in config else HISTORY_FILE,
            remote=_read_remote(config, text, resolve_path),
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


def _count(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ServiceConfigError(f"the key {key!r} must be a whole number, at least 1, not {value!r}")
    return value


def _lease_seconds(config: Mapping[str, Any]) -> int | None:
    if "leaseDurationSeconds" in config and config["leaseDurationSeconds"] is None:
        return None
    return round(_seconds(config, "leaseDurationSeconds", LEASE_DURATION_SECONDS))


def _read_remote(config: Mapping[str, Any], text: _TextKeys, resolve_path: Callable[[str], str]) -> RemoteSettings:
    file, secret = text.get("sshPrivateKeyFile"), text.get("sshPrivateKeySecret")
    if file is not None and secret is not None:
        raise ServiceConfigError("give 'sshPrivateKeyFile' or 'sshPrivateKeySecret', not both")
    name, _, key = (secret or "").partition("/")
    if secret is not None and not (name and key):
        raise ServiceConfigError(
            f"the key 'sshPrivateKeySecret' must be the name of a Secret and a key in it, as in my-secret/id_ed25519, "
            f"not {secret!r}"
        )
    return RemoteSettings(
        key_file=None if file is None else resolve_path(file),
        key_secret=(name, key) if secret is not None else None,
        host_keys=_choice(config, "sshHostKeys", SshHostKeys),
        connect_seconds=_seconds(config, "sshConnectTimeout", SSH_CONNECT_SECONDS),
        command_seconds=_seconds(config, "sshCommandTimeout", 0.0) or None,
    )


def _choice(config: Mapping[str, Any], key: str, kind: type[C]) -> C | None:
    value = config.get(key)
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        raise ServiceConfigError(f"the key {key!r} must be one of {', '.join(kind)}, not {value!r}") from None
