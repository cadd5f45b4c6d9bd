"""From how mlos_bench ended to one sentence: what, where, what to do.

Used by ``launcher``. Pure.
"""

import subprocess
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from jsonschema.exceptions import ValidationError

from benchhost.client import ClientError
from benchhost.mlos.troubles import HostTroubles

GIT_HINT: Final = (
    "mlos_bench records the git commit of an experiment's files, so they must lie in a git work tree that has a commit "
    "and a remote named origin; make one with: python -m benchhost.mlos.workspace SOURCE_FOLDER NEW_FOLDER"
)


_ABOUT_SERVICES: Final = "requires a service that supports"
_SERVICE_HINTS: Final = {
    "upload/download": "set 'fileShare: true' in the config of BenchHostService, or add another service for it",
    **dict.fromkeys(
        ("host provisioning", "remote execution", "host operations"),
        "add BenchHostService to the services of the experiment",
    ),
}
"""What to do by what is missing, as the assertions of mlos_bench's environments name it (0.6.2)."""

_MLOS_HINT: Final = "Check configuration, scripts, and logs for details."
"""What mlos_bench adds to its own sentences (``run.py``, 0.6.2); not said where there is more to say."""
_RELEASED: Final = "what this experiment had made was released as 'onSetupFailure' says"


def explain_end(end: BaseException | None, troubles: HostTroubles) -> str | None:
    """One sentence on one line about the end of the command; None if it ended well and left nothing.

    Parameters
    ----------
    end
        What ended it; None: it came to its end.
    troubles
        What was logged about hosts by then.
    """
    left = troubles.left and _one_line(troubles.left)
    if end is None:
        return left and f"the experiment has succeeded, but a host is left: {left}"
    if isinstance(end, KeyboardInterrupt | SystemExit):
        return f"{'interrupted' if isinstance(end, KeyboardInterrupt) else 'terminated'}; {left or _RELEASED}"
    said = explain(end)
    more = (troubles.last and _one_line(troubles.last)) if isinstance(end, RuntimeWarning) else left
    if not more or more in said:
        return said
    return f"{said.removesuffix(_MLOS_HINT).rstrip(' .')}; the last trouble with a host was: {more}"


def explain(error: BaseException) -> str:
    """One sentence on one line for whoever typed the command."""
    for kind, describe in _KINDS:
        if isinstance(error, kind):
            return _one_line(describe(error))
    return _one_line(_describe_other(error))


def describe_validation(error: ValidationError) -> str:
    """Which key of a configuration is wrong, and how."""
    leaves = sorted(_find_leaves(error), key=lambda leaf: -len(leaf.absolute_path))
    leaf = leaves[0] if leaves else error
    path = ".".join(str(step) for step in leaf.absolute_path) or "the top level"
    return f"{path}: {leaf.message}"


def _find_leaves(error: ValidationError) -> list[ValidationError]:
    """The errors of the alternative that was meant: the one whose class the configuration names."""
    if not error.context:
        return [error]
    branches: dict[Any, list[ValidationError]] = {}
    for child in error.context:
        branches.setdefault(child.relative_schema_path[0], []).extend(_find_leaves(child))
    meant = [leaves for leaves in branches.values() if not any(map(_is_other_class, leaves))]
    if not meant:
        return [leaf for leaves in branches.values() for leaf in leaves if _is_other_class(leaf)][:1]
    return min(meant, key=len)


def _is_other_class(leaf: ValidationError) -> bool:
    return bool(leaf.absolute_path) and leaf.absolute_path[-1] == "class"


def _describe_value_error(error: Any) -> str:
    """mlos_bench wraps schema errors, and keeps what was wrong in the cause only."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return f"{error}" if type(error).__module__.startswith("benchhost") else f"{error}; check the configuration"
    where = str(error).removeprefix("Failed to validate config ").split(" against schema type ")[0]
    return f"the configuration {where} is wrong at {describe_validation(cause)}"


def _describe_process(error: Any) -> str:
    command = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd))
    if command.startswith("git "):
        return f"'{command}' failed: {GIT_HINT}"
    return f"the command '{command}' failed with exit code {error.returncode}; run it by hand to see why"


def _describe_file(error: Any) -> str:
    return f"there is no file {error.filename}; check the paths in the configuration and --config_path"


def _describe_import(error: Any) -> str:
    return f"{error}; install the package that has it, or correct the key 'class' in the configuration"


def _describe_assertion(error: Any) -> str:
    """An environment without the service that it needs says so; other assertions are mlos_bench's own matter."""
    said = str(error)
    if _ABOUT_SERVICES not in said:
        return _describe_other(error)
    hints = (hint for what, hint in _SERVICE_HINTS.items() if what in said)
    return f"{said}; {next(hints, 'add one that does to the services of the experiment')}"


def _describe_other(error: BaseException) -> str:
    """An internal check of mlos_bench has often no words; say where it is."""
    frames: Iterable[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    last = list(frames)[-1:]
    where = f" at {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
    words = f": {error}" if str(error) else ""
    return f"mlos_bench stopped with {type(error).__name__}{where}{words}; --log_level=DEBUG shows more"


def _one_line(text: str) -> str:
    return " ".join(text.split())


_KINDS: Final[list[tuple[type[BaseException], Callable[[Any], str]]]] = [
    (ClientError, str),
    (subprocess.CalledProcessError, _describe_process),
    (ValidationError, lambda error: f"the configuration is wrong at {describe_validation(error)}"),
    (ModuleNotFoundError, _describe_import),
    (FileNotFoundError, _describe_file),
    (AssertionError, _describe_assertion),
    (ValueError, _describe_value_error),
    (RuntimeWarning, str),
    (RuntimeError, str),
]
"""The first that fits. RuntimeWarning is how mlos_bench says that too many trials failed."""
