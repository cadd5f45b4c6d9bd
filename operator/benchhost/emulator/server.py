"""The emulator as a server: Azure Resource Manager, Entra ID, blobs and the emulator's own API on one HTTPS port."""

from __future__ import annotations

import contextlib
import logging
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from benchhost.emulator.access_log import AccessLog
from benchhost.emulator.admin.api import PREFIX, AdminApi
from benchhost.emulator.admin.faults import FaultsAdmin
from benchhost.emulator.admin.guests import GuestsAdmin
from benchhost.emulator.admin.limits import LimitsAdmin
from benchhost.emulator.admin.services import admin_routes
from benchhost.emulator.arm.blob_service import BlobService
from benchhost.emulator.arm.endpoint_discovery import CLOUD_NAME, EndpointDiscovery
from benchhost.emulator.arm.injection import Injection
from benchhost.emulator.arm.pipeline import ArmPipeline
from benchhost.emulator.arm.polling import RetryHints
from benchhost.emulator.arm.rate_limits import RateLimits
from benchhost.emulator.arm.signed_blobs import BlobSignatures
from benchhost.emulator.certificates import make_certificate
from benchhost.emulator.cloud.context import normalize_location
from benchhost.emulator.cloud.latency import LatencyModel
from benchhost.emulator.cloud.subscription import Subscription
from benchhost.emulator.dispatcher import Dispatcher, Parts
from benchhost.emulator.entra.authority import Authority
from benchhost.emulator.entra.directory import Application, Directory
from benchhost.emulator.entra.tokens import TokenAuthority
from benchhost.emulator.faults.faults import Faults
from benchhost.emulator.limits.buckets import Buckets
from benchhost.emulator.limits.policies import documented_limits
from benchhost.emulator.metadata.service import MetadataPath, MetadataService
from benchhost.emulator.settings import AdminConnection, EmulatorConfig, EmulatorConnection, MetadataConnection
from benchhost.emulator.state import SavedState, StateFileError
from benchhost.emulator.state.identity import EmulatorIdentity

if TYPE_CHECKING:
    from types import TracebackType

    from benchhost.emulator.guests.guests import Guests
    from benchhost.emulator.guests.private_addresses import PrivateAddresses
    from benchhost.emulator.settings import GuestConfig

_log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 1.0
"""How long open connections may finish their request when the emulator stops."""

_LOOPBACK = "127.0.0.1"
_HOSTS = ("localhost", _LOOPBACK)


