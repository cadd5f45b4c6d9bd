"""Loopback addresses of an emulator's own, so that several emulators on one machine give out different ones.

Linux routes all of 127.0.0.0/8 to the loopback interface. A block is taken by listening on its first address at the
port of the guests, which the system allows to one program only, and is free again when that program ends, however that
was. Called by `benchhost.emulator.server` when it starts.
"""

from __future__ import annotations

import errno
import secrets
import socket
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.network.addresses import LOOPBACK_PREFIX
from benchhost.emulator.settings import LoopbackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

RANGE = IPv4Network("127.64.0.0/10")
"""Away from 127.0.0.0/16, which is where people put what they choose by hand."""

BLOCK_PREFIX = LOOPBACK_PREFIX - 1
"""Of a block, the lower half is for public addresses and the upper one for machines that have none."""

_BLOCKS = 2 ** (BLOCK_PREFIX - RANGE.prefixlen)


@dataclass(slots=True)
class LoopbackBlock:
    """A block that is taken until `close`.

    Parameters
    ----------
    network
        Its addresses.
    """

    network: IPv4Network
    _holder: socket.socket

    @property
    def public(self) -> IPv4Network:
        """What public addresses are given from."""
        return next(self.network.subnets(new_prefix=LOOPBACK_PREFIX))

    @property
    def private(self) -> IPv4Network:
        """What machines without a public address get theirs from."""
        *_, upper = self.network.subnets(new_prefix=LOOPBACK_PREFIX)
        return upper

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the block back."""
        self._holder.close()


def take_block(port: int, *, preferred: str | None = None, seed: int | None = None) -> LoopbackBlock:
    """Take a block that nobody has at that port.

    Parameters
    ----------
    port
        Where guests listen.
    preferred
        The block of an earlier run, which is tried first.
    seed
        The same seed begins to look at the same block; None at any.

    Raises
    ------
    LoopbackError
        When there is none.
    """
    for network in _candidates(preferred, seed):
        holder = socket.socket()
        try:
            holder.bind((str(network.network_address), port))
            holder.listen(1)
        except OSError as error:
            holder.close()
            if error.errno != errno.EADDRINUSE:
                raise LoopbackError(_reason(error, network, port)) from error
        else:
            return LoopbackBlock(network, holder)
    raise LoopbackError(
        f"Port {port} is in use on every loopback address, so no guest can listen there. Choose another with "
        "--guest-port."
    )


def _candidates(preferred: str | None, seed: int | None) -> Iterator[IPv4Network]:
    if preferred is not None:
        yield IPv4Network(preferred)
    first = secrets.randbelow(_BLOCKS) if seed is None else seed % _BLOCKS
    size = 2 ** (RANGE.max_prefixlen - BLOCK_PREFIX)
    for number in range(_BLOCKS):
        start = int(RANGE.network_address) + (first + number) % _BLOCKS * size
        yield IPv4Network((start, BLOCK_PREFIX))


def _reason(error: OSError, network: IPv4Network, port: int) -> str:
    if error.errno == errno.EACCES:
        return f"Guests may not listen on port {port}; choose one above 1023 with --guest-port."
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"Guests need loopback addresses of their own, and {network.network_address} does not exist here. Linux "
            f"has all of 127.0.0.0/8; elsewhere add them first (macOS: sudo ifconfig lo0 alias "
            f"{network.network_address}, and so on for each), with --seed so that they are the same every time."
        )
    return f"Guests cannot listen on {network.network_address}, port {port}: {error.strerror}."
