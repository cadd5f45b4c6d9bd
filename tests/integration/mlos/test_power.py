"""Host and OS operations as OSEnv, RemoteEnv and SaaSEnv call them, on a real API server."""

import logging
from typing import Any

import pytest
from mlos_bench.environments.status import Status
from mlos_bench.services.types.host_ops_type import SupportsHostOps
from mlos_bench.services.types.os_ops_type import SupportsOSOps

from benchhost.api import PowerState
from benchhost.client import BenchHostClient
from integration.mlos.conftest import MakeService, params
from integration.mlos.standin_controller import Answer, StandInController
from integration.mlos.test_service import INFO, set_up, tear_down

Result = tuple[Status, dict[str, Any]]


def done(service: Any, begun: Result) -> Result:
    """As the environments do: wait only where the call is pending."""
    status, result = begun
    assert result == {}
    return service.wait_host_operation(result) if status.is_pending() else begun


@pytest.mark.usefixtures("controller")
def test_off_and_on_again_keeps_the_hardware(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service()
    assert isinstance(service, SupportsHostOps)
    assert isinstance(service, SupportsOSOps)
    set_up(service, params())
    status, info = done(service, service.stop_host(params()))
    assert (status, set(info), info["operation"]) == (Status.SUCCEEDED, INFO, "Stop")
    found = client.get("pg")
    assert found is not None
    assert found.spec.power_state is PowerState.STOPPED
    assert service.shutdown(params()) == (Status.SUCCEEDED, {})
    status, info = done(service, service.start_host(params()))
    assert (status, info["operation"], info["placementEpoch"]) == (Status.SUCCEEDED, "Start", 1)
    assert service.start_host(params()) == (Status.SUCCEEDED, {})


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize("method", ["restart_host", "reboot"])
def test_each_restart_is_one_restart(make_service: MakeService, client: BenchHostClient, method: str) -> None:
    service = make_service()
    set_up(service, params())
    for count in (1, 2):
        status, info = done(service, getattr(service, method)(params()))
        assert (status, info["operation"]) == (Status.SUCCEEDED, "Restart")
        found = client.get("pg")
        assert found is not None
        assert [entry.type for entry in found.status.history].count("Restart") == count


@pytest.mark.usefixtures("controller")
def test_a_host_that_is_off_is_started_by_a_restart(make_service: MakeService) -> None:
    service = make_service()
    set_up(service, params())
    done(service, service.shutdown(params()))
    status, info = done(service, service.reboot(params()))
    assert (status, info["operation"]) == (Status.SUCCEEDED, "Start")


@pytest.mark.usefixtures("controller")
def test_a_deallocated_host_is_off_already(make_service: MakeService, client: BenchHostClient) -> None:
    service = make_service()
    set_up(service, params())
    service.wait_host_deployment(service.deallocate_host(params())[1], is_setup=False)
    assert service.stop_host(params()) == (Status.SUCCEEDED, {})
    found = client.get("pg")
    assert found is not None
    assert found.spec.power_state is PowerState.DEALLOCATED


@pytest.mark.usefixtures("controller")
def test_without_a_host_there_is_nothing_to_switch_off_and_nothing_to_switch_on(
    make_service: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service()
    assert service.shutdown(params()) == (Status.SUCCEEDED, {})
    assert service.start_host(params()) == (Status.FAILED, {})
    assert service.reboot(params()) == (Status.FAILED, {})
    assert "pg does not exist: provision it first" in caplog.text


def test_a_start_that_fails_says_why_and_leaves_the_host(
    make_service: MakeService, client: BenchHostClient, controller: StandInController, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service()
    set_up(service, params())
    done(service, service.stop_host(params()))
    controller.answer("pg", Answer.STALL)
    assert done(service, service.start_host(params())) == (Status.FAILED, {})
    assert "cannot be started: QuotaExceeded" in caplog.text
    assert client.get("pg") is not None


def test_a_host_of_somebody_else_is_not_switched_off(
    make_service: MakeService, client: BenchHostClient, controller: StandInController, caplog: pytest.LogCaptureFixture
) -> None:
    assert controller.failure is None
    set_up(make_service(owner="you"), params())
    assert make_service().stop_host(params()) == (Status.FAILED, {})
    assert "belongs to 'you'" in caplog.text
    found = client.get("pg")
    assert found is not None
    assert found.spec.power_state is PowerState.RUNNING


@pytest.mark.usefixtures("controller")
def test_a_plain_dictionary_means_the_last_call(make_service: MakeService) -> None:
    service = make_service()
    set_up(service, params())
    assert service.stop_host(params())[0] is Status.PENDING
    status, info = service.wait_os_operation(params())
    assert (status, info["operation"]) == (Status.SUCCEEDED, "Stop")
    status, info = make_service().wait_host_operation(params())
    assert (status, info["operation"]) == (Status.SUCCEEDED, "Stop")


@pytest.mark.usefixtures("controller")
def test_the_environments_tree_of_azure_runs_through(
    make_service: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    """HostEnv, OSEnv: what mlos_bench's own trees for a virtual machine begin and end with."""
    caplog.set_level(logging.INFO)
    service = make_service()
    with service:
        for trial in (1, 2):
            assert set_up(service, params(trial=trial))[0] is Status.SUCCEEDED
            assert done(service, service.start_host(params(trial=trial)))[0] is Status.SUCCEEDED
        assert done(service, service.shutdown(params(trial=2)))[0] is Status.SUCCEEDED
        assert tear_down(service, params(trial=2)) is Status.SUCCEEDED
