"""The clouds that the contract is checked on, each with a clock that only the tests move."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from benchhost.api.spec import BenchHostSpec
from benchhost.azure import AzureCloudSettings, AzureProvider, Budget, credentials_from_secret
from benchhost.cloud import (
    CapacityError,
    CloudProvider,
    GuestSecrets,
    HostRequest,
    Observation,
    OperationState,
    Owner,
    Part,
    PartState,
    Started,
    Step,
    Verb,
)
from benchhost.cloud.fake import FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from benchhost.emulator import ArmEmulator, EmulatorConfig, EmulatorConnection
from integration.emulator.admin_driver import arrange
from support.builders import OWNER, SUBSCRIPTION, azure_spec

BUILD_ORDER = (Part.NETWORK, Part.ADDRESS, Part.INTERFACE, Part.MACHINE)
DELETE_ORDER = (Part.MACHINE, Part.INTERFACE, Part.DISK, Part.ADDRESS, Part.NETWORK)
OTHER = Owner(cluster=OWNER.cluster, namespace="bench", name="pg-2", uid="5f0c2a4e-0000-4000-8000-000000000002")
STRANGER = Owner(cluster="cluster-2", namespace="bench", name="pg-1", uid="5f0c2a4e-0000-4000-8000-000000000003")

_LOOKS = 60
_BETWEEN_LOOKS = timedelta(seconds=5)


@dataclass
class EmulatorClock:
    """The emulator's clock: it stands still until it is moved."""

    seconds: float = 1_780_000_000.0

    def now(self) -> float:
        return self.seconds

    def advance(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()


async def _not_arranged() -> None:
    """For tests that borrow a cloud's requests only: asking this one to fail is a mistake of the test."""
    raise AssertionError("this cloud cannot be told to fail")


@dataclass
class Cloud:
    """A provider, and what a test needs around it."""

    provider: CloudProvider
    advance: Callable[[timedelta], None]
    subscription_id: str = SUBSCRIPTION
    connection: EmulatorConnection | None = None
    secrets: GuestSecrets = field(default_factory=GuestSecrets)
    fail_next_creation: Callable[[], Awaitable[None]] = _not_arranged
    """Let the next creation of a machine be accepted, and fail at its end for want of room."""

    def request(
        self,
        owner: Owner = OWNER,
        *,
        size: str = "Standard_D2s_v5",
        zone: str | None = None,
        adopt: bool = False,
        **azure: Any,
    ) -> HostRequest:
        body = {"adopt": adopt, "azure": azure_spec(**{"subscriptionId": self.subscription_id, **azure})}
        return HostRequest(owner, BenchHostSpec.model_validate(body), size, self.secrets, zone)

    async def start(
        self, request: HostRequest, verb: Verb, part: Part = Part.MACHINE, lun: int | None = None
    ) -> Started:
        return await self.provider.start(request, Step(verb, part, lun), await self.provider.observe(request))

    async def start_on(self, seen: Observation, request: HostRequest, verb: Verb, part: Part = Part.MACHINE) -> Started:
        """Start a step on what was seen some time ago."""
        return await self.provider.start(request, Step(verb, part), seen)

    async def do(
        self, request: HostRequest, verb: Verb, part: Part = Part.MACHINE, lun: int | None = None
    ) -> OperationState | None:
        """Start a step and see it end; None when it ended at once."""
        started = await self.start(request, verb, part, lun)
        if started.finished:
            return None
        if started.poll_url is None:
            await self.settle(request, part, lun)
            return None
        return await self.finish(request, started)

    async def finish(self, request: HostRequest, started: Started) -> OperationState:
        """Look at an operation until it has ended."""
        assert started.poll_url is not None
        for _ in range(_LOOKS):
            state = await self.provider.poll(request, started.poll_url)
            assert state is not None, "the cloud forgot an operation while it was running"
            if state.finished:
                return state
            self.advance(state.retry_after or started.retry_after or _BETWEEN_LOOKS)
        raise AssertionError("the operation did not end")

    async def settle(self, request: HostRequest, part: Part, lun: int | None = None) -> None:
        """Look at a part until nothing is under way on it."""
        for _ in range(_LOOKS):
            seen = (await self.provider.observe(request)).get(part, lun)
            if seen is None or seen.state in (PartState.READY, PartState.FAILED):
                return
            self.advance(_BETWEEN_LOOKS)
        raise AssertionError(f"the {part} did not come to rest")

    async def build(self, request: HostRequest) -> Observation:
        """Make the whole host."""
        for part in BUILD_ORDER:
            state = await self.do(request, Verb.ENSURE, part)
            assert state is None or state.error is None
        return await self.provider.observe(request)


@asynccontextmanager
async def fake_cloud() -> AsyncIterator[Cloud]:
    """The in-memory cloud."""
    clock = SettableClock()
    cloud = FakeCloud(clock)

    async def fail_next_creation() -> None:
        cloud.fail(Step(Verb.ENSURE, Part.MACHINE), CapacityError("No room.", code="AllocationFailed"))

    yield Cloud(cloud, clock.advance, fail_next_creation=fail_next_creation)


@asynccontextmanager
async def emulated_azure() -> AsyncIterator[Cloud]:
    """The Azure adapter on the emulator, over HTTPS, with operations as long as in Azure and answers at once."""
    clock = EmulatorClock()
    # The emulator's clock does not move by itself, so operations last until the test moves it, whatever the scale;
    # the scale only makes answers fast, which are waited for in real time.
    config = EmulatorConfig(
        seed=1, clock=clock, time_scale=0.001, resource_groups=(("bench-rg", "eastus"),), locations=("eastus",)
    )
    async with ArmEmulator(config) as emulator:
        provider = azure_provider(emulator.connection)

        async def fail_next_creation() -> None:
            effect = {"kind": "failOperation", "code": "AllocationFailed", "message": "No room."}
            fault = {"match": {"operation": "createMachine"}, "effect": effect, "times": 1}
            await arrange(emulator, "POST", "faults", fault)

        connection = emulator.connection
        try:
            yield Cloud(
                provider,
                clock.advance,
                connection.subscription_id,
                connection,
                fail_next_creation=fail_next_creation,
            )
        finally:
            await provider.close()


def azure_provider(connection: EmulatorConnection, budget: Budget | None = None, **changes: Any) -> AzureProvider:
    """A provider for an emulator, with some settings or keys of its Secret replaced."""
    settings = {
        "resource_manager_endpoint": connection.endpoint,
        "resource_manager_audience": connection.audience,
        "authority_host": connection.authority,
        "ca_bundle": connection.ca_bundle,
        "request_timeout": 30.0,
    }
    values = {
        "AZURE_TENANT_ID": connection.tenant_id,
        "AZURE_CLIENT_ID": connection.client_id,
        "AZURE_CLIENT_SECRET": connection.client_secret,
    }
    return AzureProvider(
        AzureCloudSettings(**{name: changes.pop(name, value) for name, value in settings.items()}),
        credentials_from_secret(values | changes),
        budget,
    )
