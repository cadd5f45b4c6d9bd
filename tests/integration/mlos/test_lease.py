"""Hosts are held while the program lives, and let go when it ends."""

import logging
import pickle
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchhost.client import BenchHostClient, ForbiddenError
from integration.mlos.conftest import MakeService, params
from integration.mlos.test_failures import point_elsewhere
from integration.mlos.test_service import set_up, tear_down
from support.builders import azure_spec
from support.stack import Kubectl

pytestmark = pytest.mark.usefixtures("controller")


def leases(kubectl: Kubectl) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kubectl.get("leases")["items"]
    return found


def renewed(lease: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(lease["spec"]["renewTime"])


def test_a_host_names_a_lease_that_is_renewed_and_goes_with_the_last_host(
    make_service: MakeService, kubectl: Kubectl, client: BenchHostClient
) -> None:
    service = make_service(leaseDurationSeconds=2)
    set_up(service, params())
    set_up(service, params(name="client"))
    found = client.get("pg")
    assert found is not None
    assert found.spec.holder is not None
    assert (found.spec.holder.grace_period_seconds, found.spec.holder.on_lost) == (2, "Delete")
    [first] = leases(kubectl)
    assert first["metadata"]["name"] == found.spec.holder.lease_name
    assert first["spec"]["leaseDurationSeconds"] == 2
    wait_until(lambda: renewed(leases(kubectl)[0]) > renewed(first) + timedelta(seconds=1))
    owners = [owner["name"] for owner in leases(kubectl)[0]["metadata"]["ownerReferences"]]
    assert owners == ["pg", "client"]
    tear_down(service, params(name="client"))
    assert len(leases(kubectl)) == 1
    tear_down(service, params())
    assert leases(kubectl) == []


@pytest.mark.parametrize(("policy", "on_lost"), [("Deallocate", "Deallocate"), ("Keep", "Deallocate")])
def test_what_becomes_of_a_lost_host_follows_the_failure_policy(
    make_service: MakeService, client: BenchHostClient, policy: str, on_lost: str
) -> None:
    set_up(make_service(onSetupFailure=policy), params())
    found = client.get("pg")
    assert found is not None
    assert found.spec.holder is not None
    assert found.spec.holder.on_lost == on_lost


def test_no_lease_where_none_is_wanted_or_the_template_has_one(
    make_service: MakeService, kubectl: Kubectl, client: BenchHostClient
) -> None:
    set_up(make_service(leaseDurationSeconds=None), params())
    own = {"spec": {"azure": azure_spec(), "holder": {"leaseName": "mine"}}}
    set_up(make_service(template=own), params(name="held"))
    found = client.get("held")
    assert found is not None
    assert found.spec.holder is not None
    assert found.spec.holder.lease_name == "mine"
    assert leases(kubectl) == []


def test_the_lease_outlives_contexts_and_a_copy_renews_the_same_one(
    make_service: MakeService, kubectl: Kubectl
) -> None:
    service = make_service(leaseDurationSeconds=3)
    for trial in (1, 2):
        with service:
            set_up(service, params(trial=trial))
    [before] = leases(kubectl)
    copy = pickle.loads(pickle.dumps(service))  # noqa: S301 - our own
    with copy:
        set_up(copy, params(trial=3))
    [after] = leases(kubectl)
    assert after["metadata"]["name"] == before["metadata"]["name"]
    service._session.holder._renewer.stop()  # as the end of the process does that the copy came from
    with copy:
        tear_down(copy, params(trial=3))
    assert leases(kubectl) == []


def test_a_lease_that_ran_out_is_taken_again_by_one_thread(make_service: MakeService, kubectl: Kubectl) -> None:
    service = make_service(leaseDurationSeconds=2)
    set_up(service, params())
    holder = service._session.holder
    first = holder._renewer
    first._client = Broken()
    wait_until(lambda: not first.is_current)
    set_up(service, params(trial=2))
    assert not first._thread.is_alive()
    assert holder._renewer is not first
    tear_down(service, params(trial=2))
    wait_until(lambda: leases(kubectl) == [])


def test_many_copies_that_are_never_used_make_no_lease(make_service: MakeService, kubectl: Kubectl) -> None:
    services = [make_service() for _ in range(4)]
    with services[0]:
        pass
    assert leases(kubectl) == []


def test_without_the_right_to_write_leases_no_host_is_made(
    make_service: MakeService, kubectl: Kubectl, client: BenchHostClient, tmp_path: Path
) -> None:
    kubectl.run("create", "serviceaccount", "no-leases")
    kubectl.run("create", "role", "hosts", "--verb=*", "--resource=benchhosts.benchhost.dev")
    kubectl.run("create", "rolebinding", "hosts", "--role=hosts", f"--serviceaccount={kubectl.namespace}:no-leases")
    token = kubectl.run("create", "token", "no-leases").stdout.strip()
    copy = tmp_path / "kubeconfig"
    copy.write_text(kubectl.kubeconfig.read_text())
    point_elsewhere(copy, token=token)
    with pytest.raises(ForbiddenError, match="'leaseDurationSeconds' to null"):
        make_service(kubeconfig=str(copy)).provision_host(params())
    assert client.get("pg") is None


def test_trouble_with_the_lease_is_told_once_and_survived(
    make_service: MakeService, kubectl: Kubectl, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "kubeconfig"
    copy.write_text(kubectl.kubeconfig.read_text())
    service = make_service(kubeconfig=str(copy), leaseDurationSeconds=2)
    set_up(service, params())
    [lease] = leases(kubectl)
    renewer = service._session.holder._renewer
    good, renewer._client = renewer._client, Broken()
    wait_until(lambda: "is not renewed" in caplog.text)
    time.sleep(1.2)  # two more renewals fail meanwhile, of which nothing may be told
    renewer._client = good
    wait_until(lambda: renewed(leases(kubectl)[0]) > renewed(lease) + timedelta(seconds=1))
    assert caplog.text.count("is not renewed") == 1


PROGRAM = """
    import sys
    from benchhost.mlos import BenchHostService
    from support.builders import azure_spec

    config = {{"kubeconfig": {kubeconfig!r}, "namespace": {namespace!r}, "template": {{"spec": {{"azure": azure_spec()}}}},
              "owner": "me", "pollTimeout": 20, "historyFile": None, "onSetupFailure": {policy!r}}}
    service = BenchHostService(config, {{}})
    with service:
        status, handle = service.provision_host({{"vmName": "pg", "trial_id": 1}})
        service.wait_host_deployment(handle, is_setup=True)
    {ending}
"""


@pytest.mark.parametrize(
    ("ending", "policy", "expected"),
    [
        pytest.param("pass", "Delete", "Running", id="an-orderly-end-leaves-the-host"),
        pytest.param("raise ValueError", "Delete", None, id="an-error-deletes-it"),
        pytest.param("raise ValueError", "Deallocate", "Deallocated", id="an-error-deallocates-it"),
        pytest.param("raise ValueError", "Keep", "Running", id="an-error-keeps-it"),
        pytest.param("raise RuntimeWarning", "Delete", "Running", id="failed-trials-are-an-orderly-end"),
    ],
)
def test_the_end_of_the_program(
    kubectl: Kubectl, client: BenchHostClient, *, ending: str, policy: str, expected: str | None
) -> None:
    program = textwrap.dedent(PROGRAM).format(
        kubeconfig=str(kubectl.kubeconfig), namespace=kubectl.namespace, ending=ending, policy=policy
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    wait_until(lambda: leases(kubectl) == [])
    if expected is None:
        wait_until(lambda: client.get("pg") is None)
        return
    found = client.get("pg")
    assert found is not None, done.stderr
    assert found.spec.power_state == expected
    assert found.spec.holder is None
    if policy != "Deallocate":
        assert "kubectl delete benchhost pg" in done.stderr


class Broken:
    """A client whose API server is never there."""

    def hold(self, *_: Any, **__: Any) -> None:
        raise ForbiddenError("the server says no")

    def close(self) -> None:
        """Nothing to close."""


def wait_until(is_so: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.1)


def test_logging_is_quiet_about_the_lease(make_service: MakeService, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    started = datetime.now(UTC)
    service = make_service(leaseDurationSeconds=1)
    set_up(service, params())
    while datetime.now(UTC) < started + timedelta(seconds=2):
        time.sleep(0.1)
    tear_down(service, params())
    assert "Lease" not in caplog.text
