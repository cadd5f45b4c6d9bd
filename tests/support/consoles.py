"""Serial consoles as Ubuntu images with cloud-init print them, in short, with keys that no host has."""

from typing import Final

ED25519: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIyVB6g/AAw+fwsmoTsME1RbvoHo3Am+ldsAABHaU/W"
OTHER_ED25519: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMd5jFydndwr6QQTbsq0UYBnQdgP6rmR1if6WqWwz/76"
ECDSA: Final = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNerOEeZJ31/zbkcpCGX6L8D10Fu"
    "No3SXrV98ULQz3HNr6XQyUGmIneQHgI5phlZl0OhUqb51imvo26Spc8I0Z8="
)
RSA: Final = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCUobtm2UmrQBQouMpQwp2Nv9TtMkUUj0erP3TbHRV5QRCnuTLXlk6BYpLfFLXd"
    "TfRWSW5tu0A1FNpQAZkZCJLXhwELmHxHMD5C274i/iNJ3TB0At2yA0XqM/RMcMuR5sSgNkRqvXB7xEJwHpkVKnXtf8c8b3w7mEsY"
    "IX03TqYpdwIRHE7DWo5kbvRiiSjdrq42SKGmzYNF3rrgSGnH3nlqmaVVfegtNVH8kwLQAg/aba915Go+A4ORAvNHnbqPwBGZKC46"
    "i1pQqVbBhx3wHeQgu7MpnaQa5G/6S3Uxy+jWPCYR+h31gk1TvGfXNEH0ml04nL7DRN8dz1cCSI8mPu2+/PjKRdDwaI87yNJe6a1K"
    "iiJI9bqfzrprzV0TyF8AdNG2GuipzSlTkt3aMNHeomyuGYo4sRUwvtyUE8f9QFF2h16ZKyj5l5Qj4kJyt4CAWlYaljzRGAC9eGyt"
    "OnZaLWLQuVTJJ4LMbx6iAMhj386yAZD88AB3//sq+QNdeCEKCv8="
)

_BEFORE: Final = """\
[    0.000000] Linux version 6.14.0-1017-azure (buildd@lcy02) #17~24.04.1-Ubuntu SMP
[  OK  ] Reached target cloud-init.target - Cloud-init target.
[   12.345678] cloud-init[812]: Cloud-init v. 25.2-0ubuntu1~24.04.1 running 'modules:final'. Up 12.31 seconds.
<14>Jan  6 15:27:31 cloud-init: #############################################################
<14>Jan  6 15:27:31 cloud-init: -----BEGIN SSH HOST KEY FINGERPRINTS-----
<14>Jan  6 15:27:31 cloud-init: 256 SHA256:BOyEUuM4iXqSIlaoCcp+wOsLB3w+ZBZLPxxNdEY7WkQ root@pg-1 (ED25519)
<14>Jan  6 15:27:31 cloud-init: -----END SSH HOST KEY FINGERPRINTS-----
<14>Jan  6 15:27:31 cloud-init: #############################################################
"""
_AFTER: Final = """\
[   12.398765] cloud-init[812]: Cloud-init v. 25.2-0ubuntu1~24.04.1 finished. Datasource DataSourceAzure.
Ubuntu 24.04.3 LTS pg-1 ttyS0

pg-1 login: """


def block(*keys: str) -> str:
    """The block that these keys are printed in, each with a comment."""
    lines = [f"{key} root@pg-1" for key in keys]
    return "\n".join(["-----BEGIN SSH HOST KEY KEYS-----", *lines, "-----END SSH HOST KEY KEYS-----", ""])


def console(*keys: str) -> str:
    """A console at the end of a first boot; without keys, of any other boot."""
    return (_BEFORE + (block(*keys) if keys else "") + _AFTER).replace("\n", "\r\n")