class ArmEmulator:
    """An emulated Azure that runs in this process, as an asynchronous context manager.

    Parameters
    ----------
    config
        How it is set up.

    Raises
    ------
    StateFileError
        When the state file cannot be used.
    OSError
        On entering, when the port cannot be listened on.
    """

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self._config = config or EmulatorConfig()
        self._stack = contextlib.AsyncExitStack()
        self._connection: EmulatorConnection | None = None
        self._state = None if self._config.state is None else SavedState(self._config.state)
        self._identity, is_new = self._recall_identity()
        seed = self._config.seed
        self._latency = LatencyModel(
            self._config.latency,
            self._config.time_scale,
            random.Random(seed),  # noqa: S311 - durations, no secrets
        )
        self.subscription = Subscription(
            self._identity.subscription_id,
            self._identity.tenant_id,
            locations=tuple(normalize_location(name) for name in self._config.locations),
            latency=self._latency,
            seed=seed,
        )
        self._private_addresses = None if self._config.guests is None else _private_addresses()
        self._limits = RateLimits(
            Buckets(documented_limits(), self._latency.factor),
            self.subscription.store,
            hints=RetryHints(self._latency.factor),
            mode=self._config.limits,
        )
        self._faults = Faults(random.Random(seed))  # noqa: S311 - which requests fail, no secrets
        self._injection = Injection(self._faults)
        self.subscription.operations.judge_with(self._injection.verdict)
        for name, location in self._config.resource_groups if is_new else ():
            self.subscription.groups.put(name, normalize_location(location), {})
        if self._state is not None:
            self._state.attach(
                {
                    "subscription": self.subscription,
                    "latency": self._latency,
                    "faults": self._faults,
                    "limits": self._limits.buckets,
                    **({} if self._private_addresses is None else {"guests": self._private_addresses}),
                }
            )

        # A run with guests before one without has left addresses that lead to this machine.
        self.subscription.addresses.renumber()

    @property
    def connection(self) -> EmulatorConnection:
        """How clients reach it; only while it runs."""
        if self._connection is None:
            raise RuntimeError("The emulator is not running.")
        return self._connection

    @property
    def admin(self) -> AdminConnection:
        """How the emulator's own API is reached; only while it runs."""
        connection = self.connection
        return AdminConnection(
            endpoint=f"{connection.endpoint}{PREFIX}", token=self._identity.admin_token, ca_bundle=connection.ca_bundle
        )

    async def __aenter__(self) -> Self:
        """Start listening."""
        async with contextlib.AsyncExitStack() as stack:
            if self._state is not None:
                stack.callback(self._state.close)
            directory = self._config.directory or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            directory.mkdir(parents=True, exist_ok=True)
            await self._start(directory, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and remove what was made."""
        self._connection = None
        await self._stack.aclose()

    async def _start(self, directory: Path, stack: contextlib.AsyncExitStack) -> None:
        config = self._config
        hosts = tuple(dict.fromkeys((*_HOSTS, config.host)))
        certificate = make_certificate(directory, hosts, self._identity.authority)
        log = None if config.access_log is None else AccessLog(stack.enter_context(config.access_log.open("a")))
        dispatcher = Dispatcher(log, self._state)
        runner = web.ServerRunner(web.Server(dispatcher.handle, access_log=None), shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        context = certificate.server_context()
        certificate.key.unlink()  # it is in memory now
        site = web.TCPSite(runner, config.host, self._port("port", config.port), ssl_context=context, backlog=1024)
        await site.start()
        port = self._keep_port("port", runner)
        name = "localhost" if config.host in _HOSTS else config.host
        connection = self._connect(f"https://{name}:{port}", certificate.ca_bundle)
        known = self._directory(connection)
        tokens = TokenAuthority(
            connection.tenant_id,
            issuer=f"{connection.authority}/{connection.tenant_id}",
            audience=connection.audience,
            lifetime_seconds=config.token_lifetime_seconds,
            signing_key=self._identity.signing_key,
        )
        if config.metadata_port is not None:
            metadata = await self._serve_metadata(config.metadata_port, tokens, directory=known, stack=stack)
            connection = replace(connection, metadata=metadata)
        self._connection = connection
        guests = None if config.guests is None else await self._start_guests(config.guests, directory, stack=stack)
        clock, latency = config.clock, self._latency
        signatures = BlobSignatures(self._identity.blob_key)
        dispatcher.serve(
            Parts(
                arm=ArmPipeline(
                    self.subscription,
                    tokens,
                    directory=known,
                    limits=self._limits,
                    injection=self._injection,
                    polling_secrets=self._identity.polling,
                    latency=latency,
                    clock=clock,
                    signatures=signatures,
                ),
                discovery=EndpointDiscovery(connection),
                authority=Authority(tokens, known, latency=latency, clock=clock),
                admin=AdminApi(
                    admin_routes(
                        self.subscription,
                        FaultsAdmin(self._faults),
                        LimitsAdmin(self._limits),
                        GuestsAdmin(self.subscription, guests),
                    ),
                    self._identity.admin_token,
                    clock=clock,
                    advance=self.subscription.advance,
                ),
                blobs=BlobService(self.subscription, signatures, clock),
                follow=None if guests is None else guests.follow,
            )
        )

    def _recall_identity(self) -> tuple[EmulatorIdentity, bool]:
        """Return who this emulator is, and whether it is a new one."""
        wanted = self._config.subscription_id
        known = None if self._state is None else self._state.recall("identity")
        if known is None:
            made = EmulatorIdentity.make(wanted)
            if self._state is not None:
                self._state.remember("identity", made)
            return made, True
        if wanted is not None and wanted.lower() != known.subscription_id.lower():
            raise StateFileError(
                f"The state file {self._config.state} holds the subscription {known.subscription_id}, not {wanted}; "
                "name another file, or that subscription."
            )
        return known, False

    def _port(self, name: str, wanted: int) -> int:
        """Return the port to listen on: clients, tokens and polling URLs of an earlier run remember its own."""
        known = None if self._state is None else self._state.recall(name)
        return wanted or known or 0

    def _keep_port(self, name: str, runner: web.ServerRunner) -> int:
        port: int = runner.addresses[0][1]
        if self._state is not None:
            self._state.remember(name, port)
        return port

    def _connect(self, base_url: str, ca_bundle: Path) -> EmulatorConnection:
        return EmulatorConnection(
            endpoint=base_url,
            authority=base_url,
            audience=base_url,
            tenant_id=self._identity.tenant_id,
            client_id=self._identity.client_id,
            client_secret=self._identity.client_secret,
            subscription_id=self._identity.subscription_id,
            ca_bundle=ca_bundle,
        )

    def _directory(self, connection: EmulatorConnection) -> Directory:
        first = Application(
            client_id=connection.client_id, object_id=self._identity.object_id, secrets=(connection.client_secret,)
        )
        return Directory((first, *self._config.applications), self._config.managed_identities)

    async def _start_guests(self, config: GuestConfig, directory: Path, *, stack: contextlib.AsyncExitStack) -> Guests:
        """Take addresses, and bring up the guests of machines that run."""
        from benchhost.emulator.guests.guests import Guests
        from benchhost.emulator.guests.loopback import take_block

        known = None if self._state is None else self._state.recall("guest block")
        block = stack.enter_context(take_block(config.port, preferred=known, seed=self._config.seed))
        if self._state is not None:
            self._state.remember("guest block", str(block.network))
        self.subscription.addresses.give_from(block.public)
        guests = Guests(
            self.subscription,
            directory / "guests",
            block=block,
            port=config.port,
            private=self._private_addresses or _private_addresses(),
            clock=self._config.clock,
            save=self._save,
        )
        stack.push_async_callback(guests.close)
        await guests.start()
        return guests

    def _save(self) -> None:
        """Save what has happened without a request; who asks next is told if it does not work."""
        try:
            if self._state is not None:
                self._state.save()
        except StateFileError as error:
            _log.error("%s", error)

    async def _serve_metadata(
        self, port: int, tokens: TokenAuthority, *, directory: Directory, stack: contextlib.AsyncExitStack
    ) -> MetadataConnection:
        """Serve the metadata of the machine that the emulator's clients run on, as far as it has any."""
        header_secret, machine = self._identity.header_secret, self._identity.machine_id
        compute = {"azEnvironment": CLOUD_NAME, "subscriptionId": self.subscription.id, "vmId": machine}
        service = MetadataService(
            tokens, directory, clock=self._config.clock, header_secret=header_secret, instance={"compute": compute}
        )
        runner = web.ServerRunner(web.Server(service.handle, access_log=None), shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, _LOOPBACK, self._port("metadata port", port)).start()
        endpoint = f"http://{_LOOPBACK}:{self._keep_port('metadata port', runner)}"
        return MetadataConnection(
            endpoint=endpoint,
            app_service_endpoint=f"{endpoint}{MetadataPath.APP_SERVICE}",
            header_secret=header_secret,
        )


def _private_addresses() -> PrivateAddresses:
    """Return none, without making an emulator that has no guests import what they need."""
    from benchhost.emulator.guests.private_addresses import PrivateAddresses

    return PrivateAddresses()
