"""Which power state is wanted now: what the spec says, unless the host's time is over or its holder is lost. Pure.

Called by ``decide`` and by ``report``, so that what is done and what is said rest on the same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.model import parse_duration, to_timestamp
from benchhost.api.spec import EndAction, PowerState
from benchhost.lifecycle.circumstances import Circumstances


@dataclass(frozen=True, slots=True)
class Desired:
    """What is wanted now."""

    power: PowerState
    ended: Reason | None = None
    """Why the host is not to run though the spec may say so: Expired or HolderLost."""
    message: str = ""
    """The same in a sentence that says what to do."""
    remove: bool = False
    """The BenchHost itself is to be deleted."""


@dataclass(frozen=True, slots=True)
class _End:
    """A moment at which the host ends."""

    at: datetime
    reason: Reason
    action: EndAction
    message: str


def desired(host: BenchHost, circumstances: Circumstances, *, now: datetime) -> Desired:
    """What is wanted at this moment. The first end that has come decides."""
    over = sorted((end for end in _ends(host, circumstances, now) if end.at <= now), key=lambda end: end.at)
    if not over:
        return Desired(host.spec.power_state)
    end = over[0]
    return Desired(PowerState.DEALLOCATED, end.reason, end.message, remove=end.action is EndAction.DELETE)


def next_end(host: BenchHost, circumstances: Circumstances, *, now: datetime) -> datetime | None:
    """The next moment at which the host may end, or None."""
    return min((end.at for end in _ends(host, circumstances, now) if end.at > now), default=None)


def holder_gone_at(host: BenchHost, circumstances: Circumstances, *, now: datetime) -> datetime | None:
    """Since when nobody holds the Lease that ``spec.holder`` names; None while somebody does, and without a holder.

    A Lease tells until when it was held, as long as it is there. One that is gone, or that nobody has taken, tells
    nothing: then it is what status knows already, or this moment, so that the grace period is never cut short.
    """
    state, known = circumstances.holder, host.status.holder_gone_at
    if host.spec.holder is None:
        return None
    if state is None:
        return known
    if state.expires_at is None:
        return known or now
    return state.expires_at if state.expires_at <= now else None


def _ends(host: BenchHost, circumstances: Circumstances, now: datetime) -> Iterator[_End]:
    expiry = _expires_at(host)
    if expiry is not None:
        yield _End(
            expiry,
            Reason.EXPIRED,
            host.spec.expiry_action,
            f"The host's time ended at {to_timestamp(expiry)} (spec.expiresAt or spec.lifetime); "
            "set a later one to have it back.",
        )
    lost = _holder_lost_at(host, circumstances, now)
    if lost is not None and host.spec.holder is not None:
        name = host.spec.holder.lease_name
        yield _End(
            lost,
            Reason.HOLDER_LOST,
            host.spec.holder.on_lost,
            f"Lease {host.metadata.namespace}/{name}, which spec.holder names, has not been renewed in time; "
            "renew it, or remove spec.holder, to have the host back.",
        )


def _expires_at(host: BenchHost) -> datetime | None:
    """The earlier one of ``spec.expiresAt`` and of ``spec.lifetime`` after creation, or None."""
    spec, created = host.spec, host.metadata.creation_timestamp
    moments = [spec.expires_at] if spec.expires_at is not None else []
    if spec.lifetime is not None and created is not None:
        moments.append(created + parse_duration(spec.lifetime))
    return min(moments, default=None)


def _holder_lost_at(host: BenchHost, circumstances: Circumstances, now: datetime) -> datetime | None:
    """When the holder counts as lost, as far as its Lease tells now; None without a holder or without an answer."""
    holder, state = host.spec.holder, circumstances.holder
    if holder is None or state is None:
        return None
    since = holder_gone_at(host, circumstances, now=now) or state.expires_at
    return None if since is None else since + timedelta(seconds=holder.grace_period_seconds)
