"""Random lives on a real API server with the in-memory cloud: whatever happens in whatever order, some things hold.

A hypothesis state machine makes, changes and deletes a host, lets the cloud refuse, fail, forget, run out of room,
evict and be changed by others, lets time pass, and kills the controller between and within passes. After each step
the invariants are looked at; at the end all trouble is over, and the host must reach what its spec says and go without
a trace.
"""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config

from benchhost.api import BenchHost, is_true
from benchhost.api.conditions import ConditionType
from benchhost.api.model import to_timestamp
from benchhost.cloud import (
    AdminError,
    CapacityError,
    CloudError,
    MachinePower,
    Part,
    Step,
    TerminalError,
    TransientError,
    Verb,
)
from support.bench import NAME, Bench, CrashError
from support.builders import azure_spec
from support.stack import Kubectl
from support.tally import note

EXAMPLES, STEPS = 25, 30
SECRET = "correct-horse-battery-staple"
SIZES = ("Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5")
MOST_PASSES = 60
"""To the end of any trouble: 12 parts and changes, each with a refusal, a failure and a wait."""
MOST_AT_ONCE = 8
"""Passes without the clock moving: each size may be tried at once, and writes may meet."""

machine_steps = st.sampled_from(
    [
        Step(verb, Part.MACHINE)
        for verb in (
            Verb.ENSURE,
            Verb.START,
            Verb.STOP,
            Verb.DEALLOCATE,
            Verb.HIBERNATE,
            Verb.RESTART,
            Verb.RESIZE,
            Verb.DELETE,
            Verb.UPDATE,
        )
    ]
)
troubles = st.sampled_from(
    [
        TransientError("Busy.", code="Conflict"),
        CapacityError("No room.", code="SkuNotAvailable"),
        TerminalError("Never.", code="InvalidParameter"),
        AdminError("Not allowed.", code="AuthorizationFailed"),
    ]
)
changes = st.sampled_from(
    [
        {"powerState": "Running"},
        {"powerState": "Stopped"},
        {"powerState": "Deallocated"},
        {"paused": True},
        {"paused": False},
        {"deletionPolicy": "Retain"},
        {"deletionPolicy": "Delete"},
        {"azure": {"tags": {"trial": "7"}}},
        {"azure": {"sizes": [SIZES[2], SIZES[0]]}},
        {"azure": {"sizes": [SIZES[1]]}},
        {"azure": {"dataDisks": [{"lun": 0, "sizeGiB": 32}]}},
        {"azure": {"dataDisks": []}},
    ]
)


