"""Everything that the emulated cloud knows goes into the file and comes back, and nothing can be forgotten."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.faults.effects import LoseAnswer, Refuse
from benchhost.emulator.faults.faults import Faults
from benchhost.emulator.faults.matching import Matcher, Subject
from benchhost.emulator.limits.buckets import Buckets, BucketSize
from benchhost.emulator.state import SavedState, StateFileError
from benchhost.emulator.state.cells import content_of, find_slots, image_of, is_unchanged
from benchhost.emulator.state.encoding import UnsavableError
from unit.emulator.driver import Cloud
from unit.emulator.kept_cloud import KeptCloud, busy_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_everything_comes_back(tmp_path: Path) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    again = cloud.restart()
    assert again.content() == cloud.content()
    assert list(again.subscription.store) == list(cloud.subscription.store)
    listed = again.subscription.store.list_in_group("rg", "Microsoft.Compute/virtualMachines")
    assert [machine.id.name for machine in listed] == [machine.id.name for machine in cloud.machines()]


def test_an_operation_under_way_ends_after_the_restart_at_its_time(tmp_path: Path) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    running = cloud.subscription.store.get(cloud.machine_id()).operation_id
    again = cloud.restart()
    operation = again.subscription.operations.find(running)
    assert operation is not None
    again.subscription.advance(operation.due - 0.001)
    assert operation.status is OperationStatus.IN_PROGRESS
    again.subscription.advance(operation.due)
    assert operation.status is OperationStatus.SUCCEEDED
    machine: Any = again.subscription.store.get(again.machine_id())
    assert str(machine.power) == "deallocated"


def test_what_is_drawn_after_the_restart_is_what_would_have_been_drawn(tmp_path: Path) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    again = cloud.restart()
    found = []
    for one in (cloud, again):
        address = one.address("another")
        found.append((address.guid, address.properties))
    assert found[0] == found[1]


def test_what_is_gone_stays_gone_and_what_was_not_saved_is_lost(tmp_path: Path) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    cloud.subscription.delete_group("rg", cloud.now)
    cloud.pass_time()
    again = cloud.restart()
    assert len(again.subscription.store) > 0
    again.subscription.delete_group("rg", again.now)
    again.pass_time()
    again.state.save()
    last = again.restart()
    assert (len(last.subscription.store), last.subscription.groups.find("rg")) == (0, None)


def test_a_write_writes_what_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    written: list[tuple[str, str]] = []

    def note(changed: list[tuple[str, str, str]], removed: list[tuple[str, str]]) -> None:
        written.extend([(path, key) for path, key, _ in changed] + removed)

    monkeypatch.setattr(cloud.state._database, "write", note)
    cloud.state.save()
    assert written == []
    machine = cloud.subscription.store.get(cloud.machine_id())
    machine.tags["a"] = "b"
    cloud.state.save()
    assert written == [("subscription.store._by_key", json.dumps(machine.id.key))]


def test_what_could_not_be_written_is_written_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    cloud.subscription.store.get(cloud.machine_id()).tags["a"] = "b"

    def fail(*_: Any) -> None:
        raise StateFileError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(cloud.state._database, "write", fail)
        with pytest.raises(StateFileError):
            cloud.state.save()
    cloud.state.save()
    assert cloud.restart().subscription.store.get(cloud.machine_id()).tags["a"] == "b"


def test_one_group_in_the_place_of_another_is_the_only_one(tmp_path: Path) -> None:
    cloud = KeptCloud(tmp_path / "state.db")
    cloud.subscription.groups.remove("rg")
    cloud.subscription.groups.put("other", "eastus", {})
    cloud.state.save()
    assert [group.name for group in cloud.restart().subscription.groups] == ["other"]


@pytest.mark.parametrize("change", ["tags", "nested", "list", "state", "used_by"])
def test_every_change_of_a_resource_is_seen(change: str, tmp_path: Path) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    machine: Any = cloud.subscription.store.get(cloud.machine_id())
    image = image_of(machine)
    assert is_unchanged(machine, image)
    match change:
        case "tags":
            machine.tags = {"a": "b"}
        case "nested":
            machine.os_disk["managedDisk"]["id"] += "x"
        case "list":
            machine.data_disks.append({"lun": 1})
        case "state":
            machine.power = None
        case _:
            machine.hold("somebody")
    assert not is_unchanged(machine, image)


def test_a_busy_cloud_has_something_in_every_cell(tmp_path: Path) -> None:
    """What these tests never fill could be something that no file takes."""
    cloud = busy_cloud(tmp_path / "state.db")
    slots = find_slots({"subscription": cloud.subscription})
    assert [slot.path for slot in slots if not content_of(slot.value)] == []


def default_of(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def test_a_busy_cloud_has_something_in_every_field_of_a_machine(tmp_path: Path) -> None:
    machines = busy_cloud(tmp_path / "state.db").machines()
    unused = [
        field.name
        for field in dataclasses.fields(VirtualMachine)
        if all(getattr(machine, field.name) == default_of(field) for machine in machines)
    ]
    assert unused == ["used_by"]  # nothing holds a machine


def _mutable_dataclasses(value: Any) -> Iterator[Any]:
    """Iterate over the objects in a cell that could be shared with another cell."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # An error does not change any more once something keeps it.
        if not type(value).__dataclass_params__.frozen and not isinstance(value, ArmError):  # type: ignore[attr-defined]
            yield value
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set):
        for item in value:
            yield from _mutable_dataclasses(item)


