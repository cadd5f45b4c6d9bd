"""What the commands of ``benchhost emulator`` share that change a running emulator over its admin API.

Used by `benchhost.cli.emulator_faults` and its neighbours. Each command is a call, and a table or JSON of the answer.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchhost.cli.errors import fail, missing_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class OutputFormat(StrEnum):
    """Values of ``--output``."""

    TABLE = "table"
    JSON = "json"


DirectoryOption = Annotated[Path, typer.Option(help="The folder that the running emulator was given.")]
OutputOption = Annotated[OutputFormat, typer.Option("--output", "-o", help="How to print.")]


def call(directory: Path, method: str, *path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the admin API's answer; ends with one sentence when there is none or it is a refusal.

    Parameters
    ----------
    directory
        The folder that the running emulator was given.
    method, path
        HTTP method and the segments of the path below ``/emulator/v1/``.
    body
        Fields of the request; those that are None are left out.
    """
    try:
        from benchhost.emulator.admin.client import AdminClient, AdminRefusedError
        from benchhost.emulator.connection_files import EmulatorUnreachableError
    except ModuleNotFoundError as error:
        missing_extra("emulator", error)
    fields = None if body is None else {name: value for name, value in body.items() if value is not None}
    try:
        return AdminClient(directory).call(method, *path, body=fields)
    except (AdminRefusedError, EmulatorUnreachableError) as error:
        fail(str(error))


def show(
    answer: Mapping[str, Any],
    output: OutputFormat,
    *,
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    empty: str,
) -> None:
    """Print an answer.

    Parameters
    ----------
    answer
        What is printed as JSON.
    output
        How to print.
    rows, columns
        The table: a column's title and the field of each row that it shows. An absent field is an empty cell.
    empty
        The sentence for a table without rows.
    """
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(answer, indent=2))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        typer.echo(empty)
        return
    table = Table()
    for title in columns:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(row.get(field))) for field in columns.values()))
    Console().print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
