"""An emulated Azure Resource Manager for the real Azure SDKs.

It stands for a server that somebody else wrote: nothing else of BenchHost is imported here, and nothing of this
is known to the controller, which reaches it through the settings that any private Azure cloud needs.
"""

from benchhost.emulator.arm.rate_limits import LimitMode
from benchhost.emulator.cloud.latency import LatencyMode
from benchhost.emulator.server import ArmEmulator
from benchhost.emulator.settings import AdminConnection, EmulatorConfig, EmulatorConnection, GuestConfig, LoopbackError

__all__ = [
    "AdminConnection",
    "ArmEmulator",
    "EmulatorConfig",
    "EmulatorConnection",
    "GuestConfig",
    "LatencyMode",
    "LimitMode",
    "LoopbackError",
]
