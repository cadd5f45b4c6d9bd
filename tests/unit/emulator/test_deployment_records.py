"""What is kept of deployments, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.deployments.record import DeploymentState
from unit.emulator.deploying import deploy
from unit.emulator.kept_cloud import KeptCloud

if TYPE_CHECKING:
    from pathlib import Path

    from unit.emulator.driver import Cloud


def test_secrets_are_forgotten_when_a_deployment_has_ended(cloud: Cloud) -> None:
    deployment = deploy(cloud, "one")
    assert deployment.values == {"label": "hidden"}
    cloud.pass_time()

    assert (deployment.state, deployment.values) == (DeploymentState.SUCCEEDED, {})
    assert deployment.outputs["host"]["value"] == "hidden-one.eastus.cloudapp.azure.com"


def test_a_deployment_takes_little_longer_than_its_resources(cloud: Cloud) -> None:
    deployment = deploy(cloud, "one")
    cloud.pass_time()

    (step,) = deployment.steps
    assert deployment.ended is not None
    assert step.started is not None
    operation = cloud.subscription.operations.find(step.operation_id)
    assert operation is not None
    assert operation.ended is not None
    assert 0 < step.started - deployment.started < 3
    assert 0 < deployment.ended - operation.ended < 3


@pytest.mark.parametrize("ended", [False, True], ids=["under-way", "ended"])
def test_a_deployment_comes_back_after_a_restart_and_ends_at_the_same_time(*, ended: bool, tmp_path: Path) -> None:
    cloud = KeptCloud(tmp_path / "state.db")
    deployment = deploy(cloud, "one")
    cloud.pass_time(1000.0 if ended else 1.0)
    cloud.state.save()
    again = cloud.restart()
    for one in (cloud, again):
        one.pass_time()

    found = again.subscription.deployments.get(deployment.id)
    assert found == deployment
    assert found.state is DeploymentState.SUCCEEDED


def test_a_deployment_in_the_place_of_an_ended_one_is_kept(tmp_path: Path) -> None:
    cloud = KeptCloud(tmp_path / "state.db")
    first = deploy(cloud, "one")
    cloud.pass_time()
    cloud.state.save()
    second = deploy(cloud, "one")
    cloud.pass_time()
    cloud.state.save()

    kept = cloud.restart().subscription.deployments.list_in_group("rg")
    assert [one.guid for one in kept] == [second.guid] != [first.guid]


def test_the_latest_deployment_is_listed_first(cloud: Cloud) -> None:
    for name in ("one", "two"):
        deploy(cloud, name)
        cloud.pass_time()

    assert [one.id.name for one in cloud.subscription.deployments.list_in_group("RG")] == ["two", "one"]
