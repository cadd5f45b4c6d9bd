"""What an experiment found: its trials as a table, read from mlos_bench's own storage.

``python -m benchhost.mlos.results --config cli.jsonc --experiment NAME``, run from where the experiment ran; and for
``benchhost report``. It only reads.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import json5
from rich.console import Console
from rich.table import Table

from benchhost.mlos.explanation import explain


class ResultsError(RuntimeError):
    """There is nothing to show."""


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial."""

    trial_id: int
    status: str
    tunables: Mapping[str, Any]
    scores: Mapping[str, Any]
    """Metric -> value; empty when the trial failed."""
    config_id: int = 0
    """mlos_bench's number of the configuration; repeats of one configuration share it."""
    ts_start: datetime | None = None
    """When the trial was put in the queue: all repeats of a configuration at once."""
    ts_end: datetime | None = None
    is_defaults: bool = False
    """Whether every tunable had its default value."""
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """One experiment."""

    experiment_id: str
    objectives: Mapping[str, str]
    """Metric -> ``min`` or ``max``; the first decides which trial is best."""
    trials: Sequence[TrialRow]


def get_results(config: str, *, experiment_id: str | None = None) -> Results:
    """Read an experiment.

    Parameters
    ----------
    config
        mlos_bench's main configuration file, or a storage configuration file.
    experiment_id
        Default: the one of the configuration, or the only one in the storage.

    Raises
    ------
    ResultsError
        If there is no such storage or experiment.
    """
    from mlos_bench.storage.storage_factory import from_config

    settings = _load(config)
    is_storage = "class" in settings
    paths = [str(Path(config).parent), *settings.get("config_path", [])]
    if not is_storage and not settings.get("storage"):
        raise ResultsError(f"{config} names no storage; without one mlos_bench keeps results in memory only")
    _require_database(_find(config if is_storage else settings["storage"], paths))
    storage = from_config(config if is_storage else settings["storage"], config_path=paths)
    experiments = storage.experiments
    chosen = experiment_id or settings.get("experiment_id") or _find_experiment(settings, paths)
    if chosen is None and len(experiments) == 1:
        chosen = next(iter(experiments))
    if chosen is None or chosen not in experiments:
        known = ", ".join(sorted(experiments)) or "none"
        raise ResultsError(f"the storage has no experiment {chosen!r} (it has: {known}); give one with --experiment")
    experiment = experiments[chosen]
    rows = [_to_row(trial) for trial in experiment.trials.values()]
    return Results(chosen, experiment.objectives, _mark_best(rows, experiment.objectives))


def to_table(results: Results) -> Table:
    """The trials as a table, the best one marked."""
    names = list(dict.fromkeys(name for row in results.trials for name in row.tunables))
    table = Table(title=f"Experiment {results.experiment_id}", title_justify="left", row_styles=["", "dim"])
    table.add_column("Trial", justify="right")
    for name in names:
        table.add_column(name)
    for metric, direction in results.objectives.items():
        table.add_column(f"{metric} ({direction})", justify="right")
    table.add_column("Status")
    for row in results.trials:
        cells = [str(row.trial_id), *(str(row.tunables.get(name, "")) for name in names)]
        cells += [_format(row.scores.get(metric)) for metric in results.objectives]
        cells.append("best" if row.is_best else row.status.lower())
        table.add_row(*cells, style="bold green" if row.is_best else None)
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchhost.mlos.results", description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="mlos_bench's main configuration file, or a storage one")
    parser.add_argument("--experiment", help="experiment id; default: the configuration's")
    arguments = parser.parse_args(argv)
    try:
        # mlos_bench and alembic report on every table that they open; only what went wrong is of interest.
        with redirect_stderr(StringIO()):
            results = get_results(arguments.config, experiment_id=arguments.experiment)
    except Exception as error:  # noqa: BLE001 - the last place where a failure can become a sentence
        sys.stderr.write(f"{explain(error)}\n")
        return 1
    Console().print(to_table(results))
    return 0


def _load(path: str) -> dict[str, Any]:
    with Path(path).open(encoding="utf-8") as file:
        loaded = json5.load(file)
    if not isinstance(loaded, dict):
        raise ResultsError(f"{path} is not a configuration: it must be an object")
    return loaded


def _find(name: str, paths: Sequence[str]) -> Path | None:
    return next((Path(folder) / name for folder in [".", *paths] if (Path(folder) / name).is_file()), None)


def _require_database(config: Path | None) -> None:
    """SQLite would make an empty file where there is none."""
    storage = _load(str(config)).get("config", {}) if config is not None else {}
    database = str(storage.get("database", ""))
    is_file = str(storage.get("drivername", "")).startswith("sqlite") and database not in {"", ":memory:"}
    if is_file and "$" not in database and not Path(database).exists():
        raise ResultsError(f"there is no database {database}; run this from the folder that the experiment ran from")


def _find_experiment(settings: Mapping[str, Any], paths: Sequence[str]) -> str | None:
    """The experiment id in the globals that the configuration names; the last one counts, as for mlos_bench."""
    found: str | None = None
    for name in settings.get("globals", []):
        file = _find(name, paths)
        found = (_load(str(file)).get("experiment_id") if file else None) or found
    return found


def _to_row(trial: Any) -> TrialRow:
    return TrialRow(
        trial_id=trial.trial_id,
        status=trial.status.name,
        tunables=trial.tunable_config.config_dict,
        scores={name: _to_number(value) for name, value in trial.results_dict.items()},
        config_id=trial.tunable_config_id,
        ts_start=trial.ts_start,
        ts_end=trial.ts_end,
        is_defaults=str(trial.metadata_dict.get("is_defaults")).lower() in {"1", "true"},
    )


def _to_number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _mark_best(rows: list[TrialRow], objectives: Mapping[str, str]) -> list[TrialRow]:
    if not objectives:
        return rows
    metric, direction = next(iter(objectives.items()))
    scored = [row for row in rows if row.status == "SUCCEEDED" and isinstance(row.scores.get(metric), float)]
    if not scored:
        return rows
    pick = min if direction == "min" else max
    best = pick(scored, key=lambda row: row.scores[metric])
    return [replace(row, is_best=row is best) for row in rows]


def _format(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
