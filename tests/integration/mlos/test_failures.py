"""What a run on real infrastructure meets: hosts that do not come up, lost objects, lost API servers."""

import logging
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlos_bench.environments.status import Status

from benchhost.client import (
    BenchHostClient,
    ConfigurationError,
    CrdMissingError,
    Deadline,
    NotFoundError,
    UnauthorizedError,
    UnreachableError,
)
from benchhost.client.transport import Collection
from benchhost.local import ControlPlane
from benchhost.mlos.names import ServiceConfigError
from integration.mlos.conftest import MakeService, params
from integration.mlos.standin_controller import Answer, StandInController
from integration.mlos.test_service import set_up, tear_down
from support.builders import azure_spec
from support.stack import Kubectl


def errors(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records if record.levelno == logging.ERROR)


def test_a_terminal_failure_fails_the_trial_with_the_controllers_words(
    make_service: MakeService, controller: StandInController, caplog: pytest.LogCaptureFixture
) -> None:
    controller.answer("pg", Answer.FAIL_FINALLY)
    assert set_up(make_service(), params()) == (Status.FAILED, {})
    assert "there is no such image" in errors(caplog)


@pytest.mark.parametrize("policy", ["Delete", "Deallocate", "Keep"])
def test_a_host_that_cannot_come_up_is_released(
    make_service: MakeService,
    client: BenchHostClient,
    controller: StandInController,
    caplog: pytest.LogCaptureFixture,
    policy: str,
) -> None:
    controller.answer("pg", Answer.STALL)
    service = make_service(onSetupFailure=policy)
    assert set_up(service, params()) == (Status.FAILED, {})
    assert "QuotaExceeded" in errors(caplog)
    if policy == "Delete":
        gone = lambda host: True if host is None else None  # noqa: E731 - a condition
        assert client.wait_for("pg", gone, deadline=Deadline.after(10))
        return
    kept = client.get("pg")
    assert kept is not None
    assert kept.spec.power_state == ("Deallocated" if policy == "Deallocate" else "Running")


