"""Copy files to and from a host over SSH, by mlos_bench's own ``SshFileShareService``.

Used by ``service`` where its config key ``fileShare`` is true. A failure is raised: LocalFileShareEnv knows no other
sign, and a benchmark must not go on with files of yesterday.
"""

import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchhost.client import ClientError
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.ssh_access import PinnedConnection, RemoteError, SshAccess
from benchhost.mlos.ssh_library import CopyMode, SshFileShareService, asyncssh


class PinnedSshFileShareService(PinnedConnection, SshFileShareService):
    """mlos_bench's copies over SSH, for one host, with the meaning that they have on its Azure file shares.

    Folders on the way are made, and the contents of a folder go into the folder that is named, whether it exists or
    not.
    """

    async def _start_file_copy(
        self, params: dict[str, Any], mode: CopyMode, local_path: str, remote_path: str, recursive: bool = True
    ) -> None:
        connection, _ = await self._get_client_connection(params)
        async with connection.start_sftp_client() as sftp:
            if mode is CopyMode.UPLOAD:
                await _put(sftp, Path(local_path), remote_path, recursive=recursive)
            else:
                await _get(sftp, remote_path, Path(local_path), recursive=recursive)


async def _put(sftp: asyncssh.SFTPClient, source: Path, target: str, *, recursive: bool) -> None:
    inside = _list_folder(source, recursive=recursive)
    if inside is None:
        await sftp.makedirs(posixpath.dirname(target) or ".", exist_ok=True)
        await sftp.put(str(source), target, preserve=True)
        return
    await sftp.makedirs(target, exist_ok=True)
    if inside:
        await sftp.put(inside, target, preserve=True, recurse=recursive)


async def _get(sftp: asyncssh.SFTPClient, source: str, target: Path, *, recursive: bool) -> None:
    if not await sftp.isdir(source):
        _make_folder(target.parent)
        await sftp.get(source, str(target), preserve=True)
        return
    _make_folder(target)
    names = sorted(str(name) for name in await sftp.listdir(source) if name not in {".", ".."})
    paths = [posixpath.join(source, name) for name in names]
    inside = [path for path in paths if recursive or not await sftp.isdir(path)]
    if inside:
        await sftp.get(inside, str(target), preserve=True, recurse=recursive)


def _list_folder(folder: Path, *, recursive: bool) -> list[str] | None:
    """What is copied of a folder; None where it is none."""
    if not folder.is_dir():
        return None
    return [str(path) for path in sorted(folder.iterdir()) if recursive or not path.is_dir()]


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


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
