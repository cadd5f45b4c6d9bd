"""Guests: what answers SSH on the address of a machine that is Running, and runs commands in a folder of its own.

`Guests` follows the emulated cloud: it never changes what a machine is, except when a guest turns itself off. Nothing
here is imported by an emulator that has no guests.
"""

import warnings

from cryptography.utils import CryptographyDeprecationWarning

with warnings.catch_warnings():
    # Old asyncssh names ciphers that cryptography is about to move; no guest offers them.
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    import asyncssh  # noqa: F401 - every module of this package finds it imported
