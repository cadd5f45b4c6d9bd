"""``benchhost operator sweep``: look once for cloud resources whose BenchHost is gone, and delete them if asked to."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchhost.cli.emulator_admin import OutputFormat
from benchhost.cli.errors import FAILED, missing_extra
from benchhost.cli.operator import Context, Kubeconfig, OrphanAge, SweepScopes, run_in_cluster, to_scopes

if TYPE_CHECKING:
    from benchhost.cloud import OwnedResource
    from benchhost.controller.orphans import Findings


def sweep(
    *,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Namespace whose hosts count; all when absent. Repeatable.")
    ] = None,
    sweep_scope: SweepScopes = None,
    orphan_age: OrphanAge = 900.0,
    delete_orphans: Annotated[bool, typer.Option(help="Delete what is found; else it is only listed.")] = False,
    output: Annotated[OutputFormat, typer.Option("--output", "-o", help="How to print.")] = OutputFormat.TABLE,
) -> None:
    """List cloud resources whose BenchHost is gone, and delete them if asked to.

    It looks where BenchHosts of this cluster are, and where --sweep-scope says.
    """
    try:
        from benchhost.controller.settings import ControllerSettings
        from benchhost.controller.sweep import sweep_once
    except ImportError as error:
        missing_extra("operator", error)
    settings = ControllerSettings(
        namespaces=tuple(namespace or ()),
        identity_namespaces=("*",),
        sweep_scopes=to_scopes(sweep_scope or ()),
        orphan_age=timedelta(seconds=orphan_age),
        delete_orphans=delete_orphans,
    )
    found, left = run_in_cluster(sweep_once, settings, kubeconfig, context=context)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(_to_dict(found, left), indent=2))
    else:
        _print(found, left, deleting=delete_orphans)
    if left.problems:
        raise typer.Exit(FAILED)


def _to_dict(found: "Findings", left: "Findings") -> dict[str, Any]:
    kept = {orphan.resource_id for orphan in left.orphans}
    return {
        "scopes": [str(scope) for scope in left.scopes],
        "orphans": [_orphan(orphan, deleted=orphan.resource_id not in kept) for orphan in found.orphans],
        "problems": list(left.problems),
    }


def _orphan(orphan: "OwnedResource", *, deleted: bool) -> dict[str, Any]:
    owner = orphan.owner
    return {
        "kind": str(orphan.part),
        "id": orphan.resource_id,
        "owner": None if orphan.is_shared else {"namespace": owner.namespace, "name": owner.name, "uid": owner.uid},
        "createdAt": orphan.created_at.isoformat() if orphan.created_at is not None else None,
        "deleted": deleted,
    }


def _print(found: "Findings", left: "Findings", *, deleting: bool) -> None:
    kept = {orphan.resource_id for orphan in left.orphans}
    for orphan in found.orphans:
        whose = "shared" if orphan.is_shared else f"{orphan.owner.namespace}/{orphan.owner.name}"
        done = "deleted  " if orphan.resource_id not in kept else "left     " if deleting else ""
        typer.echo(f"{done}{orphan.part!s:18} {whose:30} {orphan.resource_id}")
    for problem in left.problems:
        typer.secho(f"benchhost: {problem}", err=True, fg=typer.colors.RED)
    where = ", ".join(str(scope) for scope in left.scopes) or "nowhere: no BenchHost names a place; use --sweep-scope"
    typer.echo(f"{len(found.orphans)} orphans; looked at {where}.", err=True)
