"""The layout of later versions of mlos_bench: trial runners, each with services and environments of its own.

They enter and leave the context for every trial and once more for the teardown, build one more set of services that
nobody uses, and pickle environments outside a context. The classes here do just that, with mlos_bench's own HostEnv.
"""

import logging
import pickle
from typing import Any

import pytest
from mlos_bench.environments.remote import HostEnv
from mlos_bench.services.base_service import Service
from mlos_bench.tunables.tunable_groups import TunableGroups

from benchhost.client import BenchHostClient, Deadline
from benchhost.mlos import BenchHostService
from integration.mlos.conftest import MakeService
from integration.mlos.standin_controller import Answer, StandInController
from support.stack import Kubectl


class TrialRunner:
    """One tree of environments on one set of services."""

    def __init__(self, number: int, service: BenchHostService) -> None:
        mixed = Service(parent=Service())
        mixed.register(service.export())
        self.service = service
        self.tunables = TunableGroups({})
        const_args = {"vmName": f"pg-{number}", "vmSize": "Standard_B2s"}
        config = {"const_args": const_args, "required_args": ["experiment_id", "trial_id"]}
        more = {"experiment_id": "exp", "trial_id": 0, "trial_runner_id": number}
        self.environment = HostEnv(
            name=f"host {number}", config=config, global_config=more, tunables=self.tunables, service=mixed
        )

    def run_trial(self, trial: int) -> bool:
        with self.environment:
            return bool(self.environment.setup(self.tunables, {"experiment_id": "exp", "trial_id": trial}))

    def teardown(self) -> None:
        with self.environment:
            self.environment.teardown()


def runners(make_service: MakeService, count: int, **config: Any) -> list[TrialRunner]:
    make_service(**config)  # the launcher's own, which nobody uses
    return [TrialRunner(number, make_service(**config)) for number in range(1, count + 1)]


@pytest.mark.usefixtures("controller")
def test_trials_in_turn_on_two_runners_leave_nothing(
    make_service: MakeService, client: BenchHostClient, kubectl: Kubectl
) -> None:
    pair = runners(make_service, 2)
    for trial in range(1, 5):
        assert pair[trial % 2].run_trial(trial)
        pickle.loads(pickle.dumps(pair[trial % 2].environment))  # noqa: S301 - our own
    hosts = client.list()
    assert sorted(host.metadata.name for host in hosts) == ["pg-1", "pg-2"]
    assert {host.metadata.generation for host in hosts} == {1}
    for runner in pair:
        runner.teardown()
    assert client.list() == []
    assert kubectl.get("leases")["items"] == []


@pytest.mark.usefixtures("controller")
def test_an_environment_can_go_on_in_another_process(make_service: MakeService, client: BenchHostClient) -> None:
    [runner] = runners(make_service, 1)
    assert runner.run_trial(1)
    copy: HostEnv = pickle.loads(pickle.dumps(runner.environment))  # noqa: S301 - our own
    with copy:
        assert copy.setup(runner.tunables, {"experiment_id": "exp", "trial_id": 2})
    with copy:
        copy.teardown()
    assert client.list() == []


def test_a_failed_set_up_that_nobody_tears_down_leaves_no_host(
    make_service: MakeService, client: BenchHostClient, controller: StandInController, caplog: pytest.LogCaptureFixture
) -> None:
    """There a failed set-up ends the run with an AssertionError, and no teardown comes."""
    caplog.set_level(logging.INFO)
    controller.answer("pg-1", Answer.STALL)
    [runner] = runners(make_service, 1)
    assert not runner.run_trial(1)
    with pytest.raises(AssertionError), runner.environment:
        raise AssertionError
    assert "Asked to delete" in caplog.text
    wanted = lambda host: True if host is None else None  # noqa: E731 - a condition
    client.wait_for("pg-1", wanted, deadline=Deadline.after(20))
