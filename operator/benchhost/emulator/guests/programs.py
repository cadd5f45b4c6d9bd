"""Programs that come first on the PATH of a guest, because the laptop's own would do to the laptop what they are asked.

`disk` writes them. mlos_bench's SshHostService runs ``sudo shutdown`` to stop a host and ``sudo reboot`` to restart it;
here these ask the guest's first process, which tells the emulator. ``sudo`` runs what it is given as the same user.
"""

from __future__ import annotations

_OFF = 'kill -USR1 "$BENCHHOST_GUEST_INIT"'
_RESTART = 'kill -USR2 "$BENCHHOST_GUEST_INIT"'

_SHUTDOWN = f"""#!/bin/sh
# Ends this guest, and not the machine that it runs on. It does so at once, whatever time is given.
for argument in "$@"; do
  case "$argument" in
    -r|--reboot) {_RESTART}; exit ;;
    -c) exit 0 ;;
  esac
done
{_OFF}
"""

_REBOOT = f"""#!/bin/sh
# Starts this guest anew, and not the machine that it runs on.
{_RESTART}
"""

_SYSTEMCTL = f"""#!/bin/sh
# A guest has no services. The services of the machine that it runs on are not its own.
for argument in "$@"; do
  case "$argument" in
    poweroff|halt) {_OFF}; exit ;;
    reboot) {_RESTART}; exit ;;
  esac
done
echo "systemctl: a guest of the emulator has no systemd; it can poweroff and reboot." >&2
exit 1
"""

_SUDO = """#!/bin/sh
# Runs a command as the same user: there is no root in a guest.
while [ $# -gt 0 ]; do
  case "$1" in
    --) shift; break ;;
    -u|-g|--user|--group) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
exec env -- "$@"
"""

_CLOUD_INIT = """#!/bin/sh
# Tells whether the first boot has run all of the custom data.
done="$BENCHHOST_GUEST/var/lib/cloud/instance/boot-finished"
[ "$1" = status ] || { echo "cloud-init: a guest of the emulator only knows status [--wait]." >&2; exit 1; }
case "$*" in *--wait*) while [ ! -e "$done" ]; do sleep 0.1; done ;; esac
if [ -e "$done" ]; then echo "status: done"; else echo "status: running"; fi
"""

PROGRAMS = {
    "shutdown": _SHUTDOWN,
    "poweroff": _SHUTDOWN,
    "halt": _SHUTDOWN,
    "reboot": _REBOOT,
    "systemctl": _SYSTEMCTL,
    "sudo": _SUDO,
    "cloud-init": _CLOUD_INIT,
}
"""The text of each, by its name."""
