"""``BenchHostService``: mlos_bench's host provisioning on top of BenchHosts.

mlos_bench makes it from a service config with the class ``benchhost.mlos.BenchHostService``, and HostEnv calls it.
It is the mlos_bench side of ``provisioner`` and holds no logic of its own.
"""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal

from mlos_bench.services.base_service import Service
from mlos_bench.services.types.config_loader_type import SupportsConfigLoading
from mlos_bench.services.types.host_provisioner_type import SupportsHostProvisioning

from benchhost.mlos.provisioner import Provisioner, Result
from benchhost.mlos.registration import register_schema
from benchhost.mlos.settings import ServiceSettings

_LOG = logging.getLogger(__name__)

register_schema()


class BenchHostService(Service, SupportsHostProvisioning):
    """Provisions hosts for mlos_bench environments as BenchHost objects in a Kubernetes cluster.

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
        ]
        super().__init__(config, global_config, parent, self.merge_methods(methods, own))
        settings = ServiceSettings.from_config(self.config, global_config or {}, self._resolve_path)
        self._provisioner = Provisioner(settings, global_config or {})

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

        Returns
        -------
        PENDING while something is there; SUCCEEDED if all is gone; FAILED if the API server refuses or cannot be
        reached. The dictionary is empty and remembers the call.
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

    def _exit_context(
        self,
        ex_type: type[BaseException] | None,
        ex_val: BaseException | None,
        ex_tb: TracebackType | None,
    ) -> Literal[False]:
        """Release the hosts after an exception; after a teardown remove what it did not name. Never raises."""
        try:
            if ex_type is not None:
                self._provisioner.release()
            else:
                self._provisioner.remove_leftovers()
            self._provisioner.close()
        except Exception as error:  # noqa: BLE001 - mlos_bench cannot be entered again after an exception here
            _LOG.error("Leaving the context failed (%s): check 'kubectl get benchhosts' for hosts left over", error)
        super()._exit_context(ex_type, ex_val, ex_tb)
        return False

    def _resolve_path(self, path: str) -> str:
        """Find a file as mlos_bench finds its own: along the config path."""
        if isinstance(self._parent, SupportsConfigLoading):
            return str(self._parent.resolve_path(path))
        return path
