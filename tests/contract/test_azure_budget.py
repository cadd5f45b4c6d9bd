"""Whatever asks Azure for something counts against the same limits. On the emulator, over HTTPS."""

from dataclasses import replace
from datetime import timedelta
from time import monotonic

import pytest

from benchhost.azure import Budget
from benchhost.azure.budget import Admission, Caller
from benchhost.azure.waiting import Flow
from benchhost.cloud import DeferredError, Part, Scope, Verb
from contract.clouds import Cloud, azure_provider
from support.builders import OWNER


def close(budget: Budget, method: str, subscription_id: str, *, limit: str) -> None:
    """Let a request of somebody else's have been refused, because this limit of the region is used up."""
    url = f"/subscriptions/{subscription_id}/resourceGroups/x/providers/Microsoft.Compute/virtualMachines/x"
    now = monotonic()
    admission = budget.ask(method, url, Caller("x", "East US", Flow("x")), now=now, principal="somebody else")
    assert isinstance(admission, Admission)
    budget.settle(admission, {"x-ms-ratelimit-remaining-resource": f"{limit};0"}, now=now, pause=timedelta(minutes=1))


async def test_hosts_of_all_credentials_and_the_sweep_wait_for_the_same_limit(azure: Cloud) -> None:
    assert azure.connection is not None
    budget = Budget()
    cloud = replace(azure, provider=azure_provider(azure.connection, budget))
    try:
        request = cloud.request()
        await cloud.build(request)
        owned = await cloud.provider.list_owned(Scope(azure.subscription_id, "bench-rg"), OWNER.cluster)
        machine = next(resource for resource in owned if resource.part is Part.MACHINE)
        limit = "Microsoft.Compute/DeleteVMSubscriptionMaximum"
        close(budget, "DELETE", azure.subscription_id, limit=limit)
        for deletion in (cloud.start(request, Verb.DELETE), cloud.provider.delete_owned(machine)):
            with pytest.raises(DeferredError) as deferred:
                await deletion
            assert deferred.value.budget == f"{limit} of {azure.subscription_id.lower()}/eastus"
    finally:
        await cloud.provider.close()
