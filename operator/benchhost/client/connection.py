"""Where the API server is and who we are: kubectl's rules for kubeconfig, context and namespace.

Used by ``transport``. It reads files and the environment and never talks to a server.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes.client import Configuration
from kubernetes.config import (
    ConfigException,
    list_kube_config_contexts,
    load_incluster_config,
    load_kube_config,
)

from benchhost.client.errors import ConfigurationError

DEFAULT_KUBECONFIG: Final = "~/.kube/config"
NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where the kubelet writes a pod's namespace (kubernetes.io, "Accessing the Kubernetes API from a Pod")."""

IN_CLUSTER_HINT: Final = "KUBERNETES_SERVICE_HOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """What a user may say about the connection; everything has kubectl's default."""

    kubeconfig: str | None = None
    """Path of a kubeconfig file; default: the environment variable KUBECONFIG, then ~/.kube/config."""
    context: str | None = None
    """Context in the kubeconfig; default: its current context."""
    namespace: str | None = None
    """Namespace; default: the context's, in a pod the pod's own, else ``default``."""
    request_timeout_seconds: float = 10.0
    """How long one request may take before it is tried again."""
    watch_seconds: float = 30.0
    """How long one watch request lasts; a dead connection is noticed after this plus the request timeout."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The settings with every default filled in."""

    configuration: Configuration
    """Address, certificates and credentials for the ``kubernetes`` package."""
    namespace: str
    """The namespace to work in."""
    where: str
    """Which server and which context, for messages."""


def connect(settings: ConnectionSettings) -> Connection:
    """Read kubeconfig or ServiceAccount.

    Raises
    ------
    ConfigurationError
        If there is none, or it cannot be read, or has no such context.
    """
    path = settings.kubeconfig or os.environ.get("KUBECONFIG") or DEFAULT_KUBECONFIG
    files = [Path(part).expanduser() for part in path.split(os.pathsep) if part]
    if any(file.is_file() for file in files):
        return _from_kubeconfig(path, settings)
    if settings.kubeconfig is not None:
        raise ConfigurationError(f"there is no kubeconfig {settings.kubeconfig}; give the path of an existing file")
    if settings.context is not None:
        raise ConfigurationError(
            f"there is no kubeconfig {path} to hold the context {settings.context!r}; "
            "set KUBECONFIG or give the path of one"
        )
    if IN_CLUSTER_HINT in os.environ:
        return _from_service_account(settings)
    raise ConfigurationError(
        f"no cluster is configured: {path} does not exist and this is not a pod; "
        "set KUBECONFIG or give the path of a kubeconfig"
    )


def _from_kubeconfig(path: str, settings: ConnectionSettings) -> Connection:
    configuration = Configuration()
    try:
        contexts, current = list_kube_config_contexts(config_file=path)
        chosen = _choose(contexts, current, settings.context)
        load_kube_config(config_file=path, context=chosen["name"], client_configuration=configuration)
    except (
        ConfigException,
        yaml.YAMLError,
        OSError,
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        hint = "; 'kubectl config get-contexts' lists what it holds"
        raise ConfigurationError(f"the kubeconfig {path} cannot be used: {reason.rstrip('.')}{hint}") from error
    namespace = settings.namespace or chosen.get("context", {}).get("namespace") or "default"
    where = f"{configuration.host} (context {chosen['name']!r} of {path})"
    return Connection(_without_own_retries(configuration), namespace, where)


def _choose(contexts: list[dict[str, Any]], current: dict[str, Any], wanted: str | None) -> dict[str, Any]:
    if wanted is None:
        return current
    found = next((context for context in contexts if context["name"] == wanted), None)
    if found is None:
        names = ", ".join(sorted(context["name"] for context in contexts)) or "none"
        raise ConfigException(f"it has no context {wanted!r} (it has: {names})")
    return found


def _from_service_account(settings: ConnectionSettings) -> Connection:
    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
        own = NAMESPACE_FILE.read_text(encoding="utf-8").strip() if NAMESPACE_FILE.is_file() else "default"
    except (ConfigException, OSError) as error:
        raise ConfigurationError(
            f"the pod's ServiceAccount cannot be used: {error}; set automountServiceAccountToken or give a kubeconfig"
        ) from error
    where = f"{configuration.host} (the pod's ServiceAccount)"
    return Connection(_without_own_retries(configuration), settings.namespace or own, where)


def _without_own_retries(configuration: Configuration) -> Configuration:
    """The HTTP library must not repeat or wait by itself: it knows no time limit."""
    configuration.retries = False
    configuration.keep_alive = True
    return configuration
