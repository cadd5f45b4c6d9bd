"""``benchhost emulator hosts`` and ``evict``: what Azure hides of where machines sit, and taking it from them.

Mounted by `benchhost.cli.emulator`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from benchhost.cli.emulator_admin import DirectoryOption, OutputFormat, OutputOption, call, show

_PLACES = {"Machine": "machine", "Group": "group", "Host": "host", "Zone": "zone", "Hardware": "hardware"}
_TIMES = {"Since": "since", "Until": "until", "Cause": "cause"}
_FACTORS = {"CPU": "cpu", "Memory": "memory", "Disk": "disk", "Network": "network"}
_STAYS = {"Host": "host", "Cores": "cores", **_TIMES, **_FACTORS}

MachineArgument = Annotated[str, typer.Argument(help="A machine's name.")]
GroupOption = Annotated[str | None, typer.Option(help="Its resource group, where the name alone is not enough.")]


def hosts(
    directory: DirectoryOption,
    machine: Annotated[str | None, typer.Argument(help="A machine, to see all its stays.")] = None,
    group: GroupOption = None,
    output: OutputOption = OutputFormat.TABLE,
) -> None:
    """Show which hidden host each machine sits on and how fast it is, or all the stays of one machine."""
    answer = call(directory, "GET", "hosts")
    if machine is None:
        rows = [_row(stay) for stay in answer["hosts"]]
        show(answer, output, rows=rows, columns={**_PLACES, **_FACTORS}, empty="No machine has hardware.")
        return
    history = call(directory, "GET", "hosts", group or _group_of(answer, machine), machine)
    rows = [_row(stay) for stay in history["stays"]]
    show(history, output, rows=rows, columns=_STAYS, empty="The machine never had hardware.")


def evict(
    directory: DirectoryOption,
    machine: MachineArgument,
    group: GroupOption = None,
    notice: Annotated[
        float | None, typer.Option(min=0, help="Seconds of warning, before the time scale; 30 by default.")
    ] = None,
) -> None:
    """Evict a spot machine."""
    body = {"machine": machine, "group": group, "noticeSeconds": notice}
    answer = call(directory, "POST", "evictions", body=body)
    typer.echo(f"{answer['machine']} will be evicted at {_time(answer['due'])}.")


def _group_of(answer: dict[str, Any], machine: str) -> str:
    groups = {str(stay["group"]) for stay in answer["hosts"] if stay["machine"].lower() == machine.lower()}
    if len(groups) == 1:
        return groups.pop()
    raise typer.BadParameter(
        f"'{machine}' has no hardware now or there are several; name its resource group.", param_hint="--group"
    )


def _row(stay: dict[str, Any]) -> dict[str, Any]:
    factors = {name: f"{value:.3f}" for name, value in stay["factors"].items()}
    times = {name: _time(stay[name]) for name in ("since", "until")}
    return {**stay, **times, **factors}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"
