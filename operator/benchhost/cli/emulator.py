"""``benchhost emulator``: run an emulated Azure, see what exists in one, and change how it behaves.

Mounted by `benchhost.cli.main`. The emulator itself is imported when a command runs, so that the rest of the
command line works where the ``emulator`` extra is not installed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import signal
import tempfile
import uuid
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchhost.cli import emulator_capacity, emulator_faults, emulator_guests, emulator_hosts, emulator_limits
from benchhost.cli.emulator_admin import DirectoryOption, OutputFormat, OutputOption
from benchhost.cli.errors import fail, missing_extra

if TYPE_CHECKING:
    from benchhost.emulator import EmulatorConfig

app = typer.Typer(
    name="emulator",
    help="An emulated Azure subscription on this machine.",
    no_args_is_help=True,
)
app.add_typer(emulator_faults.app, name="faults")
app.add_typer(emulator_limits.app, name="limits")
app.add_typer(emulator_capacity.capacity, name="capacity")
app.add_typer(emulator_capacity.quotas, name="quotas")
app.command("hosts")(emulator_hosts.hosts)
app.command("guests")(emulator_guests.guests)
app.command("evict")(emulator_hosts.evict)


class LatencyChoice(StrEnum):
    """Values of ``--latency``."""

    RECORDED = "recorded"
    NONE = "none"


class LimitChoice(StrEnum):
    """Values of ``--limits``."""

    ENFORCED = "enforced"
    COUNTED = "counted"
    OFF = "off"


@app.command()
def run(  # noqa: PLR0917 - typer makes an option of each parameter
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    time_scale: Annotated[
        float, typer.Option(help="Multiplies every duration and wait; 0.1 is ten times as fast as Azure.")
    ] = 1.0,
    latency: Annotated[
        LatencyChoice, typer.Option(help="Durations as recorded on Azure, or none at all.")
    ] = LatencyChoice.RECORDED,
    limits: Annotated[
        LimitChoice, typer.Option(help="Azure's rate limits: refuse requests, only count them, or none at all.")
    ] = LimitChoice.ENFORCED,
    seed: Annotated[int | None, typer.Option(help="Makes durations and identifiers repeat themselves.")] = None,
    location: Annotated[list[str] | None, typer.Option(help="A region to offer; give it once for each.")] = None,
    resource_group: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME@LOCATION", help="A resource group that exists from the start."),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(help="Where connection.json, azure.env and the other files go; a temporary folder by default."),
    ] = None,
    subscription_id: Annotated[str | None, typer.Option(help="Made up by default.")] = None,
    identities: Annotated[
        Path | None,
        typer.Option(help="JSON file with more applications and with managed identities.", dir_okay=False),
    ] = None,
    metadata_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Serve managed identities' tokens on this loopback port; 0 takes a free one."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="File to keep everything in; the next run with it goes on where this one ended, however that was.",
            dir_okay=False,
        ),
    ] = None,
    access_log: Annotated[
        Path | None, typer.Option(help="File that gets a JSON line for each request.", dir_okay=False)
    ] = None,
    guests: Annotated[
        bool,
        typer.Option(
            "--guests",
            help="Let running machines answer SSH on loopback addresses and run commands, as the user that runs this.",
        ),
    ] = False,
    guest_port: Annotated[int, typer.Option(min=1, max=65535, help="Port that guests answer SSH on.")] = 2222,
) -> None:
    """Run an emulated Azure Resource Manager until Ctrl-C."""
    try:
        from benchhost.emulator import EmulatorConfig, GuestConfig, LatencyMode, LimitMode, LoopbackError
        from benchhost.emulator.cloud.catalog import DEFAULT_LOCATIONS
        from benchhost.emulator.connection_files import DirectoryInUseError, claim_directory
        from benchhost.emulator.entra.identities_file import Identities, IdentitiesFileError, read_identities
        from benchhost.emulator.state import StateFileError
    except ModuleNotFoundError as error:
        missing_extra("emulator", error)
    if not time_scale > 0:
        raise typer.BadParameter(f"{time_scale} is not greater than 0.", param_hint="--time-scale")
    if subscription_id is not None and not _is_guid(subscription_id):
        raise typer.BadParameter(f"'{subscription_id}' is no GUID.", param_hint="--subscription-id")
    locations = tuple(location or DEFAULT_LOCATIONS)
    groups = tuple(_parse_group(text) for text in resource_group or ())
    for name, its_location in groups:
        if _normalized(its_location) not in {_normalized(offered) for offered in locations}:
            raise typer.BadParameter(
                f"{name}@{its_location}: the region is not offered; there are {', '.join(locations)}.",
                param_hint="--resource-group",
            )
    try:
        known = Identities() if identities is None else read_identities(identities)
    except IdentitiesFileError as error:
        fail(str(error))
    if guests and state is not None and directory is None:
        raise typer.BadParameter(
            "--guests with --state needs a folder that outlives the run, since guests have their disks there.",
            param_hint="--directory",
        )
    with contextlib.ExitStack() as stack:
        folder = _folder(directory, stack)
        config = EmulatorConfig(
            host=host,
            port=port,
            directory=folder,
            latency=LatencyMode(latency.value),
            time_scale=time_scale,
            limits=LimitMode(limits.value),
            seed=seed,
            locations=locations,
            resource_groups=groups,
            subscription_id=subscription_id,
            applications=known.applications,
            managed_identities=known.managed_identities,
            metadata_port=metadata_port,
            state=state,
            access_log=access_log,
            guests=GuestConfig(port=guest_port) if guests else None,
        )
        try:
            with claim_directory(folder):
                asyncio.run(_serve(config, folder))
        except (DirectoryInUseError, StateFileError, LoopbackError) as error:
            fail(str(error))
        except OSError as error:
            fail(_listen_message(error, host, port))


@app.command()
def resources(directory: DirectoryOption, output: OutputOption = OutputFormat.TABLE) -> None:
    """List every resource that exists in a running emulator, asking as any client would."""
    try:
        from benchhost.emulator.connection_files import EmulatorUnreachableError
        from benchhost.emulator.listing import list_everything
    except ModuleNotFoundError as error:
        missing_extra("emulator", error)
    try:
        found = list_everything(directory)
    except EmulatorUnreachableError as error:
        fail(str(error))
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(found, indent=2))
        return
    _print_tables(found)


async def _serve(config: EmulatorConfig, folder: Path) -> None:
    from benchhost.emulator import ArmEmulator
    from benchhost.emulator.connection_files import CONNECTION_FILE, ENVIRONMENT_FILE, write_connection_files

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with ArmEmulator(config) as emulator:
        write_connection_files(folder, emulator.connection, emulator.admin)
        typer.echo(
            f"The Azure emulator listens on {emulator.connection.endpoint}. Connect with "
            f"{folder / CONNECTION_FILE}, or the environment in {folder / ENVIRONMENT_FILE}; Ctrl-C ends it."
        )
        await stopped.wait()


def _folder(directory: Path | None, stack: contextlib.ExitStack) -> Path:
    if directory is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchhost-emulator-")))
    folder = directory.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"The folder {folder} cannot be made: {error.strerror}.")
    return folder


def _parse_group(text: str) -> tuple[str, str]:
    name, separator, location = text.partition("@")
    if not (name and separator and location):
        raise typer.BadParameter(
            f"'{text}' is no NAME@LOCATION, for instance benchmarks@eastus.", param_hint="--resource-group"
        )
    return name, location


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _normalized(location: str) -> str:
    return location.replace(" ", "").lower()


def _listen_message(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use. Choose another with --port, or 0 for a free one."
    return f"The emulator cannot run on {host}, port {port}: {error.strerror or error}."


def _print_tables(found: dict[str, list[dict[str, Any]]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    groups, rows = found["resourceGroups"], found["resources"]
    if not groups:
        console.print("No resource groups exist.")
    else:
        table = Table("Resource group", "Location", "State")
        for group in groups:
            table.add_row(group["name"], group["location"], group["properties"]["provisioningState"])
        console.print(table)
    if not rows:
        console.print("No resources exist in the subscription.")
        return
    table = Table("Type", "Name", "Resource group", "Location")
    for row in rows:
        table.add_row(row["type"], row["name"], row["id"].split("/")[4], row["location"])
    console.print(table)


if __name__ == "__main__":
    app()
