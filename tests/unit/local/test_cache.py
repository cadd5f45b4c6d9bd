"""Where builds are kept and under which key."""

import shutil
from pathlib import Path

import pytest

from benchhost.local import DiscoveryError
from benchhost.local.cache import GoSource, cache_folder, find_go_source


@pytest.fixture
def copy(tmp_path: Path) -> GoSource:
    original = find_go_source()
    assert original is not None
    for file in original.files:
        shutil.copy(file, tmp_path)
    return GoSource(tmp_path)


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        pytest.param({"BENCHHOST_CACHE_DIR": "/own", "XDG_CACHE_HOME": "/xdg"}, "/own", id="our-variable-comes-first"),
        pytest.param({"XDG_CACHE_HOME": "/xdg"}, "/xdg/benchhost", id="then-the-desktop-standard"),
        pytest.param({"XDG_CACHE_HOME": "relative"}, "~/.cache/benchhost", id="a-relative-one-is-ignored"),
        pytest.param({}, "~/.cache/benchhost", id="then-the-home"),
    ],
)
def test_cache_folder(environ: dict[str, str], folder: str) -> None:
    assert cache_folder(environ) == Path(folder).expanduser()


def test_the_key_begins_with_the_version_and_is_stable(copy: GoSource) -> None:
    assert copy.key.startswith(f"{copy.kubernetes_version}-")
    assert copy.key == GoSource(copy.folder).key


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go", "components.go", "go-toolchain.txt"])
def test_the_key_changes_with_every_file(copy: GoSource, name: str) -> None:
    before = copy.key
    with (copy.folder / name).open("a") as stream:
        stream.write("\n")
    assert copy.key != before


def test_a_readme_does_not_change_the_key(copy: GoSource) -> None:
    before = copy.key
    (copy.folder / "README.md").write_text("new words")
    assert copy.key == before


def test_versions_are_read_from_go_mod(copy: GoSource) -> None:
    assert copy.kubernetes_version.startswith("v1.")
    assert copy.go_version >= (1, 26)


def test_a_damaged_go_mod_is_told(copy: GoSource) -> None:
    (copy.folder / "go.mod").write_text("module x\n")
    with pytest.raises(DiscoveryError, match=r"go\.mod is damaged; install BenchHost again"):
        _ = copy.kubernetes_version
