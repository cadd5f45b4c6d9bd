"""Copy files to and from a host over SSH, by mlos_bench's own ``SshFileShareService``.

Used by ``service`` where its config key ``fileShare`` is true. A failure is raised: LocalFileShareEnv knows no other
sign, and a benchmark must not go on with files of yesterday.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchhost.client import ClientError
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.ssh_access import PinnedConnection, RemoteError, SshAccess
from benchhost.mlos.ssh_library import SshFileShareService, asyncssh


class PinnedSshFileShareService(PinnedConnection, SshFileShareService):
    """mlos_bench's copies over SSH, for one host."""


class FileCopyError(RuntimeError):
    """One sentence on what was not copied, and why."""


_FAILURES: Final = (OSError, asyncssh.Error, RemoteError, ServiceConfigError, ClientError)


class HostFiles:
    """Files of one service's hosts.

    Parameters
    ----------
    access
        Logins to the hosts.
    """

    def __init__(self, access: SshAccess) -> None:
        self._access = access

    def upload(self, params: Mapping[str, Any], local_path: str, remote_path: str, *, recursive: bool) -> None:
        """Copy to the host; see ``BenchHostService.upload``."""
        self._copy("upload", params, local_path, remote_path, recursive=recursive)

    def download(self, params: Mapping[str, Any], remote_path: str, local_path: str, *, recursive: bool) -> None:
        """Copy from the host; see ``BenchHostService.download``."""
        self._copy("download", params, remote_path, local_path, recursive=recursive)

    def _copy(self, kind: str, params: Mapping[str, Any], source: str, target: str, *, recursive: bool) -> None:
        login = None
        try:
            login = self._access.find(params)
            with PinnedSshFileShareService(login) as share:
                getattr(share, kind)({}, source, target, recursive)
        except FileNotFoundError as error:
            # LocalFileShareEnv takes this very type for a file that may be missing.
            raise FileNotFoundError(error.errno, f"there is no such file to {kind}", source) from error
        except _FAILURES as error:
            is_lost = login is not None and isinstance(error, ConnectionError | asyncssh.DisconnectError)
            why = self._access.explain(login.target, error) if is_lost and login is not None else error
            raise FileCopyError(f"{source} is not copied to {target} ({kind}): {why}") from error
