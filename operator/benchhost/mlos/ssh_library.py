"""asyncssh, in the version that mlos_bench 0.6.2 asks for, without its warnings.

That version imports old ciphers, which nobody here uses, from where the cryptography package does not want them any
more. Import asyncssh from here, before anything of mlos_bench imports it. Nor does it log each command: a command holds
the environment's parameters, and those may be secret.
"""

import logging
import warnings

from cryptography.utils import CryptographyDeprecationWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)
    import asyncssh
    from mlos_bench.services.remote.ssh.ssh_fileshare import CopyMode, SshFileShareService
    from mlos_bench.services.remote.ssh.ssh_host_service import SshHostService
    from mlos_bench.services.remote.ssh.ssh_service import SshService

asyncssh.set_log_level(logging.WARNING)

__all__ = ["CopyMode", "SshFileShareService", "SshHostService", "SshService", "asyncssh"]
