"""The four methods as HostEnv calls them, on a real API server."""

import logging
import pickle
from typing import Any

import pytest
from mlos_bench.environments.status import Status
from mlos_bench.services.types.host_provisioner_type import SupportsHostProvisioning

from benchhost.api.names import LABEL_OWNER
from benchhost.client import BenchHostClient
from integration.mlos.conftest import MakeService, params
from integration.mlos.standin_controller import Answer, StandInController
from support.builders import azure_spec
from support.stack import Kubectl

INFO = {
    "operation",
    "startTime",
    "endTime",
    "durationSeconds",
    "namespace",
    "name",
    "uid",
    "providerId",
    "vmId",
    "size",
    "zone",
    "placementEpoch",
    "addresses",
}


def set_up(service: Any, wanted: dict[str, Any]) -> tuple[Status, dict[str, Any]]:
    """As HostEnv does."""
    status, result = service.provision_host(wanted)
    assert result == {}
    if status.is_pending():
        return service.wait_host_deployment(result, is_setup=True)
    return status, result


def tear_down(service: Any, wanted: dict[str, Any]) -> Status:
    """As HostEnv does."""
    status, result = service.deprovision_host(wanted)
    assert result == {}
    if status.is_pending():
        status, _ = service.wait_host_deployment(result, is_setup=False)
    return status


