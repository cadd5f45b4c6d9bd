"""``BenchHostService``: mlos_bench's host services on top of BenchHosts.

mlos_bench makes it from a service config with the class ``benchhost.mlos.BenchHostService``, and its environments call
it. It is the mlos_bench side of ``provisioner``, ``power`` and ``remote``, and holds no logic of its own.
"""

import logging
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Literal

from mlos_bench.services.base_service import Service
from mlos_bench.services.types.config_loader_type import SupportsConfigLoading
from mlos_bench.services.types.host_ops_type import SupportsHostOps
from mlos_bench.services.types.host_provisioner_type import SupportsHostProvisioning
from mlos_bench.services.types.os_ops_type import SupportsOSOps
from mlos_bench.services.types.remote_exec_type import SupportsRemoteExec

from benchhost.mlos.files import HostFiles
from benchhost.mlos.outcome import Result
from benchhost.mlos.power import HostPower
from benchhost.mlos.provisioner import Provisioner
from benchhost.mlos.registration import register_schema
from benchhost.mlos.releasing import release_all
from benchhost.mlos.remote import RemoteCommands
from benchhost.mlos.session import Session
from benchhost.mlos.settings import ServiceSettings
from benchhost.mlos.ssh_access import SshAccess

_LOG = logging.getLogger(__name__)

register_schema()


