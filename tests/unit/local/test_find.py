"""What is looked at on a machine, with stand-ins for the programs of others on PATH."""

from pathlib import Path

import pytest

from benchhost.local import (
    BuildSource,
    CachedSource,
    DiscoveryError,
    KindSource,
    NamedClusterSource,
    find_build,
    find_control_plane,
)
from benchhost.local.cache import GoSource, build_folder, find_go_source
from benchhost.local.find import find_engine, parse_go_version

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


@pytest.fixture
def machine(tmp_path: Path, programs: Path) -> dict[str, str]:
    """The environment of a machine on which only `programs` are installed and nothing is cached."""
    return {"PATH": str(programs), "BENCHHOST_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture
def go_source() -> GoSource:
    source = find_go_source()
    assert source is not None
    return source


def install(folder: Path, name: str, script: str = "exit 0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_a_bare_machine_builds_with_a_toolchain_from_a_package(machine: dict[str, str]) -> None:
    found = find_control_plane(environ=machine)
    assert isinstance(found, BuildSource)
    assert found.go is None


@pytest.mark.parametrize(
    ("version", "used"),
    [
        pytest.param("go1.99.0", True, id="a-newer-go-is-used"),
        pytest.param("go1.26.0", True, id="the-oldest-good-go-is-used"),
        pytest.param("go1.25.9", False, id="an-older-go-is-not-used"),
        pytest.param("go1.27rc1", False, id="a-preview-is-not-used"),
        pytest.param("devel go1.28-abc", False, id="a-development-version-is-not-used"),
    ],
)
def test_the_machines_go(version: str, used: bool, machine: dict[str, str], programs: Path) -> None:
    go = install(programs, "go", f"echo '{version}'")
    found = find_control_plane(environ=machine)
    assert isinstance(found, BuildSource)
    assert found.go == (go if used else None)


@pytest.mark.parametrize(
    ("printed", "version"),
    [("go1.26.8", (1, 26, 8)), ("go1.26", (1, 26, 0)), ("go1.26.8-vendor", (1, 26, 8)), ("", None), ("gcc 14", None)],
)
def test_go_versions(printed: str, version: tuple[int, ...] | None) -> None:
    assert parse_go_version(printed) == version


def test_kind_is_used_where_an_engine_answers(machine: dict[str, str], programs: Path) -> None:
    kind = install(programs, "kind")
    install(programs, "docker", "exit 1")
    install(programs, "podman", '[ "$1" = info ]')
    assert find_control_plane(environ=machine) == KindSource(kind, "podman")


def test_an_engine_whose_daemon_does_not_answer_does_not_count(machine: dict[str, str], programs: Path) -> None:
    install(programs, "kind")
    install(programs, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    assert find_engine(machine) is None
    assert isinstance(find_control_plane(environ=machine), BuildSource)


def test_a_named_cluster_is_taken_without_looking_at_anything(machine: dict[str, str], programs: Path) -> None:
    touched = programs / "touched"
    for name in ("kind", "docker", "go"):
        install(programs, name, f"touch {touched}")
    assert find_control_plane(context="dev", environ=machine) == NamedClusterSource(None, "dev")
    assert not touched.exists()


def test_a_current_context_is_never_used_by_itself(machine: dict[str, str], tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("current-context: production\n")
    assert isinstance(find_control_plane(environ={**machine, "KUBECONFIG": str(kubeconfig)}), BuildSource)


def test_assets_are_found_and_an_empty_folder_is_refused(machine: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="holds no etcd and no kube-apiserver and no kubectl"):
        find_control_plane(environ={**machine, "KUBEBUILDER_ASSETS": str(tmp_path)})


def test_a_finished_build_is_found_and_a_half_one_is_not(
    machine: dict[str, str], tmp_path: Path, go_source: GoSource
) -> None:
    folder = build_folder(tmp_path / "cache", go_source)
    for name in COMPONENTS[:-1]:
        install(folder, name)
    assert isinstance(find_control_plane(environ=machine), BuildSource)
    install(folder, COMPONENTS[-1])
    assert find_control_plane(environ=machine) == CachedSource(folder)
    assert find_build(environ=machine) == folder
