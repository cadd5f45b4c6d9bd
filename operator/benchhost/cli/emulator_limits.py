"""``benchhost emulator limits``: see and change the rate limits of a running emulator.

Mounted by `benchhost.cli.emulator`.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from benchhost.cli.emulator_admin import DirectoryOption, OutputFormat, OutputOption, call, show

app = typer.Typer(help="See and change rate limits.", no_args_is_help=True)

_SIZES = {"Limit": "name", "Capacity": "capacity", "Refill": "refill", "Every (s)": "periodSeconds"}
_BUCKETS = {"Limit": "name", "Bucket": "scope", "Left": "level", "Of": "capacity"}


@app.command("show")
def show_limits(directory: DirectoryOption, output: OutputOption = OutputFormat.TABLE) -> None:
    """Show every limit, and the buckets that are not full."""
    _show(call(directory, "GET", "limits"), output)


@app.command("set")
def set_limit(  # noqa: PLR0917 - typer makes an option of each parameter
    directory: DirectoryOption,
    name: Annotated[str, typer.Argument(help="The limit, as `show` names it.")],
    level: Annotated[int | None, typer.Option(help="Put so many tokens in now, at most the capacity.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Which bucket gets them, such as eastus; all by default.")] = None,
    capacity: Annotated[int | None, typer.Option(help="Tokens in a full bucket.")] = None,
    refill: Annotated[int | None, typer.Option(help="Tokens that come back each period.")] = None,
    period: Annotated[float | None, typer.Option(help="Seconds of a period, before the time scale.")] = None,
    output: OutputOption = OutputFormat.TABLE,
) -> None:
    """Change the size of a limit, or what is left in its buckets."""
    body = {
        "name": name,
        "scope": bucket,
        "level": level,
        "capacity": capacity,
        "refill": refill,
        "periodSeconds": period,
    }
    _show(call(directory, "PATCH", "limits", body=body), output)


@app.command()
def mode(
    directory: DirectoryOption,
    mode: Annotated[str, typer.Argument(help="enforced, counted or off.")],
    output: OutputOption = OutputFormat.TABLE,
) -> None:
    """Let limits refuse requests, only count them, or do nothing."""
    _show(call(directory, "PATCH", "limits", body={"mode": mode}), output)


def _show(answer: dict[str, Any], output: OutputFormat) -> None:
    if output is OutputFormat.JSON:
        show(answer, output, rows=(), columns={}, empty="")
        return
    typer.echo(f"Limits are {answer['mode']}.")
    show(answer, output, rows=answer["limits"], columns=_SIZES, empty="There are no limits.")
    show(answer, output, rows=answer["buckets"], columns=_BUCKETS, empty="All buckets are full.")