def test_nothing_is_in_two_places(tmp_path: Path) -> None:
    """An object in two cells would be two objects after a restart."""
    cloud = busy_cloud(tmp_path / "state.db")
    owners: dict[int, str] = {}
    for slot in find_slots({"subscription": cloud.subscription}):
        for item in _mutable_dataclasses(slot.value):
            assert owners.setdefault(id(item), slot.path) == slot.path, type(item)


def test_what_cannot_be_saved_is_an_error_that_says_where(tmp_path: Path) -> None:
    cloud = Cloud()
    cloud.subscription.groups.oddity = {"key": iter([1])}  # type: ignore[attr-defined]
    state = SavedState(tmp_path / "state.db")
    with pytest.raises(UnsavableError, match=r"subscription\.groups\.oddity is a builtins\.list_iterator"):
        state.attach({"subscription": cloud.subscription})
    state.close()


def test_a_counter_goes_on(tmp_path: Path) -> None:
    numbers = []
    for _ in range(2):
        cloud: Any = Cloud()
        cloud.subscription.groups.numbers = itertools.count(1)
        state = SavedState(tmp_path / "state.db")
        state.attach({"subscription": cloud.subscription})
        numbers += [next(cloud.subscription.groups.numbers) for _ in range(2)]
        state.save()
        state.close()
    assert numbers == [1, 2, 3, 4]


def test_faults_and_changed_limits_come_back_and_the_other_limits_are_those_of_the_run(tmp_path: Path) -> None:
    def start(sizes: dict[str, BucketSize], *, factor: float) -> tuple[Faults, Buckets, SavedState]:
        faults, buckets = Faults(random.Random()), Buckets(sizes, factor)  # noqa: S311 - which requests fail
        state = SavedState(tmp_path / "state.db")
        state.attach({"faults": faults, "limits": buckets})
        return faults, buckets, state

    faults, buckets, state = start({"a": BucketSize(1, 1, 1.0), "b": BucketSize(1, 1, 1.0)}, factor=1.0)
    faults.add(Matcher(method="GET"), Refuse(status=503, code="Busy", message="Later."), times=2, rate=0.5)
    while not faults.strike_request(Subject(method="GET"), 5.0):
        pass
    buckets.resize("a", BucketSize(7, 7, 7.0), 0.0)
    state.save()
    state.close()
    again, sizes, state = start({"a": BucketSize(2, 2, 2.0), "b": BucketSize(2, 2, 2.0)}, factor=0.0)
    state.close()
    assert list(again) == list(faults)
    assert again._source.random() == faults._source.random()
    assert again.add(Matcher(), LoseAnswer()).id == "f2"
    assert sizes.sizes == {"a": BucketSize(7, 7, 7.0), "b": BucketSize(2, 2, 2.0)}


def test_saving_one_change_among_many_resources_is_quick(tmp_path: Path) -> None:
    cloud = KeptCloud(tmp_path / "state.db")
    cloud.network()
    template = cloud.interface()
    store = cloud.subscription.store
    ids = [cloud.network_id("networkInterfaces", f"nic-{number}") for number in range(400)]
    for interface_id in ids:
        store.add(dataclasses.replace(template, id=interface_id, tags={}))
    cloud.state.save()
    seconds = []
    for interface_id in ids[:50]:
        store.get(interface_id).tags["a"] = "b"
        cloud.subscription.context.identifiers.guid()
        begin = time.perf_counter()
        cloud.state.save()
        seconds.append(time.perf_counter() - begin)
    # Some 1 ms by itself; the limit leaves room for a busy machine and still catches that everything is written.
    assert sorted(seconds)[len(seconds) // 2] < 0.005
