"""Boot diagnostics: whether a machine has them, how its blobs are called, and what the screenshot shows.

Only managed storage is emulated. A storage account of the client's own would have to exist, and none does here.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body

CONTAINER_PREFIX = "bootdiagnostics-"
DEFAULT_MINUTES = 120
MAX_MINUTES = 1440
"""For how long an address is good, and for how long at most (docstring of azure-mgmt-compute)."""

SCREEN_WIDTH, SCREEN_HEIGHT = 640, 400
_BYTES_PER_LINE = SCREEN_WIDTH // 8
_HEADER_BYTES = 62
_NAME_CHARACTERS = 9


def settings_of(properties: Body) -> Body:
    """Return ``diagnosticsProfile.bootDiagnostics``, empty where there is none."""
    return (properties.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}


def check_diagnostics(properties: Body) -> None:
    """Refuse boot diagnostics in a storage account of the client's own.

    Raises
    ------
    ArmError
        ``StorageAccountNotFound`` with the sentence of ``error-messages.md``.
    """
    uri = settings_of(properties).get("storageUri")
    if uri:
        account = str(uri).partition("//")[2].partition(".")[0]
        raise errors.bad_request(
            "StorageAccountNotFound",
            f"Storage account {account} not found. Ensure storage account is not deleted and belongs to the same Azure "
            "location as the VM.",
            target="bootDiagnostics.storageUri",
        )


def require_diagnostics(machine: VirtualMachine) -> None:
    """Refuse to show a machine's diagnostics while they are off.

    Raises
    ------
    ArmError
        ``OperationNotAllowed``; no recording of the refusal was found, so status, code and wording are assumed.
    """
    if not settings_of(machine.properties).get("enabled"):
        raise errors.conflict(
            "OperationNotAllowed",
            f"Boot diagnostics is not enabled for VM '{machine.id.name}'. Enable boot diagnostics and try again.",
        )


def check_minutes(text: str | None) -> int:
    """Return for how many minutes addresses are to be good.

    Raises
    ------
    ArmError
        ``InvalidParameter`` for anything but 1 to 1440.
    """
    if text is None:
        return DEFAULT_MINUTES
    if text.isdecimal() and 1 <= int(text) <= MAX_MINUTES:
        return int(text)
    raise errors.invalid_parameter(
        f"The value '{text}' of parameter 'sasUriExpirationTimeInMinutes' is out of range. The value must be between "
        f"'1' and '{MAX_MINUTES}', inclusive.",
        "sasUriExpirationTimeInMinutes",
    )


def container_of(machine: VirtualMachine) -> str:
    """Return the container of a machine's blobs: nine letters of its name and its id, as Azure makes it."""
    letters = "".join(letter for letter in machine.id.name.lower() if letter.isalnum())[:_NAME_CHARACTERS]
    return f"{CONTAINER_PREFIX}{letters}-{machine.guid}"


def blob_of(machine: VirtualMachine, kind: str) -> str:
    """Return the name of a blob; ``kind`` is ``serialconsole.log`` or ``screenshot.bmp``."""
    return f"{machine.id.name}.{machine.guid}.{kind}"


def screenshot(machine: VirtualMachine) -> bytes:
    """Return a picture of the console in black and white: dark while off, with a cursor while running."""
    lines = bytearray(_BYTES_PER_LINE * SCREEN_HEIGHT)
    if machine.power is PowerState.RUNNING:
        for row in (-16, -17):
            lines[row * _BYTES_PER_LINE] = 0xFF
    size = _HEADER_BYTES + len(lines)
    header = struct.pack("<2sIHHI", b"BM", size, 0, 0, _HEADER_BYTES)
    picture = struct.pack("<IiiHHIIiiII", 40, SCREEN_WIDTH, SCREEN_HEIGHT, 1, 1, 0, len(lines), 2835, 2835, 2, 0)
    palette = struct.pack("<II", 0x000000, 0xFFFFFF)
    return header + picture + palette + bytes(lines)
