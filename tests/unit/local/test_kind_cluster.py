"""A kind cluster's life, with a stand-in for the kind command that only writes down how it was called."""

from pathlib import Path

import pytest

from benchhost.local import KindSource, StartError, UnsupportedOperationError
from benchhost.local.kind_cluster import KindCluster

KIND = """#!/bin/sh
echo "$KIND_EXPERIMENTAL_PROVIDER $*" >> {calls}
[ "$1" = delete ] && exit 0
{create}
for argument; do case "$argument" in --kubeconfig=*) file="${argument#--kubeconfig=}" ;; esac; done
echo '{"clusters": [{"cluster": {"server": "https://127.0.0.1:6443"}}]}' > "$file"
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def install(folder: Path, calls: Path, create: str = "") -> KindSource:
    kind = folder / "kind"
    kind.write_text(KIND.replace("{calls}", str(calls)).replace("{create}", create))
    kind.chmod(0o755)
    return KindSource(kind, "podman")


@pytest.fixture(autouse=True)
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some kubectl on PATH; none of these tests gets as far as running it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "kubectl").write_text("#!/bin/sh\n")
    (programs / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


def test_the_cluster_is_created_for_this_use_and_deleted_after_it(tmp_path: Path, calls: Path) -> None:
    with KindCluster(install(tmp_path, calls)) as cluster:
        assert cluster.server == "https://127.0.0.1:6443"
        directory = cluster.directory
        with pytest.raises(UnsupportedOperationError, match="was not started by BenchHost"):
            cluster.restart_api_server()
    created, deleted = (line.split() for line in calls.read_text().splitlines())
    assert created[:3] == ["podman", "create", "cluster"]
    assert deleted == ["podman", "delete", "cluster", created[3], f"--kubeconfig={directory / 'kubeconfig'}"]
    assert created[3].startswith("--name=benchhost-")
    assert not directory.exists()


def test_two_clusters_have_different_names(tmp_path: Path, calls: Path) -> None:
    source = install(tmp_path, calls)
    with KindCluster(source), KindCluster(source):
        pass
    assert len({line.split()[3] for line in calls.read_text().splitlines()}) == 2


def test_a_cluster_that_cannot_be_created_is_told_and_deleted(tmp_path: Path, calls: Path) -> None:
    source = install(tmp_path, calls, create="echo 'ERROR: failed to create cluster: no image' >&2; exit 1")
    directory = tmp_path / "instance"
    with pytest.raises(StartError, match=r"exit code 1.: ERROR: failed to create cluster: no image \(log: "):
        KindCluster(source, directory=directory).start()
    assert [line.split()[1] for line in calls.read_text().splitlines()] == ["create", "delete"]
    assert (directory / "logs" / "kind.log").exists()