class BenchHostService(Service, SupportsHostProvisioning, SupportsHostOps, SupportsOSOps, SupportsRemoteExec):
    """Provisions hosts for mlos_bench environments as BenchHost objects in a Kubernetes cluster, and works on them.

    It has every method of mlos_bench's AzureVMService, so an environment tree for that one works with this one.

    Construction reads the configuration and nothing else; the cluster is first asked when a host is. The service can
    be pickled, works with and without a context, and survives any number of context enters and exits.

    Parameters
    ----------
    config
        The service's ``config``; see the JSON schema beside this module for the keys. mlos_bench replaces a key by the
        global of the same name only where the key is present, so list the keys that globals shall set.
    global_config
        mlos_bench's globals: values for ``$variables`` and ``parameters``.
    parent
        The service that this one is mixed into.
    methods
        Methods that take precedence over this class's.

    Raises
    ------
    ServiceConfigError
        If a key is unknown or wrong, or the template names a field that a BenchHost does not have.
    """

    def __init__(
        self,
        config: dict[str, Any] | None = None,
        global_config: dict[str, Any] | None = None,
        parent: Service | None = None,
        methods: dict[str, Callable[..., Any]] | list[Callable[..., Any]] | None = None,
    ) -> None:
        own: list[Callable[..., Any]] = [
            self.provision_host,
            self.deprovision_host,
            self.deallocate_host,
            self.wait_host_deployment,
            self.start_host,
            self.stop_host,
            self.restart_host,
            self.wait_host_operation,
            self.shutdown,
            self.reboot,
            self.wait_os_operation,
            self.remote_exec,
            self.get_remote_exec_results,
        ]
        if (config or {}).get("fileShare"):
            own += [self.upload, self.download]
        super().__init__(config, global_config, parent, self.merge_methods(methods, own))
        settings = ServiceSettings.from_config(self.config, global_config or {}, self._resolve_path)
        self._session = Session(settings, global_config or {})
        self._provisioner = Provisioner(self._session)
        self._power = HostPower(self._session)
        access = SshAccess(self._session)
        self._remote = RemoteCommands(access)
        self._files = HostFiles(access)

    def provision_host(self, params: dict[str, Any]) -> Result:
        """Create the host, or change what differs from an earlier trial, and power it on.

        Parameters
        ----------
        params
            The environment's parameters; not modified.

        Returns
        -------
        SUCCEEDED if the host is ready with this very spec; PENDING if it is on its way, or another object of its name
        is still going away; FAILED, with the reason logged, if the API server or the host's owner says no. The
        dictionary is empty and remembers the call.

        Raises
        ------
        ServiceConfigError, ClientError
            If nothing can be provisioned at all (configuration, unreachable or refusing API server) and no host
            exists yet.
        """
        return self._provisioner.provision(params)

    def deprovision_host(self, params: dict[str, Any]) -> Result:
        """Delete the host, and hosts that this service made under other names for other trials.

        One that did not come up stays where ``onSetupFailure`` is Keep or Deallocate: somebody wants to look at it,
        and mlos_bench tears down after failed trials too.

        Returns
        -------
        PENDING while something is going; SUCCEEDED if all is gone or stays; FAILED if the API server refuses or cannot
        be reached. The dictionary is empty and remembers the call.
        """
        return self._provisioner.deprovision(params)

    def deallocate_host(self, params: dict[str, Any]) -> Result:
        """Give the host's hardware back but keep its disks.

        Returns
        -------
        PENDING; SUCCEEDED if the host is deallocated or gone; FAILED if the API server refuses or cannot be reached.
        The dictionary is empty and remembers the call.
        """
        return self._provisioner.deallocate(params)

    def wait_host_deployment(self, params: dict[str, Any], *, is_setup: bool) -> Result:
        """Watch until the pending call has ended, at most ``pollTimeout`` seconds.

        Parameters
        ----------
        params
            What the call returned; any other dictionary means the last call, or the host of the environment's name.
        is_setup
            True: wait until the host is ready for the generation that the call made. False: until the very object is
            gone, or after ``deallocate_host`` until the cloud says Deallocated.

        Returns
        -------
        SUCCEEDED and information on the run time; FAILED or TIMED_OUT, with the reason logged, and nothing. A host
        that did not come up is deleted, deallocated or kept as ``onSetupFailure`` says.
        """
        return self._provisioner.wait(params, is_setup=is_setup)

    def start_host(self, params: dict[str, Any]) -> Result:
        """Switch on a host that exists.

        Returns
        -------
        SUCCEEDED if it is ready; PENDING; FAILED, with the reason logged, if there is no such host or the API server
        refuses or cannot be reached. The dictionary is empty and remembers the call.
        """
        return self._power.start(params)

    def stop_host(self, params: dict[str, Any], force: bool = False) -> Result:
        """Switch the host off. It keeps its hardware, and the bill; ``deallocate_host`` gives both back.

        Parameters
        ----------
        params
            The environment's parameters; not modified.
        force
            Makes no difference: Azure switches a machine off when its guest does not obey in time.

        Returns
        -------
        SUCCEEDED if it is off or gone; PENDING; FAILED as for ``start_host``. The dictionary is empty and remembers
        the call.
        """
        del force
        return self._power.stop(params)

    def restart_host(self, params: dict[str, Any], force: bool = False) -> Result:
        """Restart the host; one that is off is started. Parameters and results as for ``stop_host``."""
        del force
        return self._power.restart(params)

    def wait_host_operation(self, params: dict[str, Any]) -> Result:
        """Watch until the pending start, stop or restart has ended, at most ``pollTimeout`` seconds.

        Parameters
        ----------
        params
            What the call returned; any other dictionary means the last such call on the environment's host.

        Returns
        -------
        SUCCEEDED and information on the run time; FAILED or TIMED_OUT, with the reason logged, and nothing.
        """
        return self._power.wait(params)

    def shutdown(self, params: dict[str, Any], force: bool = False) -> Result:
        """``stop_host``: the cloud asks the operating system to shut down."""
        return self.stop_host(params, force)

    def reboot(self, params: dict[str, Any], force: bool = False) -> Result:
        """``restart_host``: the cloud asks the operating system to shut down, and starts it again."""
        return self.restart_host(params, force)

    def wait_os_operation(self, params: dict[str, Any]) -> Result:
        """``wait_host_operation``."""
        return self.wait_host_operation(params)

    def remote_exec(self, script: Iterable[str], config: dict[str, Any], env_params: dict[str, Any]) -> Result:
        """Begin to run a script on the host, over SSH, as its admin user.

        Parameters
        ----------
        script
            Lines of a shell script.
        config
            The environment's parameters: they say which host.
        env_params
            Environment variables of the script.

        Returns
        -------
        PENDING, and what ``get_remote_exec_results`` needs; FAILED, with the reason logged, if the host is not ready
        or no key is to be had.
        """
        return self._remote.execute(script, config, env_params)

    def get_remote_exec_results(self, config: dict[str, Any]) -> Result:
        """Wait until the script has ended.

        Parameters
        ----------
        config
            What ``remote_exec`` returned.

        Returns
        -------
        SUCCEEDED if its exit code is 0, else FAILED; ``stdout``, ``stderr``, ``exitCode``, ``startTimestamp`` and
        ``endTimestamp``. FAILED and nothing if the host cannot be reached, TIMED_OUT and nothing after
        ``sshCommandTimeout`` seconds, with the reason logged.
        """
        return self._remote.get_results(config)

    def upload(self, params: dict[str, Any], local_path: str, remote_path: str, recursive: bool = True) -> None:
        """Copy a file or folder to the host; offered to environments where the config key ``fileShare`` is true.

        Parameters
        ----------
        params
            The environment's parameters: they say which host.
        local_path
            What is copied.
        remote_path
            Where to; a relative path begins in the home of the admin user.
        recursive
            Whether folders are copied with everything in them.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        FileCopyError
            If the host cannot be reached or does not take it.
        """
        self._files.upload(params, local_path, remote_path, recursive=recursive)

    def download(self, params: dict[str, Any], remote_path: str, local_path: str, recursive: bool = True) -> None:
        """Copy a file or folder from the host. Parameters and errors as for ``upload``."""
        self._files.download(params, remote_path, local_path, recursive=recursive)

    def _exit_context(
        self,
        ex_type: type[BaseException] | None,
        ex_val: BaseException | None,
        ex_tb: TracebackType | None,
    ) -> Literal[False]:
        """Release the hosts after an exception; after a teardown remove what it did not name. Never raises."""
        try:
            if ex_type is not None:
                release_all(self._session)
            else:
                self._provisioner.remove_leftovers()
            self._remote.close()
            self._session.close()
        except Exception as error:  # noqa: BLE001 - mlos_bench cannot be entered again after an exception here
            _LOG.error("Leaving the context failed (%s): check 'kubectl get benchhosts' for hosts left over", error)
        super()._exit_context(ex_type, ex_val, ex_tb)
        return False

    def _resolve_path(self, path: str) -> str:
        """Find a file as mlos_bench finds its own: along the config path."""
        if isinstance(self._parent, SupportsConfigLoading):
            return str(self._parent.resolve_path(path))
        return path
