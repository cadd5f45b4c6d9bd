"""The SSH host keys that a guest printed on its serial console. Pure; used by ``key_reads``.

cloud-init's ``keys_to_console`` prints one block for each disk, at the end of its first boot. Real consoles mix lines
of the kernel and of systemd into it, put a time or a program's name in front, and lose characters. The text is the
guest's: nothing but whole, well-formed keys of known types leaves this module.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

_BEGIN: Final = "-----BEGIN SSH HOST KEY KEYS-----"
_END: Final = "-----END SSH HOST KEY KEYS-----"
_LONGEST_BLOCK: Final = 64 * 1024
"""Characters; four keys and what else is printed meanwhile are a few thousand."""
_MOST_KEYS: Final = 8
_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours and cursor movements of a terminal."""
_KEY: Final = re.compile(
    r"(?<!\S)(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]{32,4096}={0,2})(?!\S)"
)
_SIZE_LENGTH: Final = 4
"""Bytes of a field's length (RFC 4251 5)."""
_ED25519_LENGTH: Final = 32
_RSA_LENGTHS: Final = range(1024 // 8, 16384 // 8 + 2)
"""Bytes of a modulus that OpenSSH works with (SSH_RSA_MINIMUM_MODULUS_SIZE, OPENSSL_RSA_MAX_MODULUS_BITS), with the
zero before it."""
_POINT_LENGTHS: Final = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
"""Bytes of an uncompressed point (RFC 5656, SEC 1)."""


def host_keys_on(console: str) -> tuple[str, ...]:
    """The keys of the last complete block, as known_hosts has them behind the host; empty when there are none."""
    end = console.rfind(_END)
    begin = console.rfind(_BEGIN, 0, end) if end >= 0 else -1
    if begin < 0 or end - begin > _LONGEST_BLOCK:
        return ()
    found: dict[str, None] = {}
    for key in _keys_in(console[begin + len(_BEGIN) : end]):
        found.setdefault(key)
    return tuple(found)[:_MOST_KEYS]


def _keys_in(block: str) -> Iterator[str]:
    for line in _ESCAPE.sub("", block).splitlines():
        match = _KEY.search(line)
        if match is not None and _is_well_formed(match[1], match[2]):
            yield f"{match[1]} {match[2]}"


def _is_well_formed(kind: str, text: str) -> bool:
    """Whether the text is one whole key of that type (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4), with no letter lost."""
    try:
        fields = _fields(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
    name = kind.encode()
    match fields:
        case [first, point] if kind == "ssh-ed25519":
            return first == name and len(point) == _ED25519_LENGTH
        case [first, exponent, modulus] if kind == "ssh-rsa":
            return first == name and bool(exponent) and len(modulus) in _RSA_LENGTHS
        case [first, curve, point]:
            expected = kind.removeprefix("ecdsa-sha2-")
            return (first, curve) == (name, expected.encode()) and len(point) == _POINT_LENGTHS.get(expected)
        case _:
            return False


def _fields(blob: bytes) -> list[bytes]:
    """The strings that a key is made of, each with its length in front.

    Raises
    ------
    ValueError
        If they do not make up the whole of it.
    """
    fields = []
    while blob:
        start = _SIZE_LENGTH
        end = start + int.from_bytes(blob[:start], "big")
        if len(blob) < end:
            raise ValueError("a field is cut off")
        fields.append(blob[start:end])
        blob = blob[end:]
    return fields
