"""``benchhost emulator faults``: let requests and operations of a running emulator go wrong.

Mounted by `benchhost.cli.emulator`. What makes sense is decided by the emulator; here options become fields.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from benchhost.cli.emulator_admin import DirectoryOption, OutputFormat, OutputOption, call, show

app = typer.Typer(help="Let requests and operations go wrong.", no_args_is_help=True)

_COLUMNS = {
    "Id": "id",
    "Matches": "match",
    "Effect": "effect",
    "Rate": "rate",
    "Hits": "hits",
    "Last hit": "lastHit",
}
_GLOB = "Case does not matter; * and ? stand for anything."


@app.command()
def add(  # noqa: PLR0917 - typer makes an option of each parameter
    directory: DirectoryOption,
    method: Annotated[str | None, typer.Option(help=f"Method of the requests. {_GLOB}")] = None,
    resource_type: Annotated[
        str | None, typer.Option("--type", help="Such as Microsoft.Compute/virtualMachines.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Resource group.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the resource, such as 'vm-*'.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as start or deallocate.")] = None,
    operation: Annotated[
        str | None, typer.Option(help="Kind of asynchronous operation, such as createMachine or 'start*'.")
    ] = None,
    refuse: Annotated[int | None, typer.Option(metavar="STATUS", help="Refuse with this HTTP status.")] = None,
    fail_operation: Annotated[
        str | None, typer.Option(metavar="CODE", help="Accept, and let the operation fail with this code.")
    ] = None,
    delay: Annotated[float | None, typer.Option(metavar="SECONDS", help="Carry out, and answer later.")] = None,
    lose_answer: Annotated[
        bool, typer.Option("--lose-answer", help="Carry out, and cut the connection instead of answering.")
    ] = False,
    cut: Annotated[bool, typer.Option("--cut", help="Cut the connection without carrying out.")] = False,
    proxy_answer: Annotated[
        int | None, typer.Option(metavar="STATUS", help="Answer with a proxy's HTML page of this status.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Error code of a refusal; by default that of the status.")] = None,
    message: Annotated[str | None, typer.Option(help="Message of a refusal or failure.")] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Header of a refusal, such as Retry-After=5.")
    ] = None,
    times: Annotated[int | None, typer.Option(help="How often in all; until it is removed by default.")] = None,
    rate: Annotated[float | None, typer.Option(help="How likely each time, from 0 to 1.")] = None,
    output: OutputOption = OutputFormat.TABLE,
) -> None:
    """Set one fault: whom it matches, exactly one effect, and how often."""
    refusal = {"status": refuse, "code": code, "message": message, "headers": _headers(header)}
    effect = _one_of(
        refuse=None if refuse is None else refusal,
        failOperation=None if fail_operation is None else {"code": fail_operation, "message": message},
        delay=None if delay is None else {"seconds": delay},
        loseAnswer={} if lose_answer else None,
        cutConnection={} if cut else None,
        proxyAnswer=None if proxy_answer is None else {"status": proxy_answer},
    )
    match = {
        "method": method,
        "resourceType": resource_type,
        "group": group,
        "name": name,
        "action": action,
        "operation": operation,
    }
    body = {"match": _given(match), "effect": effect, "times": times, "rate": rate}
    fault = call(directory, "POST", "faults", body=body)
    show(fault, output, rows=[_row(fault)], columns=_COLUMNS, empty="")


@app.command("list")
def list_faults(directory: DirectoryOption, output: OutputOption = OutputFormat.TABLE) -> None:
    """Show all faults and how often each has happened."""
    answer = call(directory, "GET", "faults")
    show(answer, output, rows=[_row(fault) for fault in answer["faults"]], columns=_COLUMNS, empty="No faults are set.")


@app.command()
def clear(
    directory: DirectoryOption,
    ids: Annotated[list[str] | None, typer.Argument(help="Which faults; all when none is named.")] = None,
) -> None:
    """Remove faults."""
    paths: list[tuple[str, ...]] = [("faults", fault_id) for fault_id in ids or ()]
    removed = sum(call(directory, "DELETE", *path)["removed"] for path in paths or [("faults",)])
    typer.echo(f"Removed {removed} fault{'' if removed == 1 else 's'}.")


def _one_of(**effects: dict[str, Any] | None) -> dict[str, Any]:
    """Return the one effect that was asked for, by its kind."""
    chosen = [{"kind": kind, **_given(fields)} for kind, fields in effects.items() if fields is not None]
    if len(chosen) != 1:
        raise typer.BadParameter(
            "give exactly one of --refuse, --fail-operation, --delay, --lose-answer, --cut, --proxy-answer."
        )
    return chosen[0]


def _row(fault: dict[str, Any]) -> dict[str, Any]:
    """Return what fits into a table; JSON has everything."""
    matched = [f"{name} {pattern}" for name, pattern in fault["match"].items()]
    effect = fault["effect"]
    words = [str(effect[name]) for name in ("kind", "status", "code", "seconds") if name in effect]
    headers = [f"{name}: {value}" for name, value in effect.get("headers", {}).items()]
    return {
        "id": fault["id"],
        "match": "\n".join(matched) or "everything",
        "effect": "\n".join((" ".join(words), *headers)),
        "rate": fault["rate"],
        "hits": fault["hits"] if fault["times"] is None else f"{fault['hits']} of {fault['times']}",
        "lastHit": None if fault["lastHit"] is None else f"{datetime.fromtimestamp(fault['lastHit'], UTC):%H:%M:%SZ}",
    }


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _headers(texts: list[str] | None) -> dict[str, str] | None:
    if not texts:
        return None
    headers: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise typer.BadParameter(f"'{text}' is no NAME=VALUE.", param_hint="--header")
        headers[name] = value
    return headers
