"""``benchhost report``: an experiment as one page, with what placement noise leaves of its result."""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchhost.cli.errors import USAGE, fail, missing_extra

if TYPE_CHECKING:
    from benchhost.mlos.results import Results
    from benchhost.report.history import History

_PARTS_OF_EXTRA: Final = frozenset({"mlos_bench", "pandas", "pytz", "sqlalchemy"})
"""What mlos_bench's storage needs; another module that is missing is named by the configuration."""


def report(
    *,
    config: Annotated[str, typer.Option(help="mlos_bench's main configuration file, or a storage one.")],
    experiment: Annotated[
        str | None, typer.Option(help="Experiment id; the configuration's, or the only one, when absent.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="The hosts' history; benchhost-history.jsonl in the present folder when absent."),
    ] = None,
    baseline: Annotated[
        int | None,
        typer.Option(
            metavar="TRIAL",
            help="Trial whose configuration the best one is compared with; the default configuration when absent, and "
            "the second best where that was not measured.",
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("report.html"),
    png: Annotated[
        Path | None, typer.Option(help="The picture to write; beside the page, with its name, when absent.")
    ] = None,
) -> None:
    """Tell what an experiment found, and whether it is more than placement noise.

    Reads mlos_bench's storage and the hosts' history, and writes one HTML page and one PNG. Run it from the folder that
    the experiment ran from.
    """
    try:
        from benchhost.report.analysis import analyse
        from benchhost.report.experiment import ReportError
        from benchhost.report.figures import draw_png, draw_svgs
        from benchhost.report.page import to_page
    except ImportError as error:
        missing_extra("report", error)
    picture = png or output.with_suffix(".png")
    if picture == output:
        fail(f"page and picture cannot both be {output}; name another --output or --png.", code=USAGE)
    results = _read_results(config, experiment)
    try:
        analysis = analyse(results, _read_history(history, results.experiment_id), baseline_trial=baseline)
    except ReportError as error:
        fail(f"{error}.")
    _write(output, to_page(analysis, draw_svgs(analysis)).encode())
    _write(picture, draw_png(analysis))
    typer.echo(f"Wrote {output} and {picture}.")
    typer.echo(analysis.verdict.sentence)


def _read_results(config: str, experiment: str | None) -> "Results":
    try:
        from benchhost.mlos.explanation import explain
        from benchhost.mlos.results import get_results
    except ImportError as error:
        missing_extra("report", error)
    try:
        # mlos_bench and alembic report on every table that they open; only what went wrong is of interest.
        with redirect_stderr(StringIO()):
            return get_results(config, experiment_id=experiment)
    except ModuleNotFoundError as error:
        if error.name in _PARTS_OF_EXTRA:
            missing_extra("report", error)
        fail(f"{explain(error)}.")
    except Exception as error:  # noqa: BLE001 - the last place where a failure can become a sentence
        fail(f"{explain(error)}.")


def _read_history(path: Path | None, experiment: str) -> "History | None":
    from benchhost.report.history import DEFAULT_NAME, HistoryError, read_history

    if path is None and not Path(DEFAULT_NAME).exists():
        return None
    try:
        return read_history(path or Path(DEFAULT_NAME), experiment)
    except HistoryError as error:
        fail(f"{error}.")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}.")
