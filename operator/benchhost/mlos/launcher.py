"""The command ``benchhost-mlos-bench``: mlos_bench with ``BenchHostService`` known to it and validation on.

Every switch is mlos_bench's own. It must end with one sentence and an exit code where mlos_bench would end with a
traceback; ``--log_level=DEBUG`` shows the traceback too.
"""

import copy
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from benchhost.mlos.registration import RegistrationError, register_schema
from benchhost.mlos.troubles import HostTroubles, listen

_LOG = logging.getLogger(__name__)

FAILURE: Final = 1
INTERRUPTED: Final = 128 + signal.SIGINT
"""Exit code after Ctrl-C, as a shell reports it."""
TERMINATED: Final = 128 + signal.SIGTERM
"""Exit code after SIGTERM, as a shell reports it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run mlos_bench.

    Parameters
    ----------
    argv
        Arguments without the program's name; default: the command line.

    Returns
    -------
    Exit code: 0 if the experiment succeeded, 130 after Ctrl-C, 143 after SIGTERM, else 1.
    """
    try:
        run = _load()
    except RegistrationError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted before anything was made")
        return INTERRUPTED
    troubles = listen()
    code, end = _run(run, argv)
    return _conclude(code, end, troubles)


def _run(run: Callable[[list[str] | None], int], argv: Sequence[str] | None) -> tuple[int, BaseException | None]:
    """Exit code, and what ended it before its end."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return run(None if argv is None else list(argv)), None
    except KeyboardInterrupt as error:
        return INTERRUPTED, error
    except SystemExit as error:
        if error.code != TERMINATED:
            raise  # mlos_bench's own, after --help or a wrong switch: nothing has been made
        return TERMINATED, error
    except Exception as error:  # noqa: BLE001 - the last place where a failure can become a sentence
        _LOG.debug("mlos_bench failed", exc_info=True)
        return FAILURE, error


def _conclude(code: int, end: BaseException | None, troubles: HostTroubles) -> int:
    """Give back what is to be given back, and say how it ended."""
    # They name what is in packages that may be missing.
    from benchhost.mlos.explanation import explain_end
    from benchhost.mlos.releasing import conclude

    try:
        # A warning is how mlos_bench says, after an orderly end, that too many trials failed.
        conclude(is_failure=end is not None and not isinstance(end, RuntimeWarning))
    except (KeyboardInterrupt, SystemExit):
        _fail(
            "interrupted while hosts were given back; 'kubectl get benchhosts' shows which are left, and the "
            "controller gives them back when their Lease runs out"
        )
        return code or INTERRUPTED
    sentence = explain_end(end, troubles)
    if sentence is not None:
        _fail(sentence)
    return code


def _load() -> Callable[[list[str] | None], int]:
    register_schema()
    try:
        from mlos_bench.run import _shell_main
    except ImportError as error:
        raise RegistrationError(
            f"mlos_bench cannot be used ({error}); install what it needs with: pip install 'benchhost[mlos]'"
        ) from error
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_OneLineFormatter(handler.formatter))
    run: Callable[[list[str] | None], int] = _shell_main
    return run


class _OneLineFormatter(logging.Formatter):
    """Keeps the last line of the tracebacks that mlos_bench logs when an exception passes through it."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        if not record.exc_info or logging.getLogger().isEnabledFor(logging.DEBUG):
            return self._inner.format(record)
        shown = copy.copy(record)
        kind, error = record.exc_info[0], record.exc_info[1]
        shown.msg = f"{record.getMessage()} :: {kind.__name__ if kind else ''} {' '.join(str(error).split())}".rstrip()
        shown.args, shown.exc_info, shown.exc_text = None, None, None
        return self._inner.format(shown)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Leave through every context, so that hosts are released; the default action would leave them running."""
    raise SystemExit(TERMINATED)


def _fail(sentence: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"benchhost-mlos-bench: {sentence}\n")
    return FAILURE


if __name__ == "__main__":
    sys.exit(main())
