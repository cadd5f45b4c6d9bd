"""An experiment as mlos_bench stores it, with the hosts' history beside it, made without running anything."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlos_bench.environments.status import Status
from mlos_bench.storage.storage_factory import from_config
from mlos_bench.tunables.tunable_groups import TunableGroups

from benchhost.mlos.results import Results, TrialRow
from benchhost.mlos.workspace import prepare_workspace
from benchhost.report.analysis import Analysis, analyse
from benchhost.report.history import parse_history

BEGIN = datetime(2026, 11, 25, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Ran:
    """A trial to store: the size of a cache, the score (None: it failed), and the epoch of its placement."""

    cache: int
    score: float | None
    epoch: int | None
    uid: str = "uid-1"


def store(folder: Path, trials: Sequence[Ran], *, experiment: str = "tuning", metric: str = "ops_per_second") -> Path:
    """Make a folder like the one an experiment ran from; gives it."""
    write_configuration(folder, experiment)
    with warnings.catch_warnings():
        # mlos_bench's own configuration of alembic is of an older form.
        warnings.filterwarnings("ignore", message="No path_separator found", category=DeprecationWarning)
        _fill(folder, trials, experiment, metric=metric)
    return folder


def _fill(folder: Path, trials: Sequence[Ran], experiment: str, *, metric: str) -> None:
    storage = from_config(config=str(folder / "storage.jsonc"), config_path=[str(folder)])
    groups = TunableGroups(
        {"cache": {"cost": 1, "params": {"pages": {"type": "int", "range": [1, 10**6], "default": 100}}}}
    )
    opened = storage.experiment(
        experiment_id=experiment,
        trial_id=1,
        root_env_config=str(folder / "cli.jsonc"),
        description="",
        tunables=groups,
        opt_targets={metric: "max"},
    )
    with opened as running:
        for number, ran in enumerate(trials, start=1):
            tunables = groups.copy().assign({"pages": ran.cache})
            config = {"is_defaults": ran.cache == 100, "repeat_i": 1}
            trial = running.new_trial(tunables, ts_start=start_of(number), config=config)
            if ran.score is None:
                trial.update(Status.FAILED, start_of(number) + 4 * MINUTE)
            else:
                trial.update(Status.SUCCEEDED, start_of(number) + 4 * MINUTE, {metric: ran.score})


def results(trials: Sequence[Ran], *, metric: str = "ops_per_second", direction: str = "max") -> Results:
    """The same as it is read from the storage."""
    numbers = {cache: number for number, cache in enumerate(dict.fromkeys(ran.cache for ran in trials), start=1)}
    rows = [
        TrialRow(
            trial_id=number,
            status="FAILED" if ran.score is None else "SUCCEEDED",
            tunables={"pages": ran.cache},
            scores={} if ran.score is None else {metric: ran.score},
            config_id=numbers[ran.cache],
            ts_start=start_of(number),
            ts_end=start_of(number) + 4 * MINUTE,
            is_defaults=ran.cache == 100,
        )
        for number, ran in enumerate(trials, start=1)
    ]
    return Results("tuning", {metric: direction}, rows)


def analysed(
    trials: Sequence[Ran], *, direction: str = "max", metric: str = "ops_per_second", baseline: int | None = None
) -> Analysis:
    """The report on them, with their hosts' history."""
    lines = [json.dumps(record) for record in history(trials)]
    found = results(trials, metric=metric, direction=direction)
    return analyse(found, parse_history(lines, "tuning"), baseline_trial=baseline)


def write_configuration(folder: Path, experiment: str) -> None:
    """The files that name the storage, in a git work tree, which mlos_bench asks for."""
    source = folder.with_name(f"{folder.name}-source")
    source.mkdir()
    (source / "cli.jsonc").write_text(json.dumps({"experiment_id": experiment, "storage": "storage.jsonc"}))
    config = {"drivername": "sqlite", "database": str(folder / "results.sqlite"), "lazy_schema_create": True}
    (source / "storage.jsonc").write_text(
        json.dumps({"class": "mlos_bench.storage.sql.storage.SqlStorage", "config": config})
    )
    prepare_workspace(source, folder)


def history(trials: Sequence[Ran], *, experiment: str = "tuning") -> list[dict[str, Any]]:
    """What the service writes while these trials run: each host is provisioned, moved when the epoch grows, deleted."""
    records: list[dict[str, Any]] = []
    last: dict[str, int] = {}
    for number, ran in enumerate(trials, start=1):
        if ran.epoch is None:
            continue
        begin, host = start_of(number), {"experiment": experiment, "namespace": "default", "name": "h", "uid": ran.uid}
        kinds = ["Provision"] if ran.uid not in last else ["Reallocate", "Start"] if ran.epoch > last[ran.uid] else []
        for step, kind in enumerate(kinds):
            length = timedelta(seconds=30 + 5 * (number % 4) + step)
            records.append(operation(host, kind, begin + step * MINUTE, length, epoch=ran.epoch))
        last[ran.uid] = ran.epoch
        placed = {"event": "Placed", "time": stamp(begin + 2.5 * MINUTE), "trial": str(number), "epoch": ran.epoch}
        records.append({**host, **placed, "size": "Standard_D2s_v5", "zone": None})
    end = start_of(len(trials) + 1)
    for uid, epoch in last.items():
        host = {"experiment": experiment, "namespace": "default", "name": "h", "uid": uid}
        records.append(operation(host, "Delete", end, MINUTE, epoch=epoch))
        records.append({**host, "event": "Gone", "time": stamp(end + MINUTE)})
    return records


def operation(host: dict[str, Any], kind: str, begin: datetime, length: timedelta, *, epoch: int = 1) -> dict[str, Any]:
    """A finished operation."""
    return {
        **host,
        "event": "Operation",
        "time": stamp(begin + length),
        "type": kind,
        "startTime": stamp(begin),
        "endTime": stamp(begin + length),
        "seconds": length.total_seconds(),
        "result": "Succeeded",
        "reason": None,
        "epoch": epoch,
        "size": "Standard_D2s_v5",
    }


def write_history(path: Path, records: Sequence[dict[str, Any]], *, broken: str = "") -> None:
    """One object a line; a crash may have left a piece of one at the end."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + broken)


def start_of(number: int) -> datetime:
    """When a trial was put in the queue."""
    return BEGIN + 5 * number * MINUTE


def stamp(time: datetime) -> str:
    """As Kubernetes writes times."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
