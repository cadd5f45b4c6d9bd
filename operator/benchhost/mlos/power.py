"""Start, stop and restart a host that exists: mlos_bench's host and OS operations.

Used by ``service``. It makes and deletes no host, and a failure here releases none: that is ``provisioner``'s.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mlos_bench.environments.status import Status

from benchhost.api import BenchHost, PowerState
from benchhost.client import ClientError, Deadline
from benchhost.mlos.calls import Awaited, HostCall, HostHandle, HostOperation
from benchhost.mlos.following import Decide, guard, watch
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.outcome import Result, decide_power_on, decide_stop, describe_placement, to_info
from benchhost.mlos.session import Session

_LOG = logging.getLogger(__name__)


class HostPower:
    """Power of one service's hosts.

    Parameters
    ----------
    session
        The service's state.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(self, params: Mapping[str, Any]) -> Result:
        """Switch the host on; see ``BenchHostService.start_host``."""
        return self._ask(params, HostOperation.START, lambda call: self._set_power(call, PowerState.RUNNING))

    def stop(self, params: Mapping[str, Any]) -> Result:
        """Switch the host off; see ``BenchHostService.stop_host``."""
        return self._ask(params, HostOperation.STOP, lambda call: self._set_power(call, PowerState.STOPPED))

    def restart(self, params: Mapping[str, Any]) -> Result:
        """Restart the host; see ``BenchHostService.restart_host``."""
        session = self._session
        restart = lambda call: session.hosts.restart(call, deadline=session.call_deadline())  # noqa: E731 - one call
        return self._ask(params, HostOperation.RESTART, restart)

    def wait(self, params: Mapping[str, Any]) -> Result:
        """Wait for the pending call to end; see ``BenchHostService.wait_host_operation``."""
        deadline = Deadline.after(self._session.settings.poll_timeout_seconds)
        try:
            call = self._find_call(params, deadline)
        except (ServiceConfigError, ClientError) as error:
            _LOG.error("Cannot wait for the host: %s", error)
            return Status.FAILED, {}
        outcome = guard(
            self._session,
            call,
            lambda: watch(self._session, call, _decide(call), deadline=deadline, start=call.seen),
        )
        if outcome.status is not Status.SUCCEEDED:
            _LOG.error("%s", outcome.message)
            return outcome.status, {}
        self._tell(call, outcome.host)
        return outcome.status, to_info(outcome.host, call, datetime.now(UTC))

    def _ask(
        self, params: Mapping[str, Any], operation: HostOperation, ask: Callable[[HostCall], HostCall | None]
    ) -> Result:
        try:
            call = self._recall(params, operation)
            asked = ask(call)
        except (ServiceConfigError, ClientError) as error:
            _LOG.error("%s is not done: %s", operation, error)
            return Status.FAILED, {}
        if asked is None:
            return self._missing(call)
        self._session.records.last[Awaited.POWER] = asked
        outcome = _decide(asked)(asked.seen, asked)
        if outcome is None:
            return Status.PENDING, HostHandle(asked)
        if outcome.status is not Status.SUCCEEDED:
            _LOG.error("%s", outcome.message)
            return outcome.status, {}
        self._tell(asked, outcome.host)
        return outcome.status, HostHandle(asked)

    def _set_power(self, call: HostCall, power: PowerState) -> HostCall | None:
        return self._session.hosts.set_power(call, power, deadline=self._session.call_deadline())

    def _recall(self, params: Mapping[str, Any], operation: HostOperation) -> HostCall:
        session = self._session
        return session.records.recall(session.get_name(params), operation, session.hosts.namespace)

    @staticmethod
    def _missing(call: HostCall) -> Result:
        """Nothing to switch off is success; nothing to switch on is not."""
        if call.operation is HostOperation.STOP:
            return Status.SUCCEEDED, HostHandle(call)
        _LOG.error("%s does not exist: provision it first, with a HostEnv before this environment", call.label)
        return Status.FAILED, {}

    def _find_call(self, params: Mapping[str, Any], deadline: Deadline) -> HostCall:
        """The handle's call, else the last one, else what the object's spec wants."""
        remembered = self._session.find_remembered(params, Awaited.POWER)
        if remembered is not None:
            return remembered
        call = self._session.hosts.find(self._session.get_name(params), HostOperation.START, deadline=deadline)
        is_on = call.seen is None or call.seen.spec.power_state is PowerState.RUNNING
        return call if is_on else replace(call, operation=HostOperation.STOP)

    def _tell(self, call: HostCall, host: BenchHost | None) -> None:
        if call.operation is HostOperation.STOP or host is None:
            _LOG.info("%s is off", call.label)
            return
        _LOG.info("%s is on: %s", call.label, describe_placement(host))
        self._session.history.note_placement(call, host)


def _decide(call: HostCall) -> Decide:
    return decide_stop if call.operation is HostOperation.STOP else decide_power_on
