"""The Azure adapter where something is wrong: credentials, addresses, names, races. On the emulator, over HTTPS."""

import asyncio
import contextlib
import dataclasses
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from benchhost.api.conditions import Reason
from benchhost.cloud import AdminError, CloudError, CredentialsError, Part, TerminalError, TransientError, Verb
from benchhost.emulator.certificates import make_certificate
from benchhost.lifecycle import required_parts
from contract.clouds import BUILD_ORDER, STRANGER, Cloud, azure_provider
from support.builders import OWNER

SECRET = "not-the-secret-~8Q"


@asynccontextmanager
async def replaced(azure: Cloud, **changes: object) -> AsyncIterator[Cloud]:
    """The same cloud through a provider with other settings."""
    assert azure.connection is not None
    provider = azure_provider(azure.connection, **changes)
    try:
        yield dataclasses.replace(azure, provider=provider)
    finally:
        await provider.close()


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """A port where somebody listens and never says anything, and who has come."""
    visitors: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: visitors.append(writer), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], visitors
        for visitor in visitors:
            visitor.close()


async def test_a_wrong_client_secret_is_told_without_showing_it(azure: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="benchhost")
    async with replaced(azure, AZURE_CLIENT_SECRET=SECRET) as cloud:
        with pytest.raises(CredentialsError) as caught:
            await cloud.provider.observe(cloud.request())
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert caught.value.code.startswith("AADSTS")
    assert "AZURE_CLIENT_SECRET" in caught.value.message
    assert not [word for word in (SECRET, "Trace ID", "Correlation ID", "\n") if word in str(caught.value)]
    assert SECRET not in caplog.text


async def test_an_unknown_tenant_is_told_as_rejected_credentials(azure: Cloud) -> None:
    async with replaced(azure, AZURE_TENANT_ID="00000000-0000-4000-8000-00000000dead") as cloud:
        with pytest.raises(CredentialsError) as caught:
            await cloud.provider.observe(cloud.request())
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED


@pytest.mark.parametrize("name", [None, "db-1"])
async def test_a_missing_resource_group_holds_nothing_and_takes_nothing(azure: Cloud, name: str | None) -> None:
    request = azure.request(resourceGroup="no-such-group", name=name)
    assert dict((await azure.provider.observe(request)).parts) == {}
    assert (await azure.start(request, Verb.DELETE)).finished
    for part in required_parts(request.spec.azure):
        with pytest.raises(AdminError, match="no-such-group") as caught:
            await azure.start(request, Verb.ENSURE, part)
        assert caught.value.reason is Reason.RESOURCE_GROUP_NOT_FOUND


async def test_an_unknown_subscription_is_never_taken_for_an_empty_one(azure: Cloud) -> None:
    request = azure.request(subscriptionId="00000000-0000-4000-8000-00000000dead")
    with pytest.raises(AdminError) as caught:
        await azure.provider.observe(request)
    assert caught.value.reason is Reason.SUBSCRIPTION_NOT_FOUND


async def test_a_size_that_does_not_exist_is_told_as_a_mistake_in_the_spec(azure: Cloud) -> None:
    request = azure.request(size="Standard_Nonsense")
    for part in BUILD_ORDER[:-1]:
        await azure.do(request, Verb.ENSURE, part)
    with pytest.raises(TerminalError, match="Standard_Nonsense") as caught:
        await azure.start(request, Verb.ENSURE)
    assert caught.value.reason is Reason.INVALID_SPEC
    assert "create virtual machine" in caught.value.message


async def test_an_address_where_nobody_listens_is_named(azure: Cloud, unused_tcp_port: int) -> None:
    nowhere = f"https://localhost:{unused_tcp_port}"
    for name in ("resource_manager_endpoint", "authority_host"):
        async with replaced(azure, **{name: nowhere}) as cloud:
            with pytest.raises(TransientError, match=f"localhost:{unused_tcp_port}") as caught:
                await cloud.provider.observe(cloud.request())
            assert caught.value.reason is Reason.CLOUD_UNREACHABLE


async def test_a_certificate_of_a_stranger_is_not_accepted(azure: Cloud) -> None:
    async with replaced(azure, ca_bundle=None) as cloud:
        with pytest.raises(TransientError, match="AZURE_CA_BUNDLE") as caught:
            await cloud.provider.observe(cloud.request())
        assert caught.value.reason is Reason.CLOUD_UNREACHABLE


async def test_a_server_that_never_answers_is_given_up(azure: Cloud) -> None:
    async with silent_server() as (port, _):
        address = f"https://127.0.0.1:{port}"
        async with replaced(azure, resource_manager_endpoint=address, request_timeout=0.2) as cloud:
            with pytest.raises(TransientError, match=rf":{port} .*no answer in time") as caught:
                await cloud.provider.observe(cloud.request())
    assert caught.value.reason is Reason.CLOUD_UNREACHABLE


