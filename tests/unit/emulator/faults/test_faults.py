"""Which faults happen to whom, how often, and in which order."""

from __future__ import annotations

from collections import Counter

import pytest

from benchhost.emulator.arm.injection import subject_of
from benchhost.emulator.arm.messages import parse_path
from benchhost.emulator.faults.effects import CutConnection, Delay, FailOperation, LoseAnswer, Refuse
from benchhost.emulator.faults.faults import Faults
from benchhost.emulator.faults.matching import Matcher, Subject
from unit.emulator.driver import seeded

GROUP = "/subscriptions/S/resourceGroups/rg"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-3"
START = Subject(
    method="POST", resource_type="Microsoft.Compute/virtualMachines", group="rg", name="vm-3", action="start"
)
BUSY = Refuse(status=503, code="ServiceUnavailable", message="busy")


def _faults(seed: int = 1) -> Faults:
    return Faults(seeded(seed))


@pytest.mark.parametrize(
    ("method", "path", "subject"),
    [
        pytest.param("POST", f"{MACHINE}/start", START, id="action"),
        pytest.param(
            "GET", MACHINE,
            Subject(method="GET", resource_type="Microsoft.Compute/virtualMachines", group="rg", name="vm-3"),
            id="resource",
        ),
        pytest.param(
            "PUT", f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
            Subject(method="PUT", resource_type="Microsoft.Network/virtualNetworks/subnets", group="rg", name="v/s"),
            id="nested-resource",
        ),
        pytest.param(
            "GET", "/subscriptions/S/providers/Microsoft.Compute/locations/eastus/operations/42",
            Subject(method="GET", resource_type="Microsoft.Compute/locations/operations", name="eastus/42"), id="poll",
        ),
        pytest.param(
            "GET", f"{GROUP}/providers/Microsoft.Compute/virtualMachines",
            Subject(method="GET", resource_type="Microsoft.Compute/virtualMachines", group="rg"), id="list",
        ),
        pytest.param(
            "DELETE", GROUP,
            Subject(method="DELETE", resource_type="Microsoft.Resources/resourceGroups", group="rg", name="rg"),
            id="resource-group",
        ),
        pytest.param(
            "GET", "/subscriptions/S",
            Subject(method="GET", resource_type="Microsoft.Resources/subscriptions"), id="subscription",
        ),
    ],
)  # fmt: skip
def test_what_a_fault_sees_of_a_request(method: str, path: str, subject: Subject) -> None:
    assert subject_of(method, parse_path(path)) == subject


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        pytest.param(Matcher(), True, id="nothing-said-is-everything"),
        pytest.param(Matcher(method="post", action="START"), True, id="case-does-not-matter"),
        pytest.param(Matcher(name="vm-?"), True, id="one-character"),
        pytest.param(Matcher(name="vm-[12]"), False, id="characters"),
        pytest.param(Matcher(resource_type="Microsoft.Compute/*"), True, id="provider"),
        pytest.param(Matcher(resource_type="virtualMachines"), False, id="type-without-provider"),
        pytest.param(Matcher(name="vm-3", action="deallocate"), False, id="one-part-does-not-fit"),
        pytest.param(Matcher(group="other"), False, id="other-group"),
    ],
)
def test_patterns(matcher: Matcher, *, matches: bool) -> None:
    assert matcher.matches(START) is matches


def test_a_fault_happens_as_often_as_it_should_and_remembers_when() -> None:
    faults = _faults()
    fault = faults.add(Matcher(action="start"), BUSY, times=2)
    other = Subject(method="GET", resource_type=START.resource_type, name="vm-3")
    seen = [faults.strike_request(subject, now) for now, subject in enumerate((START, other, START, START))]
    assert seen == [[BUSY], [], [BUSY], []]
    assert (fault.hits, fault.last_hit, fault.is_spent) == (2, 2, True)


def test_a_rate_is_kept_and_repeats_itself_with_the_seed() -> None:
    def run(seed: int) -> list[int]:
        faults = _faults(seed)
        faults.add(Matcher(), BUSY, rate=0.2)
        return [len(faults.strike_request(START, 0.0)) for _ in range(2000)]

    assert Counter(run(3))[1] == pytest.approx(400, abs=60)
    assert run(3) == run(3) != run(4)


def test_delays_add_up_and_the_first_other_effect_ends_the_list() -> None:
    faults = _faults()
    faults.add(Matcher(), Delay(1.0))
    faults.add(Matcher(), Delay(2.0))
    faults.add(Matcher(), LoseAnswer())
    unused = faults.add(Matcher(), CutConnection(), times=1)
    assert faults.strike_request(START, 0.0) == [Delay(1.0), Delay(2.0), LoseAnswer()]
    assert unused.hits == 0


def test_requests_and_operations_have_faults_of_their_own() -> None:
    faults = _faults()
    failure = FailOperation(code="AllocationFailed", message="none")
    faults.add(Matcher(operation="start*"), failure, times=1)
    assert faults.strike_request(START, 0.0) == []
    due = Subject(resource_type=START.resource_type, name="vm-3", operation="startDeallocated")
    assert faults.strike_operation(Subject(operation="deallocate"), 0.0) is None
    assert faults.strike_operation(due, 0.0) == failure
    assert faults.strike_operation(due, 0.0) is None


def test_faults_are_removed_one_or_all() -> None:
    faults = _faults()
    first, second = faults.add(Matcher(), BUSY), faults.add(Matcher(), LoseAnswer())
    assert faults.remove(first.id)
    assert not faults.remove(first.id)
    assert [fault.id for fault in faults] == [second.id]
    assert faults.clear() == 1
    assert faults.add(Matcher(), BUSY).id == "f3"
