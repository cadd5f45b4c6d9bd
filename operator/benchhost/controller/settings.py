"""What an administrator can set on the controller. Built by the CLI, read by the rest of the package."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """How the controller works; says nothing about any one host."""

    namespaces: tuple[str, ...] = ()
    """Namespaces that are watched; none means all."""
    identity_namespaces: tuple[str, ...] = ()
    """Namespaces whose hosts may do without credentialsRef and use the controller's own; ``*`` means all."""
    workers: int = 32
    """How many hosts are worked on at once. A pass waits for the network only, so this bounds open requests."""
    poll_interval: timedelta = timedelta(seconds=5)
    """Between two looks at a running operation, where the cloud says nothing. Azure's bucket for one operation
    refills by 15 a minute (Compute throttling, policy Get operation): every 4 s, and 5 s leaves room."""
    resync_interval: timedelta = timedelta(minutes=10)
    """Between two looks at a host that nothing has happened to, to find what was changed behind our back."""
    liveness_endpoint: str | None = None
    """Where /healthz is served, for example http://127.0.0.1:8080/healthz; nowhere when absent."""