@asynccontextmanager
async def dripping_server(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port where an answer begins and never ends, never silent for long."""
    tasks: list[asyncio.Task[None]] = []

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())  # type: ignore[arg-type]
        writer.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*tasks)


@asynccontextmanager
async def forgetful_server(context: ssl.SSLContext) -> AsyncIterator[tuple[int, list[web.BaseRequest]]]:
    """An ARM that shows nothing and refuses every write by its condition: somebody was quicker. Gives the writes."""
    writes: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            return web.json_response({"error": {"code": "ResourceNotFound", "message": "Not found."}}, status=404)
        writes.append(request)
        return web.json_response({"error": {"code": "PreconditionFailed", "message": "It exists."}}, status=412)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield runner.addresses[0][1], writes
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("part", "name"), [*((part, "db-1") for part in BUILD_ORDER), (Part.MACHINE, None)])
async def test_what_somebody_makes_between_the_look_and_the_creation_is_not_overwritten(
    azure: Cloud, tmp_path: Path, part: Part, name: str | None
) -> None:
    assert azure.connection is not None
    other = make_certificate(tmp_path, ("localhost", "127.0.0.1"))
    both = tmp_path / "both.pem"
    both.write_bytes(azure.connection.ca_bundle.read_bytes() + other.ca_bundle.read_bytes())
    async with forgetful_server(other.server_context()) as (port, writes):
        changes = {"resource_manager_endpoint": f"https://localhost:{port}", "ca_bundle": both}
        async with replaced(azure, **changes) as cloud:
            with pytest.raises(TransientError, match="It exists"):
                await cloud.start(cloud.request(name=name), Verb.ENSURE, part)
    assert [(write.method, write.headers.get("If-None-Match")) for write in writes] == [("PUT", "*")]


async def test_an_answer_that_never_ends_is_given_up(azure: Cloud, tmp_path: Path) -> None:
    assert azure.connection is not None
    other = make_certificate(tmp_path, ("localhost", "127.0.0.1"))
    both = tmp_path / "both.pem"
    both.write_bytes(azure.connection.ca_bundle.read_bytes() + other.ca_bundle.read_bytes())
    async with dripping_server(other.server_context()) as port:
        changes = {"resource_manager_endpoint": f"https://localhost:{port}", "ca_bundle": both}
        async with replaced(azure, request_timeout=0.2, **changes) as cloud, asyncio.timeout(10):
            with pytest.raises(TransientError, match="no answer in time") as caught:
                await cloud.provider.observe(cloud.request())
    assert caught.value.reason is Reason.CLOUD_UNREACHABLE


async def test_the_token_is_never_sent_to_another_host(azure: Cloud) -> None:
    async with silent_server() as (port, knocks):
        for url in (f"https://127.0.0.1:{port}/operations/1", f"http://localhost:{port}/operations/1"):
            assert await azure.provider.poll(azure.request(), url) is None
        assert knocks == []


async def test_an_operation_of_another_subscription_is_not_taken_for_ours(azure: Cloud) -> None:
    assert azure.connection is not None
    path = f"/subscriptions/{azure.subscription_id}/providers/Microsoft.Compute/locations/eastus/operations/x"
    with pytest.raises(AdminError):
        # The signature of a made-up URL is wrong, as it would be in Azure.
        await azure.provider.poll(azure.request(), f"{azure.connection.endpoint}{path}?api-version=2026-04-01&t=1")


async def test_of_two_creations_at_once_one_is_carried_out(azure: Cloud) -> None:
    request = azure.request()
    for part in BUILD_ORDER[:-1]:
        await azure.do(request, Verb.ENSURE, part)
    attempts = [azure.start(request, Verb.ENSURE) for _ in range(5)]
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    started = [answer for answer in answers if not isinstance(answer, BaseException) and answer.poll_url]
    assert len(started) == 1
    assert all(isinstance(answer, TransientError) for answer in answers if isinstance(answer, BaseException))


async def test_two_hosts_that_want_the_same_name_at_once_never_overwrite_each_other(azure: Cloud) -> None:
    for number in range(5):
        own, foreign = (azure.request(owner, name=f"db-{number}") for owner in (OWNER, STRANGER))
        attempts = [azure.start(request, Verb.ENSURE, Part.ADDRESS) for request in (own, foreign)]
        answers = await asyncio.gather(*attempts, return_exceptions=True)
        assert [isinstance(answer, CloudError) for answer in answers].count(True) == 1
        await azure.settle(own, Part.ADDRESS)
        seen = (await azure.provider.observe(own)).parts[Part.ADDRESS].owner
        winner, loser = (own, foreign) if seen == OWNER else (foreign, own)
        assert seen == winner.owner
        assert (await azure.start(winner, Verb.ENSURE, Part.ADDRESS)).finished
        with pytest.raises(AdminError):
            await azure.start(loser, Verb.ENSURE, Part.ADDRESS)
