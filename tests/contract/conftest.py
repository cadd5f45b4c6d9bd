"""One suite, several clouds."""

from collections.abc import AsyncIterator

import pytest

from contract.clouds import Cloud, emulated_azure, fake_cloud

CLOUDS = {"in-memory": fake_cloud, "azure-on-the-emulator": emulated_azure}


@pytest.fixture(params=sorted(CLOUDS))
async def cloud(request: pytest.FixtureRequest) -> AsyncIterator[Cloud]:
    async with CLOUDS[request.param]() as made:
        yield made


@pytest.fixture
async def azure() -> AsyncIterator[Cloud]:
    async with emulated_azure() as made:
        yield made
