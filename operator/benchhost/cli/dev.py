"""``benchhost dev``: a local control plane to try things on.

Mounted by `benchhost.cli.main`. The control plane itself is imported when a command runs, so that the rest of the
command line works where the ``local`` extra is not installed.
"""

from __future__ import annotations

import contextlib
import shlex
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchhost.cli.errors import fail, missing_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchhost.local import ControlPlane

app = typer.Typer(
    name="dev",
    help="A real Kubernetes control plane on this machine.",
    no_args_is_help=True,
)

INTERRUPTED: Final = 130
"""The shell's exit code for a command that Ctrl-C ended."""

_WATCH_SECONDS: Final = 3600.0
"""For one look at the components; their end is noticed at once, whatever this is."""

KubeconfigOption = Annotated[
    Path | None,
    typer.Option(help="Use the cluster of this kubeconfig file.", exists=True, dir_okay=False, resolve_path=True),
]
ContextOption = Annotated[
    str | None, typer.Option(help="Use the cluster of this context; the current context is never used by itself.")
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option(help="Folder of the instance, new or empty. Default: a temporary one.", resolve_path=True),
]


@app.command()
def up(kubeconfig: KubeconfigOption = None, context: ContextOption = None, directory: DirectoryOption = None) -> None:
    """Start a control plane, say how to use it, and stop it on Ctrl-C."""
    try:
        from rich.console import Console

        from benchhost.local import find_control_plane, open_control_plane
    except ModuleNotFoundError as error:
        missing_extra("local", error)
    with _sentences():
        source = find_control_plane(kubeconfig=kubeconfig, context=context)
        typer.echo(f"Using {source}.")
        with _stopped_by_signals():
            began = time.monotonic()
            with open_control_plane(source, Console(stderr=True), directory=directory) as control_plane:
                _introduce(control_plane, time.monotonic() - began)
                failure = control_plane.wait_for_failure(_WATCH_SECONDS)
                while failure is None:
                    failure = control_plane.wait_for_failure(_WATCH_SECONDS)
            fail(f"The control plane has stopped: {failure}")
    typer.echo("Stopped.")


@app.command()
def build() -> None:
    """Make sure that the control plane is built and in the cache."""
    try:
        from rich.console import Console

        from benchhost.local import BuildSource, build_control_plane, find_build, show_progress
    except ModuleNotFoundError as error:
        missing_extra("local", error)
    with _sentences():
        found = find_build()
        if isinstance(found, BuildSource):
            with show_progress(Console(stderr=True)) as progress:
                found = build_control_plane(found, progress)
    typer.echo(f"The control plane is in {found}")


@app.command()
def down(
    directory: Annotated[Path, typer.Option(help="Folder that `benchhost dev up` was given.", resolve_path=True)],
) -> None:
    """Stop a control plane that runs elsewhere, and wait for its end."""
    try:
        from benchhost.local import stop_instance
    except ModuleNotFoundError as error:
        missing_extra("local", error)
    with _sentences():
        owner = stop_instance(directory)
    typer.echo(f"Stopped the control plane of {directory} (process {owner}).")


def _introduce(control_plane: ControlPlane, seconds: float) -> None:
    """Say how to use it; each command can be copied as it is."""
    typer.echo(f"The control plane is ready after {seconds:.1f} s: {control_plane.server}")
    for limit in control_plane.limits:
        typer.echo(f"Note: {limit}")
    typer.echo("In another terminal:")
    typer.echo(f"  export KUBECONFIG={shlex.quote(str(control_plane.kubeconfig))}")
    typer.echo(f"  {shlex.quote(str(control_plane.kubectl))} get namespaces")
    if control_plane.processes:
        typer.echo("Its data is temporary and goes away when it stops. Ctrl-C stops it.")
    else:
        typer.echo("Ctrl-C ends this command.")


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """Turn the errors of the control plane into one sentence and an exit code."""
    from benchhost.local import BuildInterruptedError, ControlPlaneError

    try:
        yield
    except BuildInterruptedError as error:
        fail(str(error), code=INTERRUPTED)
    except ControlPlaneError as error:
        fail(str(error))


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let the first Ctrl-C, SIGTERM or hang-up end the block quietly; later ones do not disturb the stopping."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
