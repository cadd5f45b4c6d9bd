"""Give hosts back when nobody else will: after a failed set-up, after an exception, and when the program ends.

Used by ``provisioner``, ``service`` and ``launcher``. It never raises, and touches only hosts that this program asked
for.

A program that ends in order has either deleted its hosts or was told to leave them (``--no-teardown``). Those are let
go: nobody renews their Lease any more, so ``spec.holder`` is taken away, and the controller keeps them. One that ends
with an error gives them back as ``onSetupFailure`` says. One that is killed does neither, and its Lease runs out.
"""

import atexit
import logging
import sys

from benchhost.api import PowerState
from benchhost.client import ClientError
from benchhost.mlos.calls import HostCall
from benchhost.mlos.session import Session
from benchhost.mlos.settings import OnSetupFailure
from benchhost.mlos.troubles import IS_LEFT

_LOG = logging.getLogger(__name__)

_sessions: list[Session] = []
"""Sessions of this process that may have hosts; a copy that was unpickled elsewhere concludes nothing for them."""


def release_host(session: Session, call: HostCall) -> None:
    """Carry out ``onSetupFailure``."""
    policy = session.settings.on_setup_failure
    limit = session.call_deadline()
    try:
        hosts = session.hosts
        if policy is OnSetupFailure.KEEP:
            hosts.let_go(call, deadline=limit)
            session.records.kept.add(call.name)
            _LOG.warning("%s is kept (onSetupFailure Keep); %s", call.label, call.remedy)
            return
        if policy is OnSetupFailure.DEALLOCATE:
            asked = hosts.set_power(call, PowerState.DEALLOCATED, deadline=limit, more={"holder": None})
            session.records.kept.add(call.name)
        else:
            asked = hosts.delete(call, deadline=limit)
        if asked is not None:
            _LOG.warning("Asked to %s %s (onSetupFailure)", policy.lower(), call.label)
    except ClientError as error:
        _LOG.error("%s is not released: %s; %s", call.label, error, call.remedy, extra=IS_LEFT)


def release_all(session: Session) -> None:
    """After an exception: every host of this service."""
    for call in list(session.records.made.values()):
        release_host(session, call)
    session.records.made.clear()
    session.let_go()


def let_go_all(session: Session) -> None:
    """The program ends in order and leaves hosts behind, because it was told to."""
    for call in list(session.records.made.values()):
        try:
            host = session.hosts.let_go(call, deadline=session.call_deadline())
        except ClientError as error:
            what = "is left behind, and is given back when its Lease runs out"
            _LOG.error("%s %s: %s; %s", call.label, what, error, call.remedy, extra=IS_LEFT)
            return
        if host is not None:
            power = host.status.power_state or "not running"
            _LOG.warning("%s is left behind (%s), and nobody holds it any more; %s", call.label, power, call.remedy)
    session.records.made.clear()
    session.let_go()


def conclude_at_exit(session: Session) -> None:
    """When this program ends, conclude the hosts of this session."""
    if session in _sessions:
        return
    if not _sessions:
        atexit.register(conclude)
    _sessions.append(session)


def conclude(*, is_failure: bool | None = None) -> None:
    """The program ends.

    Parameters
    ----------
    is_failure
        Whether it ends with an error; None: as the interpreter knows.
    """
    failed = _has_failed() if is_failure is None else is_failure
    while _sessions:
        session = _sessions.pop()
        (release_all if failed else let_go_all)(session)
        session.close()


def _has_failed() -> bool:
    """Whether the interpreter has shown a traceback; RuntimeWarning is how mlos_bench says that trials failed."""
    kind = getattr(sys, "last_type", None)
    return kind is not None and not issubclass(kind, RuntimeWarning)
