"""How an emulator is set up, and how clients reach it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchhost.emulator.arm.rate_limits import LimitMode
from benchhost.emulator.clock import Clock, SystemClock
from benchhost.emulator.cloud.catalog import DEFAULT_LOCATIONS
from benchhost.emulator.cloud.latency import LatencyMode

if TYPE_CHECKING:
    from pathlib import Path

    from benchhost.emulator.entra.directory import Application, ManagedIdentity

DEFAULT_TOKEN_LIFETIME_SECONDS = 3599.0
"""What Entra gives a token for client credentials (``expires_in``)."""


DEFAULT_GUEST_PORT = 2222
"""Where guests answer SSH: 22 is for root only, and what a machine of this laptop has there is its own sshd."""


class LoopbackError(Exception):
    """There is no address for guests; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestConfig:
    """How machines have guests.

    Parameters
    ----------
    port
        Where all of them answer SSH, each on an address of its own.
    """

    port: int = DEFAULT_GUEST_PORT

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:  # noqa: PLR2004 - the ports there are
            raise ValueError(f"Guests cannot listen on port {self.port}; ports are 1 to 65535.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConfig:
    """How an emulator is set up.

    Parameters
    ----------
    host
        Address to listen on.
    port
        0 takes a free one.
    directory
        Where the certificates go; None makes a temporary folder that goes with the emulator.
    latency
        Where durations come from.
    time_scale
        Multiplies every duration and every hint of how long to wait; greater than 0.
    seed
        The same seed gives the same durations and identifiers.
    locations
        Regions that are offered.
    resource_groups
        Name and location of groups that exist from the start.
    subscription_id
        None makes one up.
    limits
        Whether Azure's rate limits refuse requests, are counted only, or do not exist. Without latency nothing is
        refused in any case: time is then endless between two requests, and every bucket full.
    token_lifetime_seconds
        How long a token is good for; not scaled, since clients count it on their own clock.
    applications, managed_identities
        Who exists in the directory beside the application of `EmulatorConnection`, which may do everything.
    metadata_port
        Port of the instance metadata service, 0 for a free one; None, the default, for no such service: it gives
        tokens to everybody who can reach it.
    state
        SQLite file that everything is kept in, so that an emulator goes on where the last one with this file ended,
        however that was; with port 0 it listens where that one did. By default nothing is kept.
    access_log
        File that gets a JSON line for each request; none by default.
    guests
        Lets machines that are Running answer SSH on loopback addresses and run commands as the user of the emulator;
        by default there is nothing behind a machine, and addresses are of ranges that lead nowhere.
    clock
        What time it is.
    """

    host: str = "127.0.0.1"
    port: int = 0
    directory: Path | None = None
    latency: LatencyMode = LatencyMode.RECORDED
    time_scale: float = 1.0
    seed: int | None = None
    locations: tuple[str, ...] = DEFAULT_LOCATIONS
    resource_groups: tuple[tuple[str, str], ...] = ()
    subscription_id: str | None = None
    limits: LimitMode = LimitMode.ENFORCED
    token_lifetime_seconds: float = DEFAULT_TOKEN_LIFETIME_SECONDS
    applications: tuple[Application, ...] = ()
    managed_identities: tuple[ManagedIdentity, ...] = ()
    metadata_port: int | None = None
    state: Path | None = None
    access_log: Path | None = None
    guests: GuestConfig | None = None
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        if self.time_scale <= 0:
            raise ValueError(f"The time scale must be greater than 0, not {self.time_scale}.")
        if not self.locations:
            raise ValueError("At least one location is needed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConnection:
    """How clients reach an emulator: the settings of any cloud that is not the public one.

    Parameters
    ----------
    endpoint
        Base URL of Azure Resource Manager.
    authority
        Base URL of the token endpoint.
    audience
        What tokens are asked for, without ``/.default``.
    tenant_id, client_id, client_secret, subscription_id
        Who asks, and about what.
    ca_bundle
        PEM file with the authority to trust.
    metadata
        How programs reach the instance metadata service; None where there is none.
    """

    endpoint: str
    authority: str
    audience: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    subscription_id: str
    ca_bundle: Path
    metadata: MetadataConnection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataConnection:
    """How programs reach the instance metadata service.

    Parameters
    ----------
    endpoint
        Base URL, plain HTTP on the loopback interface.
    app_service_endpoint, header_secret
        App Service's form of the same: ``IDENTITY_ENDPOINT`` and ``IDENTITY_HEADER``.
    """

    endpoint: str
    app_service_endpoint: str
    header_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminConnection:
    """How an emulator's own API is reached.

    Parameters
    ----------
    endpoint
        Base URL, ``https://…/emulator/v1``.
    token
        Bearer token; no Azure token.
    ca_bundle
        PEM file with the authority to trust.
    """

    endpoint: str
    token: str = field(repr=False)
    ca_bundle: Path
