"""Whatever asks Azure for something counts against the same limits. On the emulator, over HTTPS."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchhost.azure import Budget
from benchhost.azure.budget import Admission, Caller, Turn
from benchhost.azure.waiting import Flow
from benchhost.cloud import DeferredError, Part, Scope, Step, Verb
from contract.clouds import Cloud, azure_provider
from support.builders import OWNER


def close(budget: Budget, method: str, subscription_id: str, *, limit: str) -> None:
    """Let a request of somebody else's have been refused, because this limit of the region is used up."""
    url = f"/subscriptions/{subscription_id}/resourceGroups/x/providers/Microsoft.Compute/virtualMachines/x"
    now = monotonic()
    admission = budget.ask(method, url, Caller("x", "East US", Flow("x")), now=now, principal="somebody else")
    assert isinstance(admission, Admission)
    budget.settle(admission, {"x-ms-ratelimit-remaining-resource": f"{limit};0"}, now=now, pause=timedelta(minutes=1))


@dataclass
class Remembering(Budget):
    """Remembers what was lined up for, and what was then asked for."""

    lined_up: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def line_up(self, method: str, url: str, caller: Caller, **options: Any) -> Turn | None:
        self.lined_up.append((method, url.lower()))
        return super().line_up(method, url, caller, **options)

    def ask(self, method: str, url: str, caller: Caller, **options: Any) -> Admission | Turn:
        if method != "GET":
            self.asked.append((method, urlsplit(url).path.lower()))
        return super().ask(method, url, caller, **options)


async def test_a_step_asks_for_the_very_request_that_it_was_lined_up_for(azure: Cloud) -> None:
    assert azure.connection is not None
    budget = Remembering()
    cloud = replace(azure, provider=azure_provider(azure.connection, budget))
    request = cloud.request()
    changed = replace(request, size="Standard_D4s_v5")
    course = [
        *((request, Verb.ENSURE, part) for part in (Part.NETWORK, Part.MACHINE)),
        *((request, verb, Part.MACHINE) for verb in (Verb.STOP, Verb.DEALLOCATE, Verb.START, Verb.RESTART)),
        (changed, Verb.RESIZE, Part.MACHINE),
        *((changed, verb, Part.MACHINE) for verb in (Verb.RELEASE, Verb.TAG, Verb.DELETE)),
    ]
    try:
        for wanted, verb, part in course:
            wanted = replace(wanted, spec=wanted.spec.model_copy(update={"adopt": verb is Verb.TAG}))  # noqa: PLW2901
            await cloud.provider.require_turn(wanted, Step(verb, part), await cloud.provider.observe(wanted))
            await cloud.do(wanted, verb, part)
            assert (verb, budget.lined_up) == (verb, budget.asked)
        assert len(budget.asked) == len(course)
    finally:
        await cloud.provider.close()


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
