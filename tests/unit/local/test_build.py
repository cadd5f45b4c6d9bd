"""The build around the Go tool, with a stand-in for that tool that compiles nothing."""

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchhost.local import Binaries, BuildError, BuildSource, build_control_plane
from benchhost.local.cache import build_folder, find_go_source

GOOD = """
case "$1" in
list) echo 'go: downloading example.test/a v1' >&2; echo 'stale one'; echo 'stale two' ;;
build) echo one >&2; echo two >&2
       while [ "$1" != -o ]; do shift; done
       mkdir -p "$(dirname "$2")"; echo binary > "$2"; chmod +x "$2"; echo x >> {count} ;;
esac
"""
SLOW = 'case "$1" in list) exit 0 ;; esac\necho started >> {count}\nexec sleep 600\n'
BROKEN = (
    'case "$1" in list) exit 0 ;; esac\necho "./main.go:7:2: undefined: kubectl" >&2\necho "error: bad" >&2\nexit 1\n'
)

ONE_BUILDER = """
import sys
from pathlib import Path
from rich.console import Console
from benchhost.local import BuildSource, build_control_plane, show_progress
from benchhost.local.cache import find_go_source
wanted = BuildSource(find_go_source(), Path(sys.argv[1]), Path(sys.argv[2]))
with show_progress(Console(file=sys.stdout)) as progress:
    print(build_control_plane(wanted, progress))
"""


@dataclass
class Recorded:
    """What a build told."""

    phases: list[tuple[str, int | None]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    furthest: int = 0

    def phase(self, what: str, total: int | None) -> None:
        self.phases.append((what, total))

    def advance_to(self, done: int) -> None:
        self.furthest = max(self.furthest, done)

    def say(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class Workshop:
    """A cache and a Go tool."""

    folder: Path

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    @property
    def count(self) -> Path:
        return self.folder / "count"

    def install(self, script: str) -> BuildSource:
        go = self.folder / "go"
        go.write_text("#!/bin/sh\n" + script.replace("{count}", str(self.count)))
        go.chmod(0o755)
        source = find_go_source()
        assert source is not None
        return BuildSource(source, self.cache, go)

    def left(self) -> list[str]:
        """What lies in the cache, without the lock, which is empty."""
        return sorted(path.name for path in (self.cache / "controlplane").iterdir() if path.suffix != ".lock")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def wait_for_file(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.02)


def start_builder(workshop: Workshop, wanted: BuildSource) -> "subprocess.Popen[str]":
    arguments = [str(workshop.cache), str(wanted.go)]
    return subprocess.Popen(
        [sys.executable, "-c", ONE_BUILDER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_build_lands_in_the_cache_with_one_name_for_each_component(workshop: Workshop) -> None:
    wanted = workshop.install(GOOD)
    told = Recorded()
    folder = build_control_plane(wanted, told)
    assert folder == build_folder(workshop.cache, wanted.source)
    assert Binaries.from_folder(folder).kube_controller_manager is not None
    assert workshop.left() == [folder.name]
    assert told.phases[-1] == ("Compiling Go packages", 2)
    assert told.furthest == 2
    assert told.lines[-1].startswith("Built in ")


def test_a_build_that_is_there_is_not_made_again(workshop: Workshop) -> None:
    wanted = workshop.install(GOOD)
    assert build_control_plane(wanted, Recorded()) == build_control_plane(wanted, Recorded())
    assert workshop.count.read_text() == "x\n"


def test_a_build_that_fails_says_why_and_leaves_only_its_log(workshop: Workshop) -> None:
    with pytest.raises(BuildError, match=r"failed in go-build: error: bad \(log: .*go-build\.log\)"):
        build_control_plane(workshop.install(BROKEN), Recorded())
    [left] = workshop.left()
    assert left.endswith(".logs")


def test_a_cache_that_cannot_be_written_is_told(workshop: Workshop) -> None:
    workshop.cache.write_text("a file, not a folder")
    with pytest.raises(BuildError, match="name another folder in BENCHHOST_CACHE_DIR"):
        build_control_plane(workshop.install(GOOD), Recorded())


def test_a_build_that_is_killed_leaves_nothing_half_and_can_be_made_again(workshop: Workshop) -> None:
    killed = start_builder(workshop, workshop.install(SLOW))
    wait_for_file(workshop.count)
    killed.kill()
    killed.communicate()
    folder = build_control_plane(workshop.install(GOOD), Recorded())
    assert workshop.left() == [folder.name]


def test_the_second_of_two_builders_waits_and_uses_the_first_ones_build(workshop: Workshop) -> None:
    gate = workshop.folder / "gate"
    script = f'[ "$1" = list ] && {{ touch {workshop.folder}/begun; while [ ! -e {gate} ]; do sleep 0.05; done; }}\n'
    wanted = workshop.install(script + GOOD)
    first = start_builder(workshop, wanted)
    wait_for_file(workshop.folder / "begun")
    second = start_builder(workshop, wanted)
    assert second.stdout is not None
    assert "Another process builds the same control plane" in second.stdout.readline()
    gate.touch()
    outputs = [builder.communicate(timeout=30)[0] for builder in (first, second)]
    assert [builder.returncode for builder in (first, second)] == [0, 0], outputs
    assert workshop.count.read_text() == "x\n"
