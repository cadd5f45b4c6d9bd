"""The Lease that says that this program still needs its hosts, renewed in a thread while it has any.

Used by ``session``. When the program dies or hangs for long, nobody renews the Lease, and the controller gives the
hosts back. It must never end the program, and keep nobody from ending it: the thread is a daemon.
"""

import logging
import os
import socket
import threading
import time
import uuid
from typing import Any, Final

from benchhost.client import ClientError, ConnectionSettings, Deadline, LeaseClient, LeaseOwner
from benchhost.mlos.names import to_host_name

_LOG = logging.getLogger(__name__)

_RENEWALS: Final = 4
"""Renewals within one duration, so that three may fail: as the kubelet does (``nodeLeaseRenewIntervalFraction``)."""
_NAME_SPACE: Final = 54
"""Characters of the owner in the Lease's name, so that the whole name is a DNS label."""


class HostHolder:
    """Holds one Lease from the first host until the last one is gone.

    It can be pickled at any time; a copy renews the same Lease once it is used.

    Parameters
    ----------
    connection
        Where the Lease lies.
    owner
        Whose hosts it is for; the Lease's name begins with it.
    duration_seconds
        How long the Lease counts without renewal.
    """

    def __init__(self, connection: ConnectionSettings, owner: str, *, duration_seconds: int) -> None:
        self.lease_name = f"{to_host_name(owner)[:_NAME_SPACE].rstrip('-')}-{uuid.uuid4().hex[:8]}"
        self.duration_seconds = duration_seconds
        self._connection = connection
        self._hosts: dict[str, LeaseOwner] = {}
        self._renewer: _Renewer | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_renewer": None}

    def hold(self, deadline: Deadline) -> None:
        """See to it that the Lease is held from now on; the first time it is written before this returns.

        Raises
        ------
        ClientError
            If it cannot be written: no host must be made that nobody holds.
        """
        if self._renewer is not None and self._renewer.is_current:
            return
        if self._renewer is not None:
            self._renewer.stop()  # its Lease has run out; two threads would renew what one lets go
        self._renewer = _Renewer(self)
        self._renewer.renew(deadline)
        self._renewer.start()

    def add(self, name: str, uid: str) -> None:
        """The Lease exists for this host too.

        It is written down at once, so that the cluster removes the Lease with the host even if this program dies next.
        """
        if uid in self._hosts:
            return
        self._hosts[uid] = LeaseOwner(name, uid)
        if self._renewer is not None:
            self._renewer.wake()

    def remove(self, uid: str) -> None:
        """The host is gone."""
        self._hosts.pop(uid, None)

    def let_go(self, deadline: Deadline) -> None:
        """Nothing is held any more; never raises, since the Lease runs out by itself."""
        if self._renewer is None:
            return
        self._renewer.stop()
        self._renewer = None
        self._hosts.clear()
        try:
            with LeaseClient(self._connection) as client:
                client.release(self.lease_name, deadline=deadline)
        except ClientError as error:
            _LOG.debug("The Lease %s is not deleted and runs out by itself: %s", self.lease_name, error)

    def write(self, client: LeaseClient, deadline: Deadline) -> None:
        """One renewal."""
        client.hold(
            self.lease_name,
            identity=f"{socket.gethostname()}/{os.getpid()}",
            duration_seconds=self.duration_seconds,
            deadline=deadline,
            owners=list(self._hosts.values()),
        )


class _Renewer:
    """The thread, with a connection of its own."""

    def __init__(self, holder: HostHolder) -> None:
        self._holder = holder
        self._interval = holder.duration_seconds / _RENEWALS
        self._client = LeaseClient(holder._connection)  # noqa: SLF001 - its own thread
        self._renewed_at = 0.0
        self._is_troubled = False
        self._stopped = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease {holder.lease_name}", daemon=True)

    @property
    def is_current(self) -> bool:
        """Whether the thread runs (a forked process has none) and the Lease has not run out meanwhile."""
        return self._thread.is_alive() and time.monotonic() < self._renewed_at + self._holder.duration_seconds

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Renew now."""
        self._woken.set()

    def stop(self) -> None:
        """No renewal begins after this."""
        self._stopped = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(self._interval)

    def renew(self, deadline: Deadline) -> None:
        began = time.monotonic()
        self._holder.write(self._client, deadline)
        self._renewed_at = began

    def _run(self) -> None:
        while True:
            self._woken.wait(self._interval)
            self._woken.clear()
            if self._stopped:
                break
            try:
                self.renew(Deadline.after(self._interval))
            except ClientError as error:
                self._tell_trouble(error)
            else:
                self._is_troubled = False
        self._client.close()

    def _tell_trouble(self, error: ClientError) -> None:
        if not self._is_troubled:
            left = max(0.0, self._renewed_at + self._holder.duration_seconds - time.monotonic())
            _LOG.warning(
                "The Lease %s is not renewed (%s); it is tried again, and runs out in %.0f s, after which the "
                "controller gives the hosts back",
                self._holder.lease_name, error, left,
            )  # fmt: skip
        self._is_troubled = True
