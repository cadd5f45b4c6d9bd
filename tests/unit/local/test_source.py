"""Which control plane is chosen, from what was seen."""

from pathlib import Path

import pytest

from benchhost.local import (
    AssetsSource,
    BuildSource,
    CachedSource,
    ControlPlaneSource,
    DiscoveryError,
    KindSource,
    NamedClusterSource,
)
from benchhost.local.cache import GoSource
from benchhost.local.source import Observation, decide_source

ALL = frozenset({"etcd", "kube-apiserver", "kubectl", "kube-controller-manager"})
WITHOUT_MANAGER = ALL - {"kube-controller-manager"}
FILE = Path("/home/ada/kubeconfig")
ASSETS = Path("/opt/kubebuilder/bin")
CACHED = Path("/home/ada/.cache/benchhost/controlplane/v1")
KIND = Path("/usr/bin/kind")
BUILD = BuildSource(GoSource(Path("/src")), Path("/home/ada/.cache/benchhost"), Path("/usr/bin/go"))


def everything(**changed: object) -> Observation:
    seen: dict[str, object] = {
        "assets": ASSETS,
        "assets_executables": ALL,
        "cached": CACHED,
        "kind": KIND,
        "engine": "docker",
        "buildable": BUILD,
    }
    return Observation(**{**seen, **changed})  # type: ignore[arg-type] # a table's row


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        pytest.param(everything(context="dev"), NamedClusterSource(None, "dev"), id="a-named-context-beats-everything"),
        pytest.param(everything(kubeconfig=FILE), NamedClusterSource(FILE, None), id="a-named-file-beats-everything"),
        pytest.param(
            Observation(kubeconfig=FILE, context="dev"), NamedClusterSource(FILE, "dev"), id="both-names-are-kept"
        ),
        pytest.param(everything(), AssetsSource(ASSETS), id="assets-beat-what-is-cached"),
        pytest.param(
            everything(assets_executables=WITHOUT_MANAGER),
            AssetsSource(ASSETS, ("kube-controller-manager",)),
            id="assets-without-a-controller-manager-are-used-and-say-so",
        ),
        pytest.param(everything(assets=None), CachedSource(CACHED), id="a-cached-build-beats-kind"),
        pytest.param(
            everything(assets=None, cached=None), KindSource(KIND, "docker"), id="kind-beats-minutes-of-building"
        ),
        pytest.param(
            everything(assets=None, cached=None, engine=None), BUILD, id="kind-without-an-engine-that-answers-is-no-use"
        ),
        pytest.param(everything(assets=None, cached=None, kind=None), BUILD, id="an-engine-without-kind-is-no-use"),
        pytest.param(Observation(), None, id="nothing-seen-yet-decides-nothing"),
    ],
)
def test_decision(seen: Observation, decision: ControlPlaneSource | None) -> None:
    assert decide_source(seen) == decision


@pytest.mark.parametrize("missing", ["etcd", "kube-apiserver", "kubectl"])
def test_assets_that_were_asked_for_but_are_incomplete_are_not_passed_over(missing: str) -> None:
    with pytest.raises(DiscoveryError, match=f"KUBEBUILDER_ASSETS names {ASSETS}, which holds no {missing}; put"):
        decide_source(everything(assets_executables=ALL - {missing}))
