"""What an administrator can set on the controller. Built by the CLI, read by the rest of the package."""

from dataclasses import dataclass
from datetime import timedelta

from benchhost.cloud.owned import Scope


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """How the controller works; says nothing about any one host."""

    namespaces: tuple[str, ...] = ()
    """Namespaces that are watched; none means all."""
    identity_namespaces: tuple[str, ...] = ()
    """Namespaces whose hosts may do without credentialsRef and use the controller's own; ``*`` means all."""
    workers: int = 128
    """How many hosts are worked on at once; a pass waits for the network only. More than there are
    connections to a cloud, so that those are never idle while hosts wait for the API server or for a list."""
    poll_interval: timedelta = timedelta(seconds=5)
    """Between two looks at a running operation, where the cloud says nothing; of a few it is less (``pace``). Azure's
    bucket for one operation refills by 15 a minute (Compute throttling, policy Get operation): every 4 s, and 5 s
    leaves room."""
    resync_interval: timedelta = timedelta(minutes=10)
    """Between two looks at a host that nothing has happened to, to find what was changed behind our back."""
    spot_resync_interval: timedelta = timedelta(minutes=1)
    """The same for a host on spot capacity, which Azure takes back without a word to us."""
    liveness_endpoint: str | None = None
    """Where /healthz is served, for example http://127.0.0.1:8080/healthz; nowhere when absent."""
    metrics_endpoint: str | None = None
    """Where metrics are served, for example http://127.0.0.1:8081/metrics; nowhere when absent."""
    sweep_interval: timedelta = timedelta(minutes=10)
    """Between two looks for cloud resources whose BenchHost is gone."""
    sweep_scopes: tuple[Scope, ...] = ()
    """Where to look for them beside the places that BenchHosts name."""
    orphan_age: timedelta = timedelta(minutes=15)
    """How old such a resource must be to count. Nothing that the controller starts is without an owner for longer."""
    delete_orphans: bool = False
    """Whether they are deleted, or only reported."""

    @property
    def brief_interval(self) -> timedelta:
        """The poll interval of a network, an interface or an address: they are made in 0.75 to 4 s (recorded)."""
        return min(self.poll_interval, timedelta(seconds=2))
