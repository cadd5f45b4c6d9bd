"""What the service does to BenchHosts through the client: ask for one, give one back, release what failed.

Used by ``service``, which turns the results into mlos_bench's. It never imports mlos_bench, keeps no record, and
touches no host that carries another owner's label.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from benchhost.api import BenchHost, ConditionType, PowerState, is_true
from benchhost.api.model import to_timestamp
from benchhost.api.names import LABEL_OWNER
from benchhost.client import BenchHostClient, ClientError, ConflictError, Deadline, NotFoundError
from benchhost.mlos.calls import HostCall, HostOperation

T = TypeVar("T")


class NotOwnedError(ClientError):
    """The host belongs to somebody else."""


class Hosts:
    """Operations on the hosts of one owner.

    Parameters
    ----------
    client
        Where the hosts are.
    owner
        Value of the owner label of hosts that may be touched.
    """

    def __init__(self, client: BenchHostClient, owner: str) -> None:
        self._client = client
        self._owner = owner

    @property
    def namespace(self) -> str:
        """The namespace of all hosts."""
        return self._client.namespace

    def provision(
        self, call: HostCall, *, deadline: Deadline, is_new_place_wanted: bool = False, is_doubted: bool = False
    ) -> HostCall:
        """Create the host, or make it what the call's manifest says, and return the call filled in.

        Parameters
        ----------
        call
            The call.
        deadline
            Time limit.
        is_new_place_wanted
            Ask a host that is ready for other hardware first.
        is_doubted
            Do not believe the status of a host that exists before the controller has looked at the cloud again.

        Raises
        ------
        NotOwnedError
            If there is a host of this name that is somebody else's.
        ClientError
            As the API server answers.
        """
        moments: list[datetime] = []
        looks: list[datetime] = []

        def get_wanted(current: BenchHost | None) -> Mapping[str, Any]:
            moments.clear()
            looks.clear()
            wanted = dict(call.manifest or {})
            if current is None:
                return wanted
            self._check_owner(current)
            if is_new_place_wanted and is_true(current.status.conditions, ConditionType.READY):
                moments.append(_get_reallocation_time(current))
                wanted["spec"] = {**wanted["spec"], "reallocateAt": to_timestamp(moments[0])}
            if is_doubted:
                looks.append(_now_but_after(current.spec.observe_at))
                wanted["spec"] = {**wanted["spec"], "observeAt": to_timestamp(looks[0])}
            return wanted

        host = self._client.ensure(call.name, get_wanted, deadline=deadline)
        if host.is_deleting:
            return replace(call, predecessor=host, seen=None, uid=None)
        return replace(
            call,
            uid=host.metadata.uid,
            generation=host.metadata.generation,
            seen=host,
            predecessor=None,
            reallocate_at=moments[0] if moments else None,
            observe_at=looks[0] if looks else None,
        )

    def set_power(
        self, call: HostCall, power: PowerState, *, deadline: Deadline, more: Mapping[str, Any] | None = None
    ) -> HostCall | None:
        """Ask for a power state; None if the host is gone.

        A host that has given its hardware back is off: it is not asked to be Stopped, which would mean to take
        hardware first.

        Parameters
        ----------
        call
            Whose host; filled in in the answer.
        power
            The power state.
        deadline
            Time limit.
        more
            Other fields of spec that change with it.

        Raises
        ------
        NotOwnedError, ClientError
            As ``provision``.
        """
        host = self._get_own(call, deadline)
        if host is None:
            return None
        is_off = power is PowerState.STOPPED and host.spec.power_state is PowerState.DEALLOCATED
        if not host.is_deleting and (more or not (is_off or host.spec.power_state is power)):
            spec = {**(more or {}), **({} if is_off else {"powerState": power})}
            try:
                host = self._client.patch(call.name, {"spec": spec}, uid=host.metadata.uid, deadline=deadline)
            except (NotFoundError, ConflictError):
                return None
        return replace(call, uid=host.metadata.uid, generation=host.metadata.generation, seen=host)

    def deallocate(self, call: HostCall, *, deadline: Deadline) -> HostCall | None:
        """Ask the host to give its hardware back; None if it is gone. Raises as ``set_power``."""
        return self.set_power(call, PowerState.DEALLOCATED, deadline=deadline)

    def restart(self, call: HostCall, *, deadline: Deadline) -> HostCall | None:
        """Ask the host to restart; one that is off is started. None if it is gone. Raises as ``set_power``."""
        host = self._get_own(call, deadline)
        if host is None:
            return None
        if host.spec.power_state is not PowerState.RUNNING:
            return self.set_power(call, PowerState.RUNNING, deadline=deadline)
        moment = _get_restart_time(host)
        more = {"restartAt": to_timestamp(moment)}
        asked = self.set_power(call, PowerState.RUNNING, deadline=deadline, more=more)
        return None if asked is None else replace(asked, restart_at=moment)

    def let_go(self, call: HostCall, *, deadline: Deadline) -> BenchHost | None:
        """From now on nobody holds the host, and it stays as it is; None if it is gone, going, or was not held.

        Raises
        ------
        NotOwnedError, ClientError
            As ``provision``.
        """
        host = self._get_own(call, deadline)
        if host is None or host.is_deleting or host.spec.holder is None:
            return None
        try:
            return self._client.patch(call.name, {"spec": {"holder": None}}, uid=host.metadata.uid, deadline=deadline)
        except (NotFoundError, ConflictError):
            return None

    def delete(self, call: HostCall, *, deadline: Deadline) -> HostCall | None:
        """Ask for the host's deletion; None if it is gone.

        Raises
        ------
        NotOwnedError, ClientError
            As ``provision``.
        """
        host = self._get_own(call, deadline)
        if host is None or not self._client.delete(call.name, uid=host.metadata.uid, deadline=deadline):
            return None
        return replace(call, uid=host.metadata.uid, generation=host.metadata.generation, seen=host)

    def get(self, name: str, *, deadline: Deadline) -> BenchHost | None:
        """The host as it is now. Raises as ``BenchHostClient.get``."""
        return self._client.get(name, deadline=deadline)

    def find(self, name: str, operation: HostOperation, *, deadline: Deadline) -> HostCall:
        """A call for a host that nobody remembers asking for: whatever has the name now is meant."""
        host = self._client.get(name, deadline=deadline)
        return HostCall(
            operation=operation,
            namespace=self.namespace,
            name=name,
            uid=host.metadata.uid if host else None,
            generation=host.metadata.generation if host else 0,
            started=datetime.now(UTC),
            seen=host,
        )

    def wait_for(
        self,
        name: str,
        condition: Callable[[BenchHost | None], T | None],
        *,
        deadline: Deadline,
        start: BenchHost | None,
    ) -> T:
        """``BenchHostClient.wait_for``."""
        return self._client.wait_for(name, condition, deadline=deadline, start=start)

    def _get_own(self, call: HostCall, deadline: Deadline) -> BenchHost | None:
        """The very object that the call is about, or, if it knows none, the owner's object of that name."""
        host = self._client.get(call.name, deadline=deadline)
        if host is None or (call.uid is not None and host.metadata.uid != call.uid):
            return None
        self._check_owner(host)
        return host

    def _check_owner(self, host: BenchHost) -> None:
        owner = host.metadata.labels.get(LABEL_OWNER)
        if owner == self._owner:
            return
        whose = f"belongs to {owner!r}" if owner else f"has no label {LABEL_OWNER}"
        raise NotOwnedError(
            f"BenchHost {host.metadata.namespace}/{host.metadata.name} {whose} and this experiment is "
            f"{self._owner!r}; choose another name, or set the service's config key 'owner'"
        )


def _get_reallocation_time(host: BenchHost) -> datetime:
    status = host.status
    return _now_but_after(status.last_reallocate_time, status.placement.since if status.placement else None)


def _get_restart_time(host: BenchHost) -> datetime:
    return _now_but_after(host.status.last_restart_time, host.spec.restart_at)


def _now_but_after(*earlier: datetime | None) -> datetime:
    """Now, but later than the last one: two clocks may disagree, and an older time would be ignored."""
    floors = [moment.replace(microsecond=0) + timedelta(seconds=1) for moment in earlier if moment]
    return max([datetime.now(UTC).replace(microsecond=0), *floors])
