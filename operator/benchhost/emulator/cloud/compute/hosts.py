"""The hidden hosts that machines sit on, and how fast each one is.

No API of Azure shows a host: `allocation` asks for one whenever hardware is allocated, and only the emulator's own
administration shows it. A pool holds the hosts of one kind of hardware in one zone, so that two machines may share
a host and a machine that moves away may come back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from benchhost.emulator.cloud.identifiers import IdentifierSource

VARIATION = {"cpu": 0.01, "memory": 0.1439, "disk": 0.01, "network": 0.05}
"""Coefficient of variation between hosts. TUNA (EuroSys 2025, arXiv 2503.01801; 68 weeks, more than 43,000 Azure
machines) bounds it: below 1 % for processor and disk, up to 14.39 % for memory and caches. The bounds are taken, on
the safe side for whoever has to cope with them; it has no number for the network, which is this project's guess."""

HOST_CORES = 192
"""How many vCPUs a host lends out; assumption, the largest size of the catalogue has 160."""

POOL_HOSTS = 16
"""How many hosts a pool has before it is full; assumption. A full pool grows."""


@dataclass(frozen=True, slots=True)
class SpeedFactors:
    """How fast each component of a host is, where 1 is the middle of all hosts and more is faster."""

    cpu: float
    memory: float
    disk: float
    network: float


@dataclass(slots=True, kw_only=True)
class Host:
    """One hidden host.

    Parameters
    ----------
    id
        A GUID.
    location, zone, hardware
        Which pool it belongs to; a machine without a zone sits in the pool without one, and a dedicated host is
        a pool by itself, named by its id.
    factors
        How fast it is, for good.
    used_cores
        vCPUs that are lent out.
    """

    id: str
    location: str
    zone: str | None
    hardware: str
    factors: SpeedFactors
    used_cores: int = 0


class Hosts:
    """All hidden hosts of a subscription.

    Parameters
    ----------
    identifiers
        Gives ids, and the randomness of speeds and choices.
    """

    def __init__(self, identifiers: IdentifierSource) -> None:
        self._identifiers = identifiers
        self.hosts: dict[str, Host] = {}
        self.dedicated: dict[str, str] = {}

    def take(self, hardware: str, cores: int, *, location: str, zone: str | None, avoided: str | None = None) -> Host:
        """Lend out vCPUs of a host drawn from the pool; ``avoided`` is the one that must not come out again."""
        pool = [
            host
            for host in self.hosts.values()
            if (host.hardware, host.location, host.zone) == (hardware, location, zone)
        ]
        while len(pool) < POOL_HOSTS:
            pool.append(self._make(hardware, location=location, zone=zone))
        fitting = [host for host in pool if host.id != avoided and host.used_cores + cores <= HOST_CORES]
        if not fitting:
            fitting = [self._make(hardware, location=location, zone=zone)]
        chosen = self._identifiers.random.choice(fitting)
        chosen.used_cores += cores
        return chosen

    def take_dedicated(self, dedicated_id: str, hardware: str, cores: int, *, location: str) -> Host:
        """Lend out vCPUs of the one host that a dedicated host is, which the caller knows to have room."""
        if dedicated_id not in self.dedicated:
            # A pool of its own keeps everybody else away from it.
            made = self._make(hardware, location=location, zone=dedicated_id)
            self.dedicated[dedicated_id] = made.id
        chosen = self.hosts[self.dedicated[dedicated_id]]
        chosen.used_cores += cores
        return chosen

    def give_back(self, host_id: str, cores: int) -> None:
        """Take lent vCPUs back."""
        self.hosts[host_id].used_cores -= cores

    def stretch(self, host_id: str, *, before: int, after: int) -> bool:
        """Change how many vCPUs one machine has of a host; False, and no change, when there is no room."""
        host = self.hosts[host_id]
        if host.used_cores - before + after > HOST_CORES:
            return False
        host.used_cores += after - before
        return True

    def _make(self, hardware: str, *, location: str, zone: str | None) -> Host:
        source = self._identifiers.random
        host = Host(
            id=self._identifiers.guid(),
            location=location,
            zone=zone,
            hardware=hardware,
            factors=SpeedFactors(**{name: _draw(source, variation) for name, variation in VARIATION.items()}),
        )
        self.hosts[host.id] = host
        return host


def _draw(source: random.Random, variation: float) -> float:
    """Draw from a lognormal distribution with median 1 and that coefficient of variation."""
    return source.lognormvariate(0.0, math.sqrt(math.log1p(variation**2)))