@pytest.mark.usefixtures("controller")
def test_a_host_comes_is_kept_and_goes(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service()
    assert isinstance(service, SupportsHostProvisioning)
    with service:
        status, info = set_up(service, params())
        assert (status, set(info)) == (Status.SUCCEEDED, INFO)
        assert (info["operation"], info["name"], info["size"], info["placementEpoch"]) == (
            "Provision",
            "pg",
            "Standard_B2s",
            1,
        )
        found = client.get("pg")
        assert found is not None
        assert found.metadata.labels[LABEL_OWNER] == "me"
        again, result = service.provision_host(params(trial=2))
        assert (again, result) == (Status.SUCCEEDED, {})
        after = client.get("pg")
        assert after is not None
        assert after.metadata.generation == found.metadata.generation
        status, handle = service.deprovision_host(params(trial=2))
        assert status is Status.PENDING
        status, info = service.wait_host_deployment(handle, is_setup=False)
        assert (status, set(info), info["operation"]) == (Status.SUCCEEDED, INFO, "Deprovision")
        assert client.get("pg") is None
        assert service.deprovision_host(params(trial=2)) == (Status.SUCCEEDED, {})


@pytest.mark.usefixtures("controller")
def test_another_size_changes_the_same_host(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service()
    _, first = set_up(service, params())
    status, second = set_up(service, params(trial=2, size="Standard_B4ms"))
    assert (status, second["size"], second["uid"]) == (Status.SUCCEEDED, "Standard_B4ms", first["uid"])
    found = client.get("pg")
    assert found is not None
    assert found.spec.azure.sizes[0] == "Standard_B4ms"


@pytest.mark.usefixtures("controller")
def test_deallocate_gives_back_and_provision_powers_on(make_service: MakeService) -> None:
    service = make_service()
    set_up(service, params())
    status, handle = service.deallocate_host(params())
    assert (status, handle) == (Status.PENDING, {})
    status, info = service.wait_host_deployment(handle, is_setup=False)
    assert (status, info["operation"]) == (Status.SUCCEEDED, "Deallocate")
    assert service.deallocate_host(params())[0] is Status.SUCCEEDED
    status, info = set_up(service, params(trial=2))
    assert (status, info["operation"], info["placementEpoch"]) == (Status.SUCCEEDED, "Start", 2)
    tear_down(service, params())
    assert service.deallocate_host(params())[0] is Status.SUCCEEDED


@pytest.mark.usefixtures("controller")
def test_new_per_trial_asks_for_other_hardware_once_a_trial(
    make_service: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service = make_service(placementPolicy="NewPerTrial")
    epochs = [set_up(service, params(trial=trial))[1].get("placementEpoch") for trial in (1, 2)]
    assert epochs == [1, 2]
    assert service.provision_host(params(trial=2))[0] is Status.SUCCEEDED
    lines = [record.getMessage() for record in caplog.records if "placement epoch" in record.getMessage()]
    assert [line.split(" since")[0].rsplit(" ", 1)[-1] for line in lines] == ["1", "2", "2"]


@pytest.mark.usefixtures("controller")
def test_several_trials_can_share_each_placement(make_service: MakeService) -> None:
    service = make_service(placementPolicy="NewPerTrial", trialsPerPlacement=2)
    epochs = []
    for trial in range(1, 6):
        set_up(service, params(trial=trial))
        epochs.append(service.wait_host_deployment(params(trial=trial), is_setup=True)[1]["placementEpoch"])
    assert epochs == [1, 1, 2, 2, 3]
    again = make_service(placementPolicy="NewPerTrial", trialsPerPlacement=2)
    assert set_up(again, params(trial=6))[1]["placementEpoch"] == 4


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("handed", [{}, params(), {"other": 1, **params()}], ids=["empty", "params", "more-params"])
def test_a_plain_dictionary_is_good_enough_to_wait_with(make_service: MakeService, handed: dict[str, Any]) -> None:
    service = make_service()
    service.provision_host(params())
    assert service.wait_host_deployment(dict(handed), is_setup=True)[0] is Status.SUCCEEDED
    service.deprovision_host(params())
    assert service.wait_host_deployment(dict(handed), is_setup=False)[0] is Status.SUCCEEDED


@pytest.mark.usefixtures("controller")
def test_another_service_of_the_same_owner_goes_on(make_service: MakeService) -> None:
    make_service().provision_host(params())
    other = make_service()
    assert other.wait_host_deployment(params(), is_setup=True)[0] is Status.SUCCEEDED
    assert tear_down(other, params()) is Status.SUCCEEDED


@pytest.mark.usefixtures("controller")
def test_hosts_of_earlier_trials_go_with_the_last(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service(name="$experiment_id-$trial_id")
    with service:
        for trial in (1, 2, 3):
            assert set_up(service, params(trial=trial))[0] is Status.SUCCEEDED
        assert [host.metadata.name for host in client.list()] == ["exp-1-1", "exp-1-2", "exp-1-3"]
        assert tear_down(service, params(trial=3)) is Status.SUCCEEDED
        assert client.list() == []


@pytest.mark.usefixtures("controller")
def test_two_hosts_of_one_trial_go_one_after_the_other(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service()
    set_up(service, params(name="server"))
    set_up(service, params(name="load"))
    assert tear_down(service, params(name="load")) is Status.SUCCEEDED
    assert [host.metadata.name for host in client.list()] == ["server"]


@pytest.mark.usefixtures("controller")
def test_what_a_teardown_did_not_name_goes_when_the_context_ends(
    make_service: MakeService, client: BenchHostClient
) -> None:
    service = make_service()
    with service:
        for size in ("a", "b"):
            set_up(service, {"vmName": f"pg-{size}", "vmSize": "Standard_B2s"})
        tear_down(service, {"vmName": "pg-b"})
        assert [host.metadata.name for host in client.list()] == ["pg-a"]
    assert client.list() == []


@pytest.mark.usefixtures("controller")
def test_a_context_that_ends_well_releases_nothing(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service()
    for trial in (1, 2):
        with service:
            assert set_up(service, params(trial=trial))[0] is Status.SUCCEEDED
    assert client.get("pg") is not None
    copy = pickle.loads(pickle.dumps(service))  # noqa: S301 - our own bytes
    with copy:
        assert tear_down(copy, params(trial=2)) is Status.SUCCEEDED
    assert client.get("pg") is None


def test_an_object_on_its_way_out_is_waited_for_and_replaced(
    make_service: MakeService, client: BenchHostClient, controller: StandInController
) -> None:
    service = make_service()
    _, first = set_up(service, params())
    controller.answer("pg", Answer.HOLD_DELETION)
    client.delete("pg")
    status, handle = service.provision_host(params(trial=2))
    assert (status, handle) == (Status.PENDING, {})
    controller.answer("pg", Answer.OBEY)
    status, second = service.wait_host_deployment(handle, is_setup=True)
    assert status is Status.SUCCEEDED
    assert second["uid"] != first["uid"]


@pytest.mark.parametrize("labels", [{LABEL_OWNER: "bob"}, {}], ids=["of-bob", "of-nobody"])
def test_a_host_of_somebody_else_is_never_touched(
    make_service: MakeService, client: BenchHostClient, caplog: pytest.LogCaptureFixture, labels: dict[str, str]
) -> None:
    before = client.create({"metadata": {"name": "pg", "labels": labels}, "spec": {"azure": azure_spec()}})
    service = make_service()
    with service:
        assert service.provision_host(params()) == (Status.FAILED, {})
        assert service.deallocate_host(params()) == (Status.FAILED, {})
        assert service.deprovision_host(params()) == (Status.FAILED, {})
    assert client.get("pg") == before
    assert all("'owner'" in record.getMessage() for record in caplog.records)
    assert ("'bob'" in caplog.text) == bool(labels)


def test_construction_asks_nobody(kubectl: Kubectl, make_service: MakeService) -> None:
    del kubectl
    service = make_service(kubeconfig="/nowhere/kubeconfig")
    copy = pickle.loads(pickle.dumps(service))  # noqa: S301 - our own bytes
    assert copy.config == service.config
