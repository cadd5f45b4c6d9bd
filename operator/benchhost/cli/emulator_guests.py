"""``benchhost emulator guests``: where the guest of each machine answers SSH.

Mounted by `benchhost.cli.emulator`.
"""

from __future__ import annotations

from benchhost.cli.emulator_admin import DirectoryOption, OutputFormat, OutputOption, call, show

_COLUMNS = {
    "Machine": "machine",
    "Group": "group",
    "State": "state",
    "Address": "address",
    "Port": "port",
    "User": "user",
    "Root folder": "root",
    "Reason": "reason",
}


def guests(directory: DirectoryOption, output: OutputOption = OutputFormat.TABLE) -> None:
    """Show where the guest of each machine answers SSH, for whom, and where its files are."""
    answer = call(directory, "GET", "guests")
    columns = dict(_COLUMNS)
    if not any(row["reason"] for row in answer["guests"]):
        del columns["Reason"]
    show(answer, output, rows=answer["guests"], columns=columns, empty="There are no machines.")
