import subprocess
from pathlib import Path

import pytest
from mlos_bench.util import get_git_info

from benchhost.mlos.workspace import WorkspaceError, main, prepare_workspace


def test_mlos_bench_finds_repository_commit_and_path(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "env.jsonc").write_text("{}")
    target = prepare_workspace(source, tmp_path / "target")
    repository, commit, path = get_git_info(str(target / "env.jsonc"))
    assert (repository, path) == (str(source), "env.jsonc")
    assert len(commit) == 40


def test_a_second_time_brings_changes_and_keeps_results(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "a").write_text("1")
    prepare_workspace(source, target)
    (target / "results.sqlite").write_text("results")
    (source / "a").write_text("2")
    prepare_workspace(source, target)
    assert (target / "a").read_text() == "2"
    assert (target / "results.sqlite").read_text() == "results"
    log = subprocess.run(["git", "-C", target, "log", "--oneline"], capture_output=True, text=True, check=True)
    assert len(log.stdout.splitlines()) == 2


def test_a_missing_source_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "absent"), str(tmp_path / "t")]) == 1
    assert "there is no folder" in capsys.readouterr().err
    with pytest.raises(WorkspaceError):
        prepare_workspace(tmp_path / "absent", tmp_path / "t")
