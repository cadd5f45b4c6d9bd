"""The serial console and identities, as far as a cloud has them."""

import ssl

import aiohttp
import pytest

from benchhost.cloud import AdminError, Verb
from benchhost.cloud.fake import FakeCloud
from contract.clouds import BUILD_ORDER, Cloud

PROVIDER = "providers/Microsoft.ManagedIdentity/userAssignedIdentities"


async def add_identities(cloud: Cloud, *names: str) -> list[str]:
    """Make identities where the cloud asks for them to exist, and tell their ids."""
    group = f"/subscriptions/{cloud.subscription_id}/resourceGroups/bench-rg"
    ids = [f"{group}/{PROVIDER}/{name}" for name in names]
    made = cloud.connection
    if made is None:
        return ids
    context = ssl.create_default_context(cafile=made.ca_bundle)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        form = {
            "grant_type": "client_credentials",
            "client_id": made.client_id,
            "client_secret": made.client_secret,
            "scope": f"{made.audience}/.default",
        }
        async with session.post(f"{made.authority}/{made.tenant_id}/oauth2/v2.0/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        for identity_id in ids:
            async with session.put(
                f"{made.endpoint}{identity_id}?api-version=2023-01-31",
                json={"location": "eastus"},
                headers={"Authorization": f"Bearer {token}"},
            ) as answer:
                assert answer.status in (200, 201), await answer.text()
    return ids


async def test_identities_are_added_and_removed_and_told_in_small_letters(cloud: Cloud) -> None:
    blue, red = await add_identities(cloud, "Blue", "Red")
    await cloud.build(cloud.request(identityIds=[blue]))
    for wanted in ([blue.replace("Blue", "BLUE"), red], [red], []):
        request = cloud.request(identityIds=wanted)
        await cloud.do(request, Verb.UPDATE)
        machine = (await cloud.provider.observe(request)).machine
        assert machine is not None
        assert machine.identity_ids == {identity_id.lower() for identity_id in wanted}
        assert (await cloud.start(request, Verb.UPDATE)).finished


async def test_an_identity_that_does_not_exist_is_named(azure: Cloud) -> None:
    ids = [f"/subscriptions/{azure.subscription_id}/resourceGroups/bench-rg/{PROVIDER}/nobody"]
    request = azure.request(identityIds=ids)
    for part in BUILD_ORDER[:-1]:
        await azure.do(request, Verb.ENSURE, part)
    with pytest.raises(AdminError, match="nobody"):
        await azure.start(request, Verb.ENSURE)


async def test_the_console_is_read_while_it_is_recorded(cloud: Cloud) -> None:
    request = cloud.request()
    await cloud.build(request)
    if isinstance(cloud.provider, FakeCloud):
        cloud.provider.set_console(request, "login: ")
    for whole in (False, True):
        text = await cloud.provider.read_console(request, whole=whole)
        assert text is not None
        assert "login:" in text
    off = cloud.request(bootDiagnostics=False)
    await cloud.do(off, Verb.UPDATE)
    assert await cloud.provider.read_console(off) is None
