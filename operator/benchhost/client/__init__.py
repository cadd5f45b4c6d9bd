"""A client for BenchHosts: create, patch, delete, read, watch and wait, synchronous and without polling.

Imports the ``kubernetes`` package and ``benchhost.api`` only: a program that asks for hosts needs neither the
controller nor a cloud SDK.
"""

from benchhost.client.client import BenchHostClient
from benchhost.client.connection import ConnectionSettings
from benchhost.client.errors import (
    ClientError,
    ConfigurationError,
    ConflictError,
    CrdMissingError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
    UnreadableError,
    UntrustedServerError,
    WaitTimeoutError,
)
from benchhost.client.leases import LeaseClient, LeaseOwner
from benchhost.client.retry import Deadline
from benchhost.client.secrets import read_secret
from benchhost.client.watch import EventType, WatchEvent

__all__ = [
    "BenchHostClient",
    "ClientError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionSettings",
    "CrdMissingError",
    "Deadline",
    "EventType",
    "ForbiddenError",
    "LeaseClient",
    "LeaseOwner",
    "NotFoundError",
    "RefusedError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "UnreadableError",
    "UntrustedServerError",
    "WaitTimeoutError",
    "WatchEvent",
    "read_secret",
]
