"""``benchhost report`` as it is typed, on a storage that mlos_bench itself has written."""

import os
import subprocess
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support.stored_experiment import Ran, history, store, write_history

BENCHHOST = str(Path(sys.executable).with_name("benchhost"))
NOISE = (0.0, 4.0, -3.0, 1.0, -2.0)
TRIALS = [
    Ran(cache, 100 + effect + NOISE[epoch - 1] + turn / 3 + (epoch * cache) % 7 / 9, epoch)
    for epoch in range(1, 6)
    for cache, effect in ((100, 0), (500, 6), (900, 3))
    for turn in (0, 1)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an experiment has run."""
    made = store(tmp_path_factory.mktemp("report") / "experiment", [*TRIALS, Ran(700, None, 5)])
    write_history(made / "benchhost-history.jsonl", history(TRIALS), broken='{"event":"Placed","ti')
    return made


def report(folder: Path, *options: str, code: int = 0, **environment: str) -> str:
    """Run it; gives what it prints."""
    argv = [BENCHHOST, "report", "--config", "cli.jsonc", *options]
    done = subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code == 0:
        assert done.stderr == ""
        return done.stdout
    assert done.stdout == ""
    assert done.stderr.startswith("benchhost: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def text_of(page: Path) -> str:
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append  # type: ignore[method-assign]
    parser.feed(page.read_text())
    return "".join(found).replace("\u00a0", " ")


def test_page_and_picture_with_the_verdict_on_both_page_and_terminal(folder: Path) -> None:
    printed = report(folder).splitlines()
    assert printed[0] == "Wrote report.html and report.png."
    assert printed[1].startswith(
        "Configuration 2 is better than the default, configuration 1, beyond placement noise: ops_per_second is "
    )
    assert "paired t-test on 5 placements" in printed[1]
    text = text_of(folder / "report.html")
    assert printed[1] in text
    assert "31 trials (1 failed), 4 configurations and 5 known placements of 1 host." in text
    assert "of the variance is between placements" in text
    assert "Standard_D2s_v5" in text
    assert (folder / "report.png").read_bytes().startswith(b"\x89PNG")


def test_two_runs_write_the_same_bytes(folder: Path) -> None:
    report(folder, "--output", "one.html", PYTHONHASHSEED="1")
    report(folder, "--output", "two.html", PYTHONHASHSEED="2")
    assert (folder / "one.html").read_bytes() == (folder / "two.html").read_bytes()
    assert (folder / "one.png").read_bytes() == (folder / "two.png").read_bytes()


def test_too_little_data_is_a_page_all_the_same(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    page, picture = tmp_path / "r.html", tmp_path / "p.png"
    printed = report(folder, "--history", str(empty), "--output", str(page), "--png", str(picture))
    assert "Too little data to say whether the best configuration is better beyond placement noise: " in printed
    assert "ops_per_second (higher is better)" in text_of(page)
    assert picture.exists()


def test_another_baseline(folder: Path) -> None:
    assert "better than the baseline, configuration 3, beyond" in report(folder, "--baseline", "5", "-o", "other.html")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--experiment", "nope"], "has no experiment 'nope' (it has: tuning)", id="experiment"),
        pytest.param(["--history", "nope.jsonl"], "nope.jsonl cannot be read", id="history"),
        pytest.param(["--baseline", "99"], "has no trial 99", id="baseline"),
        pytest.param(["--output", "nowhere/x.html"], "nowhere/x.html cannot be written", id="output"),
        pytest.param(["--config", "nope.jsonc"], "there is no file nope.jsonc", id="config"),
    ],
)
def test_unusable_input_is_one_sentence(folder: Path, options: Sequence[str], words: str) -> None:
    assert words in report(folder, *options, code=1)


def test_a_database_that_is_not_there_is_told_and_not_made(folder: Path, tmp_path: Path) -> None:
    config = (folder / "storage.jsonc").read_text().replace(str(folder), str(tmp_path))
    (tmp_path / "cli.jsonc").write_text(config)
    assert "there is no database" in report(tmp_path, code=1)
    assert [file.name for file in tmp_path.iterdir()] == ["cli.jsonc"]


def test_one_file_cannot_be_both(folder: Path) -> None:
    assert "cannot both be x.png" in report(folder, "--output", "x.png", code=2)


@pytest.mark.parametrize("missing", ["matplotlib", "scipy", "mlos_bench", "json5"])
def test_without_the_extra_it_says_what_to_install(folder: Path, tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('gone', name={missing!r})")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert f"needs {missing}; install it with: pip install 'benchhost[report]'" in report(
        folder, code=1, PYTHONPATH=path
    )


def test_no_other_command_pays_for_it() -> None:
    code = "import sys, benchhost.cli.main; print({'matplotlib', 'scipy', 'numpy', 'mlos_bench'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
