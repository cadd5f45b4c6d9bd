"""The text of a machine's serial console: the platform's part of boot diagnostics.

Called for the blob that `retrieveBootDiagnosticsData` leads to. The lines are those that an Ubuntu image prints, in
short; they appear while an operation runs, each at its part of the boot, and stay. Real logs are longer, and their
text is the guest's own: a client must not parse more out of it than a person would.
"""

from __future__ import annotations

import heapq
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchhost.emulator.cloud.compute.guest import GuestEvent, GuestEventKind, event_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.operations import Operation

NOMINAL_BOOT_SECONDS = 20.0
"""What the kernel's own clock shows at the end of a boot, however long the emulated one takes."""

_KERNEL = (
    (0.0, "Linux version 6.14.0-1017-azure (buildd@lcy02) #17~24.04.1-Ubuntu SMP"),
    (0.0, "Command line: BOOT_IMAGE=/vmlinuz-6.14.0-1017-azure root=PARTUUID=8a1b console=tty1 console=ttyS0"),
    (0.05, "Hypervisor detected: Microsoft Hyper-V"),
    (0.1, "hv_vmbus: Vmbus version:5.3"),
    (0.15, "scsi host0: storvsc_host_t"),
    (0.2, "hv_netvsc: VF slot 1 added"),
    (0.25, "EXT4-fs (sda1): mounted filesystem with ordered data mode."),
    (0.3, "systemd[1]: Hostname set to <{host}>."),
    (0.35, "systemd[1]: Started systemd-networkd.service - Network Configuration."),
)
_CLOUD_INIT = (
    (0.45, "Cloud-init v. 25.2-0ubuntu1~24.04.1 running 'init-local' at {time}. Up {up:.2f} seconds."),
    (0.5, "Cloud-init v. 25.2-0ubuntu1~24.04.1 running 'init' at {time}. Up {up:.2f} seconds."),
    (0.55, "ci-info: Net device info: eth0 up"),
    (0.75, "Cloud-init v. 25.2-0ubuntu1~24.04.1 running 'modules:config' at {time}. Up {up:.2f} seconds."),
    (0.85, "Cloud-init v. 25.2-0ubuntu1~24.04.1 running 'modules:final' at {time}. Up {up:.2f} seconds."),
)
_FIRST_BOOT = (
    (0.6, "Generating public/private ed25519 key pair."),
    (0.65, "ci-info: Authorized keys from /home/{admin}/.ssh/authorized_keys for user {admin}"),
)
_FINISHED = (
    (1.0, "Cloud-init v. 25.2-0ubuntu1~24.04.1 finished at {time}. Datasource DataSourceAzure. Up {up:.2f} seconds"),
    (1.0, "Ubuntu 24.04.3 LTS {host} ttyS0"),
    (1.0, "{host} login: "),
)
_RESUMED = (
    (0.0, "PM: Image signature found, resuming"),
    (0.5, "PM: Image successfully loaded"),
    (1.0, "PM: hibernation: hibernation exit"),
)
_HIBERNATED = (
    (0.0, "PM: hibernation: hibernation entry"),
    (0.3, "PM: hibernation: Creating image:"),
    (1.0, "PM: Image saving done"),
    (1.0, "reboot: Power down"),
)
_SHUT_DOWN = (
    (0.0, "systemd[1]: Stopping User Manager for UID 1000..."),
    (0.6, "systemd[1]: Reached target poweroff.target - System Power Off."),
    (1.0, "reboot: Power down"),
)


def serial_log(machine: VirtualMachine, operation: Operation | None, now: float) -> str:
    """Return what the serial console has printed until ``now``.

    Parameters
    ----------
    machine
        Whose console.
    operation
        What is under way on it, None for nothing.
    now
        Seconds since 1970.
    """
    events = list(machine.guest_events)
    under_way = None if operation is None else event_of(machine, operation)
    if under_way is not None:
        events.append(under_way)
    printed = [(line.at, line.text) for line in machine.console_lines if line.at <= now]
    platform = [line for event in events for line in _lines_of(machine, event, now)]
    return "".join(f"{text}\n" for _, text in heapq.merge(platform, printed, key=lambda line: line[0]))


def _lines_of(machine: VirtualMachine, event: GuestEvent, now: float) -> Iterator[tuple[float, str]]:
    whole = event.ended - event.began
    for part, text in _script(event):
        at = event.began + part * whole
        if at > now:
            return
        up = part * NOMINAL_BOOT_SECONDS
        line = _stamped(text, up).format(
            host=_host(machine), admin=_admin(machine), time=_time(at), up=up, failure=event.failure
        )
        yield at, line


def _script(event: GuestEvent) -> list[tuple[float, str]]:
    match event.kind:
        case GuestEventKind.PROVISION:
            return _boot(event, (*_CLOUD_INIT, *_FIRST_BOOT))
        case GuestEventKind.BOOT:
            return _boot(event, _CLOUD_INIT)
        case GuestEventKind.RESUME:
            return [*_KERNEL[:4], *_RESUMED]
        case GuestEventKind.HIBERNATE:
            return list(_HIBERNATED)
        case GuestEventKind.SHUTDOWN:
            return list(_SHUT_DOWN)


def _boot(event: GuestEvent, services: tuple[tuple[float, str], ...]) -> list[tuple[float, str]]:
    """Return the lines of a boot; one that failed stops where the services should have come to their end."""
    lines = sorted((*_KERNEL, *services), key=lambda line: line[0])
    if event.failure is None:
        return [*lines, *_FINISHED]
    failed = (1.0, "cloud-init[812]: {time} - azure.py[ERROR]: Provisioning failed: {failure}")
    return [*(line for line in lines if line[0] < _CLOUD_INIT[-1][0]), failed]


def _stamped(text: str, up: float) -> str:
    is_console = text.startswith(("{host}", "Ubuntu"))
    return text if is_console else f"[{up:12.6f}] {text}"


def _host(machine: VirtualMachine) -> str:
    return str((machine.properties.get("osProfile") or {}).get("computerName", machine.id.name))


def _admin(machine: VirtualMachine) -> str:
    return str((machine.properties.get("osProfile") or {}).get("adminUsername", "root"))


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    return f"{moment:%a, %d %b %Y %H:%M:%S +0000}"
