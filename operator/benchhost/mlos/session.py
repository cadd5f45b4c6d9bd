"""What all calls of one service share: its configuration, connection, Lease, and the record of its hosts.

Used by ``provisioner``, ``power``, ``remote`` and ``releasing``. It opens connections when they are first needed, can
be pickled at any time, and decides nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchhost.client import BenchHostClient, Deadline, ForbiddenError
from benchhost.mlos.calls import Awaited, HostCall, HostHandle
from benchhost.mlos.history import HostHistory
from benchhost.mlos.holder import HostHolder
from benchhost.mlos.hosts import Hosts
from benchhost.mlos.records import HostRecords
from benchhost.mlos.settings import OnSetupFailure, ServiceSettings

CALL_LIMIT_SECONDS: Final = 30.0
"""The longest that a call which does not wait for the host tries to reach the API server."""


class Session:
    """The state of one service instance.

    Parameters
    ----------
    settings
        The service's configuration.
    global_config
        mlos_bench's globals, for variables and parameters.
    """

    def __init__(self, settings: ServiceSettings, global_config: Mapping[str, Any]) -> None:
        self.settings = settings
        self.globals = dict(global_config)
        self.records = HostRecords()
        experiment = self.globals.get("experiment_id")
        self.history = HostHistory(settings.history_file, experiment=None if experiment is None else str(experiment))
        self.holder = _make_holder(settings)
        self._client: BenchHostClient | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None}

    @property
    def hosts(self) -> Hosts:
        """The hosts of this service's owner."""
        if self._client is None:
            self._client = BenchHostClient(self.settings.connection)
        return Hosts(self._client, self.settings.template.owner)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def call_deadline(self) -> Deadline:
        """Time limit of a call that does not wait for the host."""
        return Deadline.after(min(CALL_LIMIT_SECONDS, self.settings.poll_timeout_seconds))

    def get_name(self, params: Mapping[str, Any]) -> str:
        """The host's name for these parameters of an environment.

        Raises
        ------
        ServiceConfigError
            If there is none, or a variable in it is not defined.
        """
        return self.settings.get_name({**self.globals, **params})

    def find_remembered(self, params: Mapping[str, Any], awaited: Awaited) -> HostCall | None:
        """The call to wait for: the handle's, else the last one of this kind; None where nobody remembers one.

        Raises
        ------
        ServiceConfigError
            As ``get_name``.
        """
        if isinstance(params, HostHandle):
            return params.call
        last = self.records.last.get(awaited)
        return last if last is not None and (not params or last.name == self.get_name(params)) else None

    def build_manifest(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What the host shall be for these parameters.

        Raises
        ------
        ServiceConfigError
            If a variable or parameter is missing, or the result is not a BenchHost.
        """
        manifest = self.settings.template.build({**self.globals, **params})
        spec = manifest["spec"]
        if self.holder is not None:
            spec["holder"] = {
                "leaseName": self.holder.lease_name,
                "gracePeriodSeconds": self.holder.duration_seconds,
                "onLost": self._on_lost(spec),
            }
        if self.settings.remote.wants_host_keys:
            spec["readiness"] = {"hostKeys": True, **(spec.get("readiness") or {})}
        return manifest

    def take_lease(self, deadline: Deadline) -> None:
        """See to it that somebody holds the hosts, before one is made.

        Raises
        ------
        ClientError
            If the Lease cannot be written.
        """
        if self.holder is None:
            return
        try:
            self.holder.hold(deadline)
        except ForbiddenError as error:
            raise ForbiddenError(
                f"{error}, or set the service's config key 'leaseDurationSeconds' to null: then hosts stay when this "
                "program is killed"
            ) from error

    def hold(self, call: HostCall) -> None:
        """The host is there: the Lease is for it too."""
        if self.holder is not None and call.uid is not None:
            self.holder.add(call.name, call.uid)

    def forget(self, call: HostCall) -> None:
        """The host is gone; with the last one the Lease goes."""
        self.records.forget(call)
        self.history.note_gone(call)
        if self.holder is not None and call.uid is not None:
            self.holder.remove(call.uid)
        if not self.records.made:
            self.let_go()

    def let_go(self) -> None:
        """No host is held any more."""
        if self.holder is not None:
            self.holder.let_go(self.call_deadline())

    def _on_lost(self, spec: Mapping[str, Any]) -> str:
        """What becomes of the host when this program dies: as after a failed set-up, but no bill is kept running."""
        is_ephemeral = ((spec.get("azure") or {}).get("osDisk") or {}).get("ephemeral")
        is_deleted = self.settings.on_setup_failure is OnSetupFailure.DELETE or is_ephemeral
        return "Delete" if is_deleted else "Deallocate"


def _make_holder(settings: ServiceSettings) -> HostHolder | None:
    """None where the configuration wants no Lease, or the template names one of its own."""
    has_own = bool((settings.template.manifest.get("spec") or {}).get("holder"))
    if settings.lease_duration_seconds is None or has_own:
        return None
    owner = settings.template.owner
    return HostHolder(settings.connection, owner, duration_seconds=settings.lease_duration_seconds)
