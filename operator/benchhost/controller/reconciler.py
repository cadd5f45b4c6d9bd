"""Bring one host into agreement with its spec: look, decide, do at most one slow thing, report, say when to come back.

Called by the workers, one pass at a time for each host. It knows the cloud port and not the adapter, it never waits
for a cloud operation, and it remembers nothing that a restart could not lose (``memory``).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost, InvalidBenchHostError, ObjectMeta
from benchhost.api.status import BenchHostStatus, Operation, OperationType, Phase
from benchhost.cloud.errors import TransientError
from benchhost.controller.api_server import API_SERVER_TROUBLE, one_line
from benchhost.controller.credential_watch import CredentialWatch, look_within, try_now
from benchhost.controller.host_pass import HostPass
from benchhost.controller.hosts import HostChangedError, HostGoneError, Hosts
from benchhost.controller.invalid_objects import may_go, report_invalid
from benchhost.controller.memory import HostMemory, turn_of
from benchhost.controller.pace import next_look
from benchhost.controller.providers import Providers
from benchhost.controller.settings import ControllerSettings
from benchhost.controller.store import HostStore, Key
from benchhost.controller.surroundings import Surroundings
from benchhost.lifecycle import (
    Circumstances,
    Hold,
    Release,
    Remove,
    Settled,
    Wait,
    desired,
    never_reached_cloud,
    next_end,
    overdue_at,
    report,
)
from benchhost.lifecycle.backoff import is_blocking
from benchhost.lifecycle.operation import operation_to_poll

_log = logging.getLogger(__name__)

_API_SERVER_RETRY = timedelta(seconds=2)
"""Until the next pass when the API server refused or could not be reached; the watch reports its return sooner."""

_WORTH_TELLING = timedelta(seconds=10)
"""A host that waits longer for its turn says so; less is not worth a write."""

_NEVER = datetime.max.replace(tzinfo=UTC)

_MISTAKE_RETRY = timedelta(minutes=1)
"""Until the next pass over a host in whose pass our own code failed; an event comes sooner."""


class Reconciler:
    """Runs passes.

    Parameters
    ----------
    store
        The newest objects.
    hosts
        Writes to the API server.
    providers
        Clouds.
    surroundings
        Holders and guests.
    cluster
        Id of this cluster, for owner tags.
    settings
        Intervals.
    on_change
        Called with a host and its new status after that was written.
    clock
        Gives the time in UTC.
    """

    def __init__(
        self,
        store: HostStore,
        hosts: Hosts,
        *,
        providers: Providers,
        surroundings: Surroundings,
        cluster: str,
        settings: ControllerSettings,
        on_change: Callable[[BenchHost, BenchHostStatus], None] = lambda _before, _after: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._hosts = hosts
        self._providers = providers
        self._surroundings = surroundings
        self._cluster = cluster
        self._settings = settings
        self._on_change = on_change
        self._clock = clock
        self._memory = HostMemory(clock)
        self._credentials = CredentialWatch(providers)

    async def reconcile(self, key: Key) -> float | None:
        """One pass; gives the seconds until the next one, or None when only an event can make one necessary."""
        body = self._store.get(key)
        if body is None:
            await self._forget(key)
            return None
        try:
            delay = await self._pass_over(body)
        except HostGoneError:
            self._store.remove(body)  # its DELETED event may have been missed while the watch was down
            await self._forget(key)
            return None
        except HostChangedError:
            delay = timedelta(0) if self._store.get(key) is not body else _API_SERVER_RETRY
        except API_SERVER_TROUBLE as error:
            _log.warning("%s/%s: the API server did not take a request: %s", *key, one_line(error))
            delay = _API_SERVER_RETRY
        except Exception:  # noqa: BLE001 - a mistake of ours in one host's pass must not take the others down
            _log.exception("%s/%s: internal error, tried again in %s", *key, _MISTAKE_RETRY)
            delay = _MISTAKE_RETRY
        return None if delay is None else delay.total_seconds()

    async def _pass_over(self, body: Mapping[str, Any]) -> timedelta | None:
        try:
            return await self._pass(BenchHost.from_dict(body))
        except InvalidBenchHostError as error:
            if may_go(body):
                await self._release(ObjectMeta.model_validate(body["metadata"]))
            else:
                await report_invalid(self._hosts, body, str(error), now=self._clock())
            return None

    async def _pass(self, host: BenchHost) -> timedelta | None:
        if host.is_deleting and not host.has_finalizer:
            return None
        if host.is_deleting and never_reached_cloud(host.status):
            await self._release(host.metadata)
            return None
        if not host.has_finalizer and not never_reached_cloud(host.status):
            await self._hosts.add_finalizer(host)  # somebody has taken it off
            host = self._hosts.newest(host)
        circumstances = await self._surroundings.gather(host)
        waiting = self._too_early(host, circumstances)
        if waiting is not None:
            if not await self._credentials.is_mended(host):
                return look_within(host, waiting)
            host = try_now(host, self._clock())
        run = HostPass(
            host,
            self._hosts,
            self._providers,
            cluster=self._cluster,
            clock=self._clock,
            circumstances=circumstances,
            changed_at=self._memory.changed_at(host.key),
            ended=self._memory.end_of(host.key, host.status.operation),
            on_change=self._on_change,
        )
        await self._run(run)
        self._memory.note_change(host.key, run.changed_at)
        self._memory.note_end(host.key, host.status.operation, run.ended)
        if isinstance(run.outcome.action, Release) and run.outcome.error is None:
            await self._release(run.host.metadata)
            return None
        delay = await self._report(run)
        if isinstance(run.outcome.action, Remove):
            _log.info("%s/%s: deleted: %s", *host.key, run.outcome.action.message)
            await self._hosts.delete(self._hosts.newest(run.host))
        return delay

    async def _run(self, run: HostPass) -> None:
        try:
            await run.run()
        except (HostGoneError, HostChangedError, *API_SERVER_TROUBLE):
            raise
        except Exception:  # noqa: BLE001 - our own mistake is told on the object, like any failure
            _log.exception("%s/%s: internal error", *run.host.key)
            run.fail(
                TransientError(
                    "The controller met an internal error in this host's pass; its log has the details. "
                    "Please report it.",
                    reason=Reason.INTERNAL_ERROR,
                )
            )

    def _too_early(self, host: BenchHost, circumstances: Circumstances) -> timedelta | None:
        """How long the host wants to be left alone, by its backoff or by the cloud's wish; None when a pass is due."""
        now = self._clock()
        moments = [self._backoff_until(host, circumstances, now), self._memory.waits_until(host.key, turn_of(host))]
        operation = operation_to_poll(host)
        if operation is not None:
            moments.append(self._memory.waits_until(host.key, operation.poll_url))
        due = max((moment for moment in moments if moment is not None), default=None)
        if due is None:
            return None
        end = next_end(host, circumstances, now=now)
        return (due if end is None else min(due, end)) - now

    def _backoff_until(self, host: BenchHost, circumstances: Circumstances, now: datetime) -> datetime | None:
        """Until when a failure holds the host back; a host whose time is over is only held back by what ends it."""
        failure, generation = host.status.failure, host.metadata.generation
        ended = desired(host, circumstances, now=now).ended is not None
        kind = OperationType.DEALLOCATE if ended else None
        if failure is None or not is_blocking(failure, generation=generation, now=now, operation=kind):
            return None
        return failure.next_attempt_at

    async def _release(self, meta: ObjectMeta) -> None:
        await self._hosts.remove_finalizer(meta)
        await self._forget((meta.namespace, meta.name))
        _log.info("%s/%s: nothing is left in the cloud; released", meta.namespace, meta.name)

    async def _report(self, run: HostPass) -> timedelta:
        now = self._clock()
        if run.deferred is not None:
            self._memory.wait_until(run.host.key, now + run.deferred.retry_after, turn_of(run.host))
            if run.deferred.retry_after < _WORTH_TELLING and not run.outcome.finished:
                return run.deferred.retry_after
        status = report(run.host, run.outcome, now=now)
        if status.to_dict() != run.host.status.to_dict():
            _log_change(run.host, status.phase, run)
            await self._hosts.write_status(run.host, status)
            self._on_change(run.host, status)
        host = run.host.model_copy(update={"status": status})
        self._surroundings.follow(host)
        self._credentials.note(host)
        due = min([self._due(run, host, now), *self._appointments(host, run.outcome.circumstances, now)])
        return max(due - now, timedelta(0))

    async def _forget(self, key: Key) -> None:
        """The host is gone: nothing of it is needed any more."""
        self._memory.forget(key)
        self._surroundings.forget(key)
        self._credentials.forget(key)
        await self._providers.release(key)

    def _due(self, run: HostPass, host: BenchHost, now: datetime) -> datetime:
        """When the host wants to be looked at again, because of what this pass found."""
        failure, operation = host.status.failure, host.status.operation
        if operation is None or operation.poll_url is None:
            self._memory.note_rest(host.key)
        if run.outcome.error is not None and failure is not None:
            due = failure.next_attempt_at
            return now + (look_within(host, due - now) if due is not None else self._resync(host))
        if operation is not None and operation.poll_url is not None:
            due = now + self._next_look(run, operation, operation.poll_url, now)
            self._memory.wait_until(host.key, due, operation.poll_url)
            return due
        action = run.outcome.action
        if isinstance(action, Settled | Hold):
            return min(action.wake_at or _NEVER, now + self._resync(host))
        is_brief = isinstance(action, Wait) and action.is_brief
        interval = self._settings.brief_interval if is_brief else self._settings.poll_interval
        return now + (run.retry_after or interval)

    def _next_look(self, run: HostPass, operation: Operation, poll_url: str, now: datetime) -> timedelta:
        looks = self._memory.note_look(run.host.key, poll_url)
        return next_look(
            self._settings.poll_interval,
            wish=run.retry_after,
            looks=looks,
            elapsed=max(now - operation.started_at, timedelta(0)),
            took=max(now - run.began, timedelta(0)),
            under_way=self._memory.under_way,
        )

    def _appointments(self, host: BenchHost, circumstances: Circumstances, now: datetime) -> Iterator[datetime]:
        """Moments at which something about the host changes by itself."""
        for moment in (next_end(host, circumstances, now=now), overdue_at(host, host.status)):
            if moment is not None and moment > now:
                yield moment

    def _resync(self, host: BenchHost) -> timedelta:
        """The resync interval, shortened by up to a tenth by the uid, so that hosts do not come all at once."""
        share = int(host.metadata.uid[:4], 16) / 0xFFFF if host.metadata.uid else 0.0
        interval = self._settings.resync_interval
        if host.spec.azure.spot is not None:
            interval = min(interval, self._settings.spot_resync_interval)
        return interval * (1 - 0.1 * share)


def _log_change(host: BenchHost, phase: Phase | None, run: HostPass) -> None:
    """One line a change: what it is now, and why if it is bad."""
    error = run.outcome.error
    if error is not None:
        _log.warning("%s/%s: %s: %s", *host.key, phase, error)
    elif run.outcome.finished or phase != host.status.phase:
        _log.info("%s/%s: %s", *host.key, phase)
