"""Chooses free TCP ports on loopback. Used by `LocalControlPlane`.

Another process may bind a port between the choice and its use. No lock helps against that; the start notices it
and tries again with others.
"""

from __future__ import annotations

import contextlib
import socket

from benchhost.local.components import LOOPBACK, Ports

__all__ = ["choose_ports"]


def choose_ports() -> Ports:
    """Choose ports that are free now and differ from each other."""
    with contextlib.ExitStack() as held:
        numbers = []
        for _ in range(3):
            listener = held.enter_context(socket.socket())
            listener.bind((LOOPBACK, 0))
            numbers.append(listener.getsockname()[1])
    etcd, api_server, controller_manager = numbers
    return Ports(etcd=etcd, api_server=api_server, controller_manager=controller_manager)
