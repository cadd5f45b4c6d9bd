"""The disk of a guest: a folder that outlives its boots, with a home, a host key, and the programs that stand for init.

Used by `guest`. What is on it belongs to the user of the emulator; it is a folder, and no boundary.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from benchhost.emulator.guests.programs import PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

_FOLDERS = ("etc/ssh", "root", "run", "tmp", "usr/local/bin", "var/lib/cloud/instance/scripts", "var/log")
_OUTPUT_LOG = "var/log/cloud-init-output.log"
_INSTANCE = "var/lib/cloud/instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who may log in, as the machine's ``osProfile`` says.

    Parameters
    ----------
    user
        ``adminUsername``.
    keys
        Public keys in OpenSSH's format.
    """

    user: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk, made or not.

    Parameters
    ----------
    folder
        Where it is; its name is that of the disk.
    """

    folder: Path

    @property
    def root(self) -> Path:
        """What the guest has as its ``/``."""
        return self.folder / "root"

    @property
    def output_log(self) -> Path:
        """Where cloud-init writes what it runs says."""
        return self.root / _OUTPUT_LOG

    @property
    def instance(self) -> Path:
        """Where cloud-init keeps what it has done."""
        return self.root / _INSTANCE

    def home(self, user: str) -> Path:
        """Return the home folder of a user."""
        return self.root / "home" / _file_name(user)

    def make(self, account: Account, hostname: str) -> None:
        """Make what is missing of it; what is there stays as it is.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        keys = self.home(account.user) / ".ssh" / "authorized_keys"
        if not keys.exists():
            keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            keys.write_text("".join(f"{key}\n" for key in account.keys), encoding="utf-8")
        (self.root / "etc/hostname").write_text(f"{hostname}\n", encoding="utf-8")
        for name, text in PROGRAMS.items():
            path = self.root / "usr/local/bin" / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)
        if not self._key_file.exists():
            self._make_host_key(hostname)

    def host_key(self) -> asyncssh.SSHKey:
        """Return the private host key.

        Raises
        ------
        asyncssh.KeyImportError, OSError
            When it cannot be read.
        """
        return asyncssh.read_private_key(self._key_file)

    def public_host_key(self) -> str:
        """Return the line of the public host key, ``ssh-ed25519 AAAA... root@host``."""
        return self._key_file.with_suffix(".pub").read_text(encoding="utf-8").strip()

    def environment(self, user: str, hostname: str) -> dict[str, str]:
        """Return the variables of every command: the emulator's PATH, and else nothing of it."""
        own = self.root / "usr/local/bin"
        path = (str(own), os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath))  # noqa: PTH120
        return {
            "HOME": str(self.home(user)),
            "USER": user,
            "LOGNAME": user,
            "SHELL": "/bin/bash",
            "PATH": os.pathsep.join(path),
            "TMPDIR": str(self.root / "tmp"),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "HOSTNAME": hostname,
            "BENCHHOST_GUEST": str(self.root),
        }

    @property
    def _key_file(self) -> Path:
        return self.root / "etc/ssh/ssh_host_ed25519_key"

    def _make_host_key(self, hostname: str) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519", comment=f"root@{hostname}")
        public = self._key_file.with_suffix(".pub")
        public.write_bytes(key.export_public_key())
        # The private key comes last: where it is, the public one is too.
        temporary = self._key_file.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.export_private_key())
        temporary.replace(self._key_file)


def _file_name(user: str) -> str:
    """Return a user's name as that of a file: Azure's rules for names are not checked by everybody who writes one."""
    return re.sub(r"[^A-Za-z0-9._-]|^\.+", "_", user) or "_"
