"""What is around a host beside the object and the cloud: its holder's Lease, and what its guest says of itself.

Asked by the reconciler before a pass and told after it. It decides nothing: what a lost holder, a silent guest or an
empty console means is ``lifecycle``'s.
"""

from benchhost.api.host import BenchHost
from benchhost.controller.holders import Holders
from benchhost.controller.key_reads import KeyReads
from benchhost.controller.probes import ReadinessProbes, Target
from benchhost.controller.store import Key
from benchhost.lifecycle import Circumstances, are_keys_awaited, boot_of, is_awaited, port_of


class Surroundings:
    """Everything that a pass has to know and that is read somewhere else.

    Parameters
    ----------
    holders
        Reads Leases.
    probes
        Ask guests.
    keys
        Reads host keys off consoles.
    """

    def __init__(self, holders: Holders, probes: ReadinessProbes, keys: KeyReads) -> None:
        self._holders = holders
        self._probes = probes
        self._keys = keys

    async def gather(self, host: BenchHost) -> Circumstances:
        """What is known now."""
        return Circumstances(
            holder=await self._holders.read(host),
            answered_at=self._probes.answered_at(host.key, boot_of(host.status)),
            host_keys=self._keys.found(host),
        )

    def follow(self, host: BenchHost) -> None:
        """Let the guest be asked, or its console be read, for as long as the host, as last reported, waits for it."""
        self._follow_port(host)
        if are_keys_awaited(host, host.status):
            self._keys.follow(host)
        else:
            self._keys.forget(host.key)

    def forget(self, key: Key) -> None:
        """The host is gone."""
        self._probes.forget(key)
        self._keys.forget(key)

    def _follow_port(self, host: BenchHost) -> None:
        readiness, endpoint = host.spec.readiness, host.status.ssh_endpoint
        if readiness is None or endpoint is None or not is_awaited(host, host.status):
            self._probes.forget(host.key)
            return
        target = Target(endpoint.host, port_of(host), float(readiness.period_seconds))
        self._probes.ask(host.key, target, boot_of(host.status))
