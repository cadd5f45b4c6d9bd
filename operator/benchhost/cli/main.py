"""The entry point of ``benchhost`` and ``kubectl benchhost``: puts the commands together.

Heavy packages are imported by the commands that need them, so that ``benchhost --help`` is quick and works with the
client's few dependencies.
"""

import sys
from importlib.metadata import version as installed_version

import typer

from benchhost.cli import dev, emulator, operator
from benchhost.cli.crd import crd
from benchhost.cli.report import report
from benchhost.cli.sweep import sweep

app = typer.Typer(
    help="Benchmark machines as Kubernetes resources.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
operator.app.command()(sweep)
app.add_typer(operator.app, name="operator")
app.add_typer(emulator.app, name="emulator")
app.add_typer(dev.app, name="dev")
app.command()(crd)
app.command()(report)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed_version("benchhost"))


def main() -> None:
    """Run the command line; Ctrl-C ends any command with the shell's code for it, 130."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
