"""Watch a host until a call on it has come to an end, and tell of it meanwhile.

Used by ``provisioner`` and ``power``. It never raises: whatever ends the wait is an ``Outcome``.
"""

from collections.abc import Callable
from dataclasses import replace

from mlos_bench.environments.status import Status

from benchhost.api import BenchHost
from benchhost.client import ClientError, Deadline, WaitTimeoutError
from benchhost.mlos.calls import HostCall
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.outcome import Outcome, describe_state
from benchhost.mlos.progress import Progress
from benchhost.mlos.session import Session

Decide = Callable[[BenchHost | None, HostCall], Outcome | None]


def watch(session: Session, call: HostCall, decide: Decide, *, deadline: Deadline, start: BenchHost | None) -> Outcome:
    """Watch until ``decide`` says something.

    Parameters
    ----------
    session
        Whose host.
    call
        The call that is waited for.
    decide
        Pure; told the object after each change.
    deadline
        Time limit.
    start
        The object as the call left it; None: it is looked up.

    Raises
    ------
    ClientError
        If the time limit passes, or the API server refuses for good.
    """
    seen = [start] if start else []
    progress = Progress(call, session.history)

    def look(host: BenchHost | None) -> Outcome | None:
        progress.saw(host)
        if host is not None and host.metadata.uid == call.uid:
            seen[:] = [host]
            session.history.note_operations(host)
        return decide(host, replace(call, seen=seen[0] if seen else None))

    with progress.shown():
        return session.hosts.wait_for(call.name, look, deadline=deadline, start=start)


def guard(session: Session, call: HostCall, wait: Callable[[], Outcome]) -> Outcome:
    """What the wait came to; TIMED_OUT or FAILED instead of an error."""
    try:
        return wait()
    except WaitTimeoutError as error:
        limit = f"{session.settings.poll_timeout_seconds:g} s"
        message = f"{call.label} did not come to its {call.operation} within {limit} (pollTimeout)"
        why = error if error.last is None else describe_state(error.last)
        return Outcome(Status.TIMED_OUT, f"{message}: {why}", error.last)
    except (ClientError, ServiceConfigError) as error:
        return Outcome(Status.FAILED, f"{call.label}: {error}")
