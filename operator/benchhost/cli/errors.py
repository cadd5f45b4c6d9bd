"""How every command ends when it cannot go on: one sentence on standard error and an exit code, no traceback."""

from typing import NoReturn

import typer

FAILED = 1
"""It was tried and did not work."""
USAGE = 2
"""What was asked for makes no sense; typer's own code for the same."""


def fail(message: str, *, code: int = FAILED) -> NoReturn:
    """Say one sentence and end."""
    typer.secho(f"benchhost: {message}", err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def missing_extra(extra: str, error: ImportError) -> NoReturn:
    """Say which extra a command needs."""
    fail(f"this command needs {error.name or 'more packages'}; install it with: pip install 'benchhost[{extra}]'")
