"""``benchhost emulator capacity`` and ``quotas``: how much of a running emulator's hardware there is, and for whom.

Mounted by `benchhost.cli.emulator`.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from benchhost.cli.emulator_admin import DirectoryOption, OutputFormat, OutputOption, call, show

capacity = typer.Typer(help="See and limit how many machines fit.", no_args_is_help=True)
quotas = typer.Typer(help="See and limit what the subscription may have.", no_args_is_help=True)

_CAPACITY = {
    "Region": "location",
    "Of": "scope",
    "Zone": "zone",
    "Priority": "priority",
    "Machines": "machines",
    "Used": "used",
    "Shows as": "failure",
}
_QUOTAS = {"Region": "location", "Quota": "name", "Limit": "limit", "Used": "used"}

LocationArgument = Annotated[str, typer.Argument(help="A region, such as eastus.")]
ScopeArgument = Annotated[str, typer.Argument(help="A machine size, a quota family, or '*' for every size.")]
ZoneOption = Annotated[str | None, typer.Option(help="One availability zone; all of the region by default.")]
SpotOption = Annotated[bool, typer.Option("--spot", help="Spot capacity, which is apart from the normal one.")]
QuotaArgument = Annotated[str, typer.Argument(help="cores, lowPriorityCores, virtualMachines, a family, ...")]


@capacity.command("show")
def show_capacity(directory: DirectoryOption, output: OutputOption = OutputFormat.TABLE) -> None:
    """Show every limit and how much of it is used."""
    answer = call(directory, "GET", "capacity")
    show(answer, output, rows=answer["capacity"], columns=_CAPACITY, empty="Capacity is not limited.")


@capacity.command("set")
def set_capacity(  # noqa: PLR0917 - typer makes an option of each parameter
    directory: DirectoryOption,
    location: LocationArgument,
    scope: ScopeArgument,
    machines: Annotated[int, typer.Argument(min=0, help="How many fit; 0 withholds the size.")],
    zone: ZoneOption = None,
    spot: SpotOption = False,
    failure: Annotated[
        str | None,
        typer.Option(help="How a lack shows: SkuNotAvailable, AllocationFailed or OverconstrainedAllocationRequest."),
    ] = None,
    output: OutputOption = OutputFormat.TABLE,
) -> None:
    """Limit how many machines fit; spot machines beyond the number are evicted."""
    body = {"machines": machines, "zone": zone, "priority": "Spot" if spot else None, "failure": failure}
    answer = call(directory, "PUT", "capacity", location, scope, body=body)
    _show_one(answer, output, _CAPACITY)
    if output is OutputFormat.TABLE and answer["evicted"]:
        typer.echo("Evicted: " + ", ".join(name.rpartition("/")[2] for name in answer["evicted"]))


@capacity.command("lift")
def lift_capacity(directory: DirectoryOption, location: LocationArgument, scope: ScopeArgument) -> None:
    """Lift all limits of a size, family or '*' in a region."""
    _say_lifted(call(directory, "DELETE", "capacity", location, scope))


@quotas.command("show")
def show_quotas(directory: DirectoryOption, output: OutputOption = OutputFormat.TABLE) -> None:
    """Show every quota that is limited and how much of it is used."""
    answer = call(directory, "GET", "quotas")
    show(answer, output, rows=answer["quotas"], columns=_QUOTAS, empty="No quota is limited.")


@quotas.command("set")
def set_quota(
    directory: DirectoryOption,
    location: LocationArgument,
    name: QuotaArgument,
    limit: Annotated[int, typer.Argument(min=0, help="Cores, or things.")],
    output: OutputOption = OutputFormat.TABLE,
) -> None:
    """Limit what the subscription may have of something in a region."""
    _show_one(call(directory, "PUT", "quotas", location, name, body={"limit": limit}), output, _QUOTAS)


@quotas.command("lift")
def lift_quota(directory: DirectoryOption, location: LocationArgument, name: QuotaArgument) -> None:
    """Lift the limit of a quota."""
    _say_lifted(call(directory, "DELETE", "quotas", location, name))


def _show_one(answer: dict[str, Any], output: OutputFormat, columns: dict[str, str]) -> None:
    show(answer, output, rows=[answer], columns=columns, empty="")


def _say_lifted(answer: dict[str, Any]) -> None:
    number = answer["removed"]
    typer.echo(f"Lifted {number} limit{'' if number == 1 else 's'}.")
