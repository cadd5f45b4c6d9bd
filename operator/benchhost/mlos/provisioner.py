"""The life of an experiment's hosts: provision, wait, deallocate, deprovision, release what failed.

Used by ``service``, which is its mlos_bench side. Keeps the record of every host that it asked for, so that hosts
under several names are all given back. Never raises once a host exists, and deletes no host of another owner.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mlos_bench.environments.status import Status

from benchhost.client import ClientError, ConflictError, Deadline, ForbiddenError, RefusedError
from benchhost.mlos.calls import Awaited, HostCall, HostHandle, HostOperation
from benchhost.mlos.following import guard, watch
from benchhost.mlos.hosts import Hosts, NotOwnedError
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.outcome import (
    Outcome,
    Result,
    decide_deallocation,
    decide_deletion,
    decide_setup,
    describe_placement,
    to_info,
)
from benchhost.mlos.releasing import conclude_at_exit, release_host
from benchhost.mlos.session import Session
from benchhost.mlos.settings import PlacementPolicy
from benchhost.mlos.troubles import IS_LEFT

_LOG = logging.getLogger(__name__)


class Provisioner:
    """The hosts of one service instance.

    Parameters
    ----------
    session
        The service's state.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._settings = session.settings
        self._records = session.records
        self._is_torn_down = False

    def provision(self, params: Mapping[str, Any]) -> Result:
        """Create or update the host; see ``BenchHostService.provision_host``."""
        self._is_torn_down = False
        name: str | None = None
        try:
            name = self._session.get_name(params)
            return self._provision(self._plan(name, params))
        except (ServiceConfigError, ClientError) as error:
            return self._to_refusal(name, error)

    def wait(self, params: Mapping[str, Any], *, is_setup: bool) -> Result:
        """Wait for a pending call to end; see ``BenchHostService.wait_host_deployment``."""
        deadline = Deadline.after(self._settings.poll_timeout_seconds)
        try:
            call = self._find_call(params, is_setup=is_setup, deadline=deadline)
        except (ServiceConfigError, ClientError) as error:
            _LOG.error("Cannot wait for the host: %s", error)
            return Status.FAILED, {}
        if is_setup:
            return self._wait_setup(call, deadline)
        return self._wait_teardown(call, deadline)

    def deallocate(self, params: Mapping[str, Any]) -> Result:
        """Give the hardware back; see ``BenchHostService.deallocate_host``."""
        try:
            call = self._records.recall(self._session.get_name(params), HostOperation.DEALLOCATE, self._hosts.namespace)
            asked = self._hosts.deallocate(call, deadline=self._session.call_deadline())
        except (ServiceConfigError, ClientError) as error:
            _LOG.error("The host is not deallocated: %s", error)
            return Status.FAILED, {}
        self._records.last[Awaited.TEARDOWN] = asked or call
        if asked is None or decide_deallocation(asked.seen, asked) is not None:
            return Status.SUCCEEDED, HostHandle(asked or call)
        return Status.PENDING, HostHandle(asked)

    def deprovision(self, params: Mapping[str, Any]) -> Result:
        """Delete the host and those of earlier trials; see ``BenchHostService.deprovision_host``."""
        self._is_torn_down = True
        try:
            call = self._records.recall(
                self._session.get_name(params), HostOperation.DEPROVISION, self._hosts.namespace
            )
        except (ServiceConfigError, ClientError) as error:
            _LOG.error("The host is not deleted: %s", error, extra=IS_LEFT)
            return Status.FAILED, {}
        if call.name in self._records.kept:
            _LOG.warning("%s stays, as 'onSetupFailure' says; %s", call.label, call.remedy)
            main, is_deleted = None, True
        else:
            main, is_deleted = self._delete(call)
        others = [self._delete(other)[0] for other in self._records.get_stale(call)]
        pending = [asked for asked in (main, *others) if asked is not None]
        if not is_deleted:
            return Status.FAILED, {}
        if not pending:
            return Status.SUCCEEDED, HostHandle(call)
        asked = replace(pending[0], others=tuple(pending[1:]))
        self._records.last[Awaited.TEARDOWN] = asked
        return Status.PENDING, HostHandle(asked)

    def remove_leftovers(self) -> None:
        """After a teardown: delete hosts under names that no deprovision_host call named, and wait until they go."""
        if not self._is_torn_down or not self._records.made:
            return
        made = [call for call in self._records.made.values() if call.name not in self._records.kept]
        asked = [self._delete(replace(call, operation=HostOperation.DEPROVISION))[0] for call in made]
        deadline = Deadline.after(self._settings.poll_timeout_seconds)
        for call in filter(None, asked):
            self._wait_teardown(call, deadline)

    @property
    def _hosts(self) -> Hosts:
        return self._session.hosts

    def _plan(self, name: str, params: Mapping[str, Any]) -> HostCall:
        trial = params.get("trial_id")
        return HostCall(
            operation=HostOperation.PROVISION,
            namespace=self._hosts.namespace,
            name=name,
            uid=None,
            started=datetime.now(UTC),
            manifest=self._session.build_manifest(params),
            trial=None if trial is None else str(trial),
        )

    def _provision(self, call: HostCall) -> Result:
        settings = self._settings
        is_new_place_wanted = settings.placement_policy is PlacementPolicy.NEW_PER_TRIAL and self._records.is_full(
            call, settings.trials_per_placement
        )
        # Recorded before the request: its answer may be lost.
        self._records.made.setdefault(call.name, call)
        conclude_at_exit(self._session)
        limit = self._session.call_deadline()
        self._session.take_lease(limit)
        is_doubted = call.name in self._records.doubted
        call = self._hosts.provision(
            call, is_new_place_wanted=is_new_place_wanted, is_doubted=is_doubted, deadline=limit
        )
        self._session.hold(call)
        self._records.place(call)
        self._records.made[call.name] = self._records.last[Awaited.SETUP] = call
        outcome = None if call.predecessor else decide_setup(call.seen, call)
        if outcome is None:
            return Status.PENDING, HostHandle(call)
        self._conclude_setup(call, outcome)
        return outcome.status, HostHandle(call)

    def _to_refusal(self, name: str | None, error: ServiceConfigError | ClientError) -> Result:
        """FAILED for this trial; but while no host exists, what no trial can survive is raised."""
        made = self._records.made.get(name or "")
        if made is not None and made.uid is None and not getattr(error, "is_transient", False):
            self._records.made.pop(made.name)
        is_about_trial = isinstance(error, RefusedError | NotOwnedError | ConflictError)
        is_about_trial = is_about_trial and not isinstance(error, ForbiddenError)
        if not is_about_trial and all(call.uid is None for call in self._records.made.values()):
            raise error
        _LOG.error("The host is not provisioned: %s", error)
        if made is not None and made.uid is not None and not isinstance(error, NotOwnedError):
            release_host(self._session, made)
        return Status.FAILED, {}

    def _wait_setup(self, call: HostCall, deadline: Deadline) -> Result:
        outcome = guard(self._session, call, lambda: self._follow_setup(call, deadline))
        call = self._records.made.get(call.name, call)
        self._conclude_setup(call, outcome)
        if outcome.status is not Status.SUCCEEDED:
            return outcome.status, {}
        return outcome.status, to_info(outcome.host, call, datetime.now(UTC))

    def _follow_setup(self, call: HostCall, deadline: Deadline) -> Outcome:
        while call.predecessor is not None:
            gone = replace(call, uid=call.predecessor.metadata.uid)
            watch(self._session, gone, decide_deletion, deadline=deadline, start=call.predecessor)
            call = self._hosts.provision(call, deadline=deadline)
            self._session.hold(call)
            self._records.made[call.name] = call
        return watch(self._session, call, decide_setup, deadline=deadline, start=call.seen)

    def _wait_teardown(self, call: HostCall, deadline: Deadline) -> Result:
        outcomes = [self._follow_teardown(each, deadline) for each in (call, *call.others)]
        worst = next((outcome for outcome in outcomes if outcome.status is not Status.SUCCEEDED), outcomes[0])
        if worst.status is not Status.SUCCEEDED:
            return worst.status, {}
        return worst.status, to_info(outcomes[0].host, call, datetime.now(UTC))

    def _follow_teardown(self, call: HostCall, deadline: Deadline) -> Outcome:
        is_deallocation = call.operation is HostOperation.DEALLOCATE
        decide = decide_deallocation if is_deallocation else decide_deletion
        wait = lambda: watch(self._session, call, decide, deadline=deadline, start=call.seen)  # noqa: E731 - one call
        outcome = guard(self._session, call, wait)
        if outcome.status is not Status.SUCCEEDED:
            _LOG.error("%s; %s", outcome.message, call.remedy, extra=IS_LEFT)
        elif not is_deallocation:
            _LOG.info("%s is gone", call.label)
            self._session.forget(call)
        return outcome

    def _conclude_setup(self, call: HostCall, outcome: Outcome) -> None:
        if outcome.status is Status.SUCCEEDED and outcome.host is not None:
            trial = f"Trial {call.trial}" if call.trial else "The trial"
            _LOG.info("%s runs on %s", trial, describe_placement(outcome.host))
            self._records.doubted.discard(call.name)
            self._session.history.note_operations(outcome.host)
            self._session.history.note_placement(call, outcome.host)
            self._records.kept.discard(call.name)
            return
        _LOG.error("%s", outcome.message)
        release_host(self._session, call)

    def _delete(self, call: HostCall) -> tuple[HostCall | None, bool]:
        """The call to wait for (None: gone), and whether the API server agreed."""
        try:
            asked = self._hosts.delete(call, deadline=self._session.call_deadline())
        except ClientError as error:
            _LOG.error("The host is not deleted: %s; %s", error, call.remedy, extra=IS_LEFT)
            return None, False
        if asked is None:
            self._session.forget(call)
        return asked, True

    def _find_call(self, params: Mapping[str, Any], *, is_setup: bool, deadline: Deadline) -> HostCall:
        """The call to wait for: the handle's, else the last one, else whatever has the environment's name."""
        remembered = self._session.find_remembered(params, Awaited.SETUP if is_setup else Awaited.TEARDOWN)
        if remembered is not None:
            return remembered
        name = self._session.get_name(params)
        operation = HostOperation.PROVISION if is_setup else HostOperation.DEPROVISION
        return self._hosts.find(name, operation, deadline=deadline)
