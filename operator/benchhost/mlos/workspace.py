"""Copy an experiment's files to where mlos_bench can run them: a git work tree with a commit and an origin.

``python -m benchhost.mlos.workspace SOURCE TARGET``. mlos_bench records repository, commit and path of every
experiment and ends with a traceback where there are none. It writes below TARGET only.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_IDENTITY = ("-c", "user.name=benchhost", "-c", "user.email=benchhost@localhost", "-c", "commit.gpgsign=false")


class WorkspaceError(RuntimeError):
    """The copy cannot be made."""


def prepare_workspace(source: Path, target: Path) -> Path:
    """Copy ``source`` to ``target`` and commit it; files that an earlier run left in ``target`` stay.

    Raises
    ------
    WorkspaceError
        If ``source`` is no folder, ``target`` cannot be written, or git is missing.
    """
    if not source.is_dir():
        raise WorkspaceError(f"there is no folder {source}; give the folder that holds the experiment's files")
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{source} cannot be copied to {target}: {error}") from error
    if not (target / ".git").exists():
        _git(target, "init", "--quiet")
    remotes = _git(target, "remote").split()
    _git(target, "remote", "set-url" if "origin" in remotes else "add", "origin", str(source.resolve()))
    _git(target, "add", "--all")
    _git(target, *_IDENTITY, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "Experiment")
    return target


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchhost.mlos.workspace", description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder that holds the experiment's files")
    parser.add_argument("target", type=Path, help="folder to make; an existing one is brought up to date")
    arguments = parser.parse_args(argv)
    try:
        sys.stdout.write(f"{prepare_workspace(arguments.source, arguments.target)}\n")
    except WorkspaceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed program
    except FileNotFoundError as error:
        raise WorkspaceError("git is not installed, and mlos_bench needs it; install git") from error
    except subprocess.CalledProcessError as error:
        raise WorkspaceError(f"'{' '.join(command)}' failed: {' '.join(error.stderr.split())}") from error
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
