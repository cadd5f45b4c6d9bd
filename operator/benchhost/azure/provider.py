"""``AzureProvider``: the cloud port over Azure, with one set of credentials and any number of subscriptions.

Made by the composition root, called by the reconciler. It decides nothing, waits for no operation, tries nothing
again, and every error that leaves it is a ``CloudError``, or a ``DeferredError`` when the budget has nothing left.
"""

import logging
from typing import Final

from benchhost.azure.budget import Budget, Caller, calling
from benchhost.azure.clients import AzureClients
from benchhost.azure.console import read_console
from benchhost.azure.credentials import AzureCredentials
from benchhost.azure.inventory import Inventory
from benchhost.azure.names import HostNames
from benchhost.azure.owned import delete_owned, list_owned
from benchhost.azure.settings import AzureCloudSettings
from benchhost.azure.steps import require_turn, start_step
from benchhost.azure.waiting import Flow
from benchhost.cloud.errors import DeferredError
from benchhost.cloud.machine import Observation
from benchhost.cloud.owned import OwnedResource, Scope
from benchhost.cloud.provider import HostRequest, OperationState, Started, Step, Verb

_log = logging.getLogger("benchhost.azure")

_ENDS_BILL: Final = frozenset({Verb.DELETE, Verb.RELEASE, Verb.STOP, Verb.DEALLOCATE, Verb.HIBERNATE})


class AzureProvider:
    """Implements ``benchhost.cloud.CloudProvider``.

    Parameters
    ----------
    settings
        Which Azure.
    credentials
        Who we are.
    budget
        What may be asked of Azure, shared by all providers of a process; one of its own when it is the only one.
    """

    def __init__(
        self, settings: AzureCloudSettings, credentials: AzureCredentials, budget: Budget | None = None
    ) -> None:
        self._clients = AzureClients(settings, credentials, budget)
        self._inventory = Inventory(self._clients)

    async def observe(self, request: HostRequest) -> Observation:
        """Look at everything that belongs to the host: two to five GETs, or a share of a few lists."""
        with calling(_caller(request)):
            return await self._inventory.observe(request)

    async def require_turn(self, request: HostRequest, step: Step, seen: Observation) -> None:
        """Take a place in line for the change that the step begins with, or see that its turn has come."""
        with calling(_caller(request, ends_bill=step.verb in _ENDS_BILL)):
            require_turn(self._clients, request, step, seen)

    async def start(self, request: HostRequest, step: Step, seen: Observation) -> Started:
        """Start one step: at most one change."""
        try:
            with calling(_caller(request, ends_bill=step.verb in _ENDS_BILL)):
                started = await start_step(self._clients, request, step, seen)
        except DeferredError:
            raise  # nothing was sent
        except BaseException:
            self._inventory.note_step(request, step)
            raise
        self._inventory.note_step(request, step)
        _log.info("%s: %s %s", HostNames.of(request).machine, step, "finished" if started.finished else "started")
        _log.debug("request %s, look at %s", started.request_id, started.poll_url)
        return started

    async def poll(self, request: HostRequest, poll_url: str) -> OperationState | None:
        """Look at an operation; None when Azure does not know it any more."""
        with calling(_caller(request)):
            return await self._inventory.poll(request, poll_url)

    async def read_console(self, request: HostRequest, *, whole: bool = False) -> str | None:
        """What the machine wrote to its console; None when there is none or it cannot be read."""
        with calling(_caller(request)):
            return await read_console(self._clients, request, whole=whole)

    async def list_owned(self, scope: Scope, cluster: str) -> list[OwnedResource]:
        """What this cluster owns in a resource group: one GET a thousand resources, and one for each network."""
        return await list_owned(self._clients, scope, cluster)

    async def delete_owned(self, resource: OwnedResource) -> Started:
        """Start to delete a resource that is still its owner's: one GET and one change."""
        started = await delete_owned(self._clients, resource)
        _log.info("%s: delete orphaned %s", resource.resource_id, resource.part)
        return started

    async def close(self) -> None:
        """Close every client and the one session under them."""
        await self._inventory.close()
        await self._clients.close()


def _caller(request: HostRequest, *, ends_bill: bool = False) -> Caller:
    owner = request.owner
    return Caller(owner.uid, request.spec.azure.location, Flow(owner.namespace, ends_bill=ends_bill))
