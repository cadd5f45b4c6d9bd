"""What is around a host beside the object and the cloud: its holder's Lease, and whether its guest answers.

Asked by the reconciler before a pass and told after it. It decides nothing: what a lost holder or a silent guest
means is ``lifecycle``'s.
"""

from benchhost.api.host import BenchHost
from benchhost.controller.holders import Holders
from benchhost.controller.probes import ReadinessProbes, Target
from benchhost.controller.store import Key
from benchhost.lifecycle import Circumstances, boot_of, is_awaited


class Surroundings:
    """Everything that a pass has to know and that is read somewhere else.

    Parameters
    ----------
    holders
        Reads Leases.
    probes
        Ask guests.
    """

    def __init__(self, holders: Holders, probes: ReadinessProbes) -> None:
        self._holders = holders
        self._probes = probes

    async def gather(self, host: BenchHost) -> Circumstances:
        """What is known now."""
        return Circumstances(
            holder=await self._holders.read(host),
            answered_at=self._probes.answered_at(host.key, boot_of(host.status)),
        )

    def follow(self, host: BenchHost) -> None:
        """Let the guest be asked for as long as the host, as it was last reported, waits for an answer."""
        readiness, endpoint = host.spec.readiness, host.status.ssh_endpoint
        if readiness is None or endpoint is None or not is_awaited(host, host.status):
            self._probes.forget(host.key)
            return
        target = Target(endpoint.host, readiness.tcp_port, float(readiness.period_seconds))
        self._probes.ask(host.key, target, boot_of(host.status))

    def forget(self, key: Key) -> None:
        """The host is gone."""
        self._probes.forget(key)
