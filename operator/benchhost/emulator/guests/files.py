"""SFTP and scp in a guest: paths begin at the home of its user, and whole paths are those that its commands see.

Made by `session` for every SFTP subsystem and scp command.
"""

from __future__ import annotations

import os

import asyncssh


class GuestFiles(asyncssh.SFTPServer):
    """The files of a guest.

    Parameters
    ----------
    channel
        Who asks.
    home
        Where relative paths begin.
    """

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: bytes) -> None:
        super().__init__(channel)
        self._home = home

    def exit(self) -> None:
        """End the session as sshd does, with a status: scp takes a missing one for a failure."""
        self.channel.exit(0)

    def map_path(self, path: bytes) -> bytes:
        """Return the path on this machine."""
        return os.path.join(self._home, path)  # noqa: PTH118 - asyncssh's paths are bytes
