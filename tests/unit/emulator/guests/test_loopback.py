"""Blocks of loopback addresses: one for each emulator on a machine."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.guests.disk import Account, Disk
from benchhost.emulator.guests.loopback import RANGE, take_block
from benchhost.emulator.guests.server import listen
from benchhost.emulator.settings import GuestConfig, LoopbackError

if TYPE_CHECKING:
    from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_block_is_taken_once_and_free_again_afterwards() -> None:
    port = free_port()
    with take_block(port, seed=3) as one:
        assert one.network == IPv4Network("127.64.48.0/20")
        with take_block(port, seed=3) as two, take_block(port, preferred=str(one.network), seed=3) as three:
            assert len({one.network, two.network, three.network}) == 3
    with take_block(port, preferred=str(one.network)) as again:
        assert again.network == one.network


def test_the_blocks_after_the_last_one_are_the_first() -> None:
    port = free_port()
    with take_block(port, seed=1023) as last, take_block(port, seed=1023) as first:
        assert str(last.network) == "127.127.240.0/20"
        assert str(first.network) == "127.64.0.0/20"
        assert last.network.subnet_of(RANGE)


def test_public_and_private_addresses_do_not_meet() -> None:
    with take_block(free_port(), seed=0) as block:
        assert (str(block.public), str(block.private)) == ("127.64.0.0/21", "127.64.8.0/21")


def test_a_port_that_somebody_has_on_all_addresses_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        with pytest.raises(LoopbackError, match=r"in use on every loopback address.*--guest-port"):
            take_block(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(errno.EADDRNOTAVAIL, "ifconfig lo0 alias 127.64.0.0", id="only-one-loopback-address"),
        pytest.param(errno.EACCES, "choose one above 1023", id="a-port-for-root"),
        pytest.param(errno.ENETDOWN, "Network is down", id="anything-else"),
    ],
)
def test_addresses_that_cannot_be_had_are_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "Network is down")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(LoopbackError, match=words):
        take_block(2222, seed=0)


def test_there_is_no_port_0() -> None:
    with pytest.raises(ValueError, match="cannot listen on port 0"):
        GuestConfig(port=0)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - what must not be
async def test_a_guest_answers_on_loopback_addresses_only(address: str, tmp_path: Path) -> None:
    account, disk = Account(user="tester", keys=()), Disk(tmp_path)
    disk.make(account, "vm")
    with pytest.raises(ValueError, match="no loopback address"):
        await listen(address, free_port(), account=account, login=None, host_key=disk.host_key())  # type: ignore[arg-type]