def test_silence_times_out_and_says_so(
    make_service: MakeService, client: BenchHostClient, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service(pollTimeout=1)
    assert set_up(service, params()) == (Status.TIMED_OUT, {})
    assert "pollTimeout" in errors(caplog)
    assert "Waiting for controller" in errors(caplog)
    assert client.get("pg") is None


def test_a_trial_after_a_failed_one_gets_a_new_host(make_service: MakeService, controller: StandInController) -> None:
    service = make_service()
    controller.answer("pg", Answer.STALL)
    assert set_up(service, params())[0] is Status.FAILED
    controller.answer("pg", Answer.OBEY)
    assert set_up(service, params(trial=2))[0] is Status.SUCCEEDED
    assert tear_down(service, params(trial=2)) is Status.SUCCEEDED


def test_a_teardown_that_hangs_is_logged_with_the_remedy(
    make_service: MakeService, controller: StandInController, caplog: pytest.LogCaptureFixture, kubectl: Kubectl
) -> None:
    service = make_service(pollTimeout=2)
    assert set_up(service, params())[0] is Status.SUCCEEDED
    controller.answer("pg", Answer.HOLD_DELETION)
    assert tear_down(service, params()) is Status.TIMED_OUT
    assert f"kubectl delete benchhost pg --namespace {kubectl.namespace}" in errors(caplog)
    controller.answer("pg", Answer.OBEY)


@pytest.mark.parametrize("is_replaced", [False, True], ids=["gone", "replaced"])
def test_an_object_that_somebody_deletes_fails_the_trial(
    make_service: MakeService, client: BenchHostClient, caplog: pytest.LogCaptureFixture, is_replaced: bool
) -> None:
    service = make_service()
    status, handle = service.provision_host(params())
    assert status is Status.PENDING
    mine = client.get("pg")
    assert mine is not None
    client.delete("pg")
    if is_replaced:
        client.create({"metadata": {"name": "pg"}, "spec": mine.spec.to_dict()})
    assert service.wait_host_deployment(handle, is_setup=True) == (Status.FAILED, {})
    assert "by somebody else" in errors(caplog)
    assert (client.get("pg") is not None) == is_replaced
    assert service.deprovision_host(params())[0] is Status.SUCCEEDED
    assert (client.get("pg") is not None) == is_replaced


class Interrupted(BaseException):
    """As Ctrl-C."""


@pytest.mark.usefixtures("controller")
@pytest.mark.parametrize(("policy", "expected"), [("Delete", None), ("Deallocate", "Deallocated"), ("Keep", "Running")])
def test_an_exception_in_the_experiment_releases_the_hosts(
    make_service: MakeService, client: BenchHostClient, policy: str, expected: str | None
) -> None:
    service = make_service(onSetupFailure=policy)

    def run() -> None:
        with service:
            set_up(service, params())
            raise Interrupted

    with pytest.raises(Interrupted):
        run()
    gone = lambda host: True if (host is None or expected) else None  # noqa: E731 - a condition
    client.wait_for("pg", gone, deadline=Deadline.after(10))
    found = client.get("pg")
    assert (found.spec.power_state if found else None) == expected


@pytest.mark.usefixtures("controller")
def test_leaving_after_an_exception_never_raises(
    make_service: MakeService, kubectl: Kubectl, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "kubeconfig"
    copy.write_text(kubectl.kubeconfig.read_text())
    service = make_service(kubeconfig=str(copy), pollTimeout=2)

    def run() -> None:
        with service:
            set_up(service, params())
            point_elsewhere(copy)
            service._session.close()
            raise Interrupted

    with pytest.raises(Interrupted):
        run()
    assert "kubectl delete benchhost pg" in errors(caplog)
    with service:
        pass


def point_elsewhere(kubeconfig: Path, **user: str) -> None:
    """A server that nobody runs, or another user."""
    content = yaml.safe_load(kubeconfig.read_text())
    if user:
        content["users"][0]["user"] = user
    else:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{taken.getsockname()[1]}"
    kubeconfig.write_text(yaml.safe_dump(content))


def test_a_token_that_expires_fails_the_wait_with_a_sentence(
    make_service: MakeService, kubectl: Kubectl, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kubectl.run("create", "serviceaccount", "bench")
    kubectl.run(
        "create", "rolebinding", "bench", "--clusterrole=cluster-admin", f"--serviceaccount={kubectl.namespace}:bench"
    )
    copy = tmp_path / "kubeconfig"
    copy.write_text(kubectl.kubeconfig.read_text())
    point_elsewhere(copy, token=kubectl.run("create", "token", "bench").stdout.strip())
    service = make_service(kubeconfig=str(copy), pollTimeout=45, onSetupFailure="Keep")
    provisioner = service._provisioner
    quick = replace(provisioner._settings.connection, watch_seconds=1)
    provisioner._settings = replace(provisioner._settings, connection=quick)
    status, handle = service.provision_host(params())
    assert status is Status.PENDING
    kubectl.run("delete", "serviceaccount", "bench")
    assert service.wait_host_deployment(handle, is_setup=True) == (Status.FAILED, {})
    assert "log in again" in errors(caplog)


def test_a_restart_of_the_api_server_does_not_fail_the_wait(
    make_service: MakeService, controller: StandInController, control_plane: ControlPlane
) -> None:
    controller.answer("pg", Answer.SILENCE)
    service = make_service(pollTimeout=60)
    status, handle = service.provision_host(params())
    assert status is Status.PENDING
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(service.wait_host_deployment(handle, is_setup=True)))
    thread.start()
    control_plane.restart_api_server()
    controller.answer("pg", Answer.OBEY)
    thread.join(timeout=70)
    assert [status for status, _ in results] == [Status.SUCCEEDED]


def test_what_no_trial_can_survive_is_raised_while_there_is_no_host(
    make_service: MakeService, kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="no kubeconfig"):
        make_service(kubeconfig="/nowhere/kubeconfig").provision_host(params())
    with pytest.raises(NotFoundError, match="create namespace"):
        make_service(namespace="absent").provision_host(params())
    with pytest.raises(ServiceConfigError, match="trial_runner_id"):
        make_service(name="bh-$trial_runner_id").provision_host(params())
    with pytest.raises(ServiceConfigError, match="'vmSize'"):
        make_service().provision_host({"vmName": "pg"})
    copy = tmp_path / "kubeconfig"
    copy.write_text(kubectl.kubeconfig.read_text())
    point_elsewhere(copy, token="expired")
    with pytest.raises(UnauthorizedError, match="log in again"):
        make_service(kubeconfig=str(copy)).provision_host(params())
    point_elsewhere(copy)
    with pytest.raises(UnreachableError, match="cannot be reached"):
        make_service(kubeconfig=str(copy), pollTimeout=1).provision_host(params())
    monkeypatch.setattr(
        "benchhost.client.client.BENCHHOSTS", Collection("BenchHost", "/apis/benchhost.dev/v0", "benchhosts")
    )
    with pytest.raises(CrdMissingError, match="crds/"):
        make_service().provision_host(params())


@pytest.mark.usefixtures("controller")
def test_a_bad_trial_fails_alone_once_a_host_exists(
    make_service: MakeService, client: BenchHostClient, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service(onSetupFailure="Keep")
    assert set_up(service, params())[0] is Status.SUCCEEDED
    assert service.provision_host(params(trial=2, size="no size")) == (Status.FAILED, {})
    assert "spec.azure.sizes.0" in errors(caplog)
    assert set_up(service, params(trial=3))[0] is Status.SUCCEEDED
    assert client.get("pg") is not None


def test_a_refused_host_fails_the_trial_and_names_the_field(
    make_service: MakeService, client: BenchHostClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.create({"metadata": {"name": "pg", "labels": {"benchhost.dev/owner": "me"}}, "spec": _in("westus")})
    assert make_service().provision_host(params()) == (Status.FAILED, {})
    assert "spec.azure.location is immutable" in errors(caplog)


def _in(location: str) -> dict[str, Any]:
    return {"azure": azure_spec(location=location)}