class AnyLife(RuleBasedStateMachine):
    """One host, and everything that may happen to it.

    Rules that make no sense at the moment do nothing: which rules are drawn must not depend on the host, whose uid
    and with it the jitter of its waits differ from run to run.
    """

    bench: Bench
    loop: asyncio.AbstractEventLoop
    counted: dict[str, int]

    @initialize(spot=st.booleans(), hibernation=st.booleans())
    def begin(self, spot: bool, hibernation: bool) -> None:
        """A new cloud, and nothing in it."""
        self.bench = Bench(self.bench.client, self.bench.kubectl)
        self.epochs: dict[str, int] = {}
        self.allocations: dict[tuple[str, int], int] = {}
        self.is_spot = spot
        self.azure = {"hibernation": hibernation} | ({"spot": {}} if spot else {})
        self.at_once = 0
        self.was_retained = False
        self.counted["lives"] += 1
        self.run(self.bench.wipe())

    def run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    def host(self) -> BenchHost | None:
        body = self.run(self.bench.read())
        return None if body is None else BenchHost.from_dict(body)

    # What users do.

    @rule(power=st.sampled_from(["Running", "Running", "Stopped", "Deallocated"]))
    def create(self, power: str) -> None:
        if self.host() is not None:
            return
        secret = {"name": "guest", "key": "user-data"}
        self.run(self.bench.make(azure_spec(customDataRef=secret, **self.azure), powerState=power))
        self.look(2)

    @rule(change=changes)
    def change(self, change: dict[str, Any]) -> None:
        self.change_spec(change)
        self.look(1)

    @rule(name=st.sampled_from(["restartAt", "reallocateAt", "expiresAt"]), seconds=st.sampled_from([-60, 0, 30, 3600]))
    def ask_for_a_moment(self, name: str, seconds: int) -> None:
        self.change_spec({name: to_timestamp(self.bench.clock.now + timedelta(seconds=seconds))})
        self.look(1)

    def change_spec(self, change: dict[str, Any]) -> None:
        if self.host() is not None:
            self.run(self.bench.patch(change))
            self.was_retained |= change.get("deletionPolicy") == "Retain"

    @rule()
    def delete(self) -> None:
        if self.host() is not None:
            self.run(self.bench.delete())
        self.look(1)

    # What the controller does, and what ends it.

    @rule(passes=st.integers(1, 6))
    def look(self, passes: int) -> None:
        for _ in range(passes):
            self.step()

    @rule(calls=st.integers(1, 6), after=st.booleans())
    def crash(self, calls: int, after: bool) -> None:
        counter = self.bench.counter
        counter.crash_at, counter.after = counter.calls + calls, after
        self.look(3)
        counter.crash_at = None

    def step(self) -> None:
        before = self.bench.clock.now
        try:
            delay = self.run(self.bench.step())
        except CrashError:
            self.bench.restart()
            return
        self.counted["passes"] += 1
        self.at_once = self.at_once + 1 if delay is not None and self.bench.clock.now == before else 0
        assert self.at_once <= MOST_AT_ONCE, "it looks again and again at one moment"

    # What the cloud does, and what others do in it.

    @rule(seconds=st.sampled_from([1, 30, 600, 86400]))
    def wait(self, seconds: int) -> None:
        self.bench.clock.advance(timedelta(seconds=seconds))

    @rule(step=machine_steps, trouble=troubles)
    def refuse(self, step: Step, trouble: CloudError) -> None:
        self.bench.cloud.refuse(step, trouble)

    @rule(step=machine_steps, trouble=troubles)
    def fail(self, step: Step, trouble: CloudError) -> None:
        self.bench.cloud.fail(step, trouble)

    @rule(size=st.sampled_from(SIZES))
    def no_room(self, size: str) -> None:
        self.bench.cloud.no_room(size)

    @rule(away=st.booleans())
    def unreachable(self, away: bool) -> None:
        self.bench.cloud.unreachable = TransientError("No answer.") if away else None

    @rule()
    def forget(self) -> None:
        self.bench.cloud.forget_operations()

    @rule(power=st.sampled_from([MachinePower.STOPPED, MachinePower.DEALLOCATED, MachinePower.RUNNING]))
    def somebody_switches(self, power: MachinePower) -> None:
        if self.machine_exists():
            self.bench.cloud.set_power(self.run(self.bench.request()), power)

    @rule(keep_disks=st.booleans())
    def somebody_deletes(self, keep_disks: bool) -> None:
        if self.machine_exists():
            self.bench.cloud.remove_machine(self.run(self.bench.request()), keep_disks=keep_disks)

    @rule()
    def evict(self) -> None:
        if self.is_spot and self.machine_exists():
            self.bench.cloud.evict(self.run(self.bench.request()))

    def machine_exists(self) -> bool:
        return self.host() is not None and self.bench.machines_made() > 0

    # What always holds.

    @invariant()
    def one_machine_at_most(self) -> None:
        assert sum(1 for resource in self.bench.owned() if resource.part is Part.MACHINE) <= 1

    @invariant()
    def epochs_only_grow(self) -> None:
        host = self.host()
        if host is None or host.status.placement is None:
            return
        assert host.status.placement.epoch >= self.epochs.get(host.metadata.uid, 0)
        self.epochs[host.metadata.uid] = host.status.placement.epoch

    @invariant()
    def no_epoch_has_two_pieces_of_hardware(self) -> None:
        """What others do between two looks is not seen here: the cloud counts what was asked of it."""
        host, hardware = self.host(), self.bench.hardware()
        if host is None or host.status.placement is None or hardware is None:
            return
        if host.status.power_state != MachinePower.RUNNING or host.status.operation is not None:
            return
        key = (host.metadata.uid, host.status.placement.epoch)
        assert self.allocations.setdefault(key, hardware) == hardware

    @invariant()
    def no_secret_is_told(self) -> None:
        host = self.host()
        assert host is None or SECRET not in json.dumps(host.status.to_dict())

    @invariant()
    def what_cannot_pass_is_told(self) -> None:
        host = self.host()
        failure = host.status.failure if host else None
        if host is None or failure is None or failure.next_attempt_at is not None:
            return
        if failure.generation == host.metadata.generation and host.status.observed_generation == failure.generation:
            assert is_true(host.status.conditions, ConditionType.STALLED) or host.spec.paused

    def teardown(self) -> None:
        """All trouble is over: the host becomes what it should be, is deleted, and nothing is left."""
        if not hasattr(self, "epochs"):
            return
        self.bench.end_trouble()
        host = self.host()
        if host is not None and not host.is_deleting:
            calm = {"paused": False, "expiresAt": None, "azure": {"tags": {"end": to_timestamp(self.bench.clock.now)}}}
            self.run(self.bench.patch(calm))
            self.run(self.bench.settle(passes=MOST_PASSES))
            host = self.host()
            assert host is not None
            assert host.status.power_state in (str(host.spec.power_state), None)
            self.run(self.bench.delete())
        elif host is not None:
            self.run(self.bench.patch({"paused": False}))
        if host is not None:
            self.run(self.bench.settle(passes=MOST_PASSES))
        assert self.host() is None
        left = self.bench.owned()
        assert [resource for resource in left if resource.owner is not None and resource.owner.uid] == []
        assert left == [] or self.was_retained  # the network of a machine that was let go is still the cluster's


def test_any_life(kubectl: Kubectl, request: pytest.FixtureRequest) -> None:
    counted = {"lives": 0, "passes": 0}
    kubectl.run("create", "secret", "generic", "guest", f"--from-literal=user-data={SECRET}")
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        client = loop.run_until_complete(connect(kubectl))

        def machine() -> AnyLife:
            life = AnyLife()
            life.loop, life.counted = loop, counted
            life.bench = Bench(client, kubectl)
            return life

        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck), phases=[Phase.generate], report_multiple_bugs=False,
                ),
            )  # fmt: skip
        finally:
            kubectl.run("patch", "bh", NAME, "--type=merge", "-p", '{"metadata":{"finalizers":null}}', check=False)
            loop.run_until_complete(client.close())
    note(request.config, f"random lives: {counted['lives']} with {counted['passes']} passes, all converged")


async def connect(kubectl: Kubectl) -> ApiClient:
    configuration = Configuration()
    await load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    return ApiClient(configuration)
