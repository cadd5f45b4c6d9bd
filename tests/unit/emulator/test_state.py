"""Everything that the emulated cloud knows goes into the file and comes back, and nothing can be forgotten."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.faults.effects import CutConnection, Delay
from benchhost.emulator.faults.faults import Faults
from benchhost.emulator.faults.matching import Matcher
from benchhost.emulator.limits.buckets import Buckets, BucketSize
from benchhost.emulator.limits.policies import documented_limits
from benchhost.emulator.state import SavedState, StateFileError
from benchhost.emulator.state.cells import content_of, find_slots, image_of, is_unchanged
from benchhost.emulator.state.encoding import UnsavableError, decode, encode
from unit.emulator.driver import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class KeptCloud(Cloud):
    """A cloud in a file, saved when told."""

    def __init__(self, path: Path, seed: int = 1) -> None:
        super().__init__(seed)
        self.state = SavedState(path)
        self.state.attach({"subscription": self.subscription})

    def restart(self) -> KeptCloud:
        """As after kill -9: what was not saved is lost."""
        path = self.state._database.path
        self.state.close()
        # Another seed: whatever is drawn after the restart must come from the file.
        again = KeptCloud(path, seed=99)
        again.now = self.now
        return again

    def content(self) -> dict[str, Any]:
        """Everything, comparable."""
        slots = find_slots({"subscription": self.subscription})
        return {slot.path: encode(content_of(slot.value), slot.path) for slot in slots}


def busy_cloud(path: Path) -> KeptCloud:
    """A cloud in which everything that a unit test can make has been made, with an operation under way."""
    cloud = KeptCloud(path)
    cloud.network()
    cloud.address()
    cloud.address("gone")
    cloud.subscription.addresses.delete(cloud.network_id("publicIPAddresses", "gone"), now=cloud.now)
    cloud.pass_time()
    machine = cloud.running_machine()
    cloud.act(machine, PowerAction.POWER_OFF)
    cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now)
    return cloud


def test_everything_comes_back(tmp_path: Path) -> None:
    cloud = busy_cloud(tmp_path / "state.db")
    cloud.state.save()
    again = cloud.restart()
    assert again.content() == cloud.content()
    assert list(again.subscription.store) == list(cloud.subscription.store)
    listed = again.subscription.store.list_in_group("rg", "Microsoft.Compute/virtualMachines")
    assert [resource.id.name for resource in listed] == ["vm"]


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


def _mutable_dataclasses(value: Any) -> Iterator[Any]:
    """Iterate over the objects in a cell that could be shared with another cell."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if not type(value).__dataclass_params__.frozen:  # type: ignore[attr-defined]
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


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"a": [1, 2.5, None, True, "x"], "b": {}}, id="plain"),
        pytest.param((1, ("a",), []), id="tuples"),
        pytest.param({(1, "a"): {2: "b"}}, id="keys-that-are-no-text"),
        pytest.param({"$tuple": [1]}, id="a-key-that-looks-like-ours"),
        pytest.param({1, 2}, id="set"),
        pytest.param(b"\x00\xff", id="bytes"),
        pytest.param([OperationStatus.CANCELED], id="enum"),
        pytest.param(random.Random(1).getstate(), id="randomness"),  # noqa: S311 - of a test
    ],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    found = decode(json.loads(json.dumps(encode(value, "here"))))
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"$object": ["state.database:Database.open", {}]}, id="a-function"),
        pytest.param({"$object": ["state.encoding:importlib", {}]}, id="a-module"),
        pytest.param({"$object": ["server:Path", {}]}, id="a-class-of-others"),
        pytest.param({"$enum": ["cloud.operations:Operations", 1]}, id="a-service"),
        pytest.param({"$shell": "x"}, id="an-unknown-tag"),
    ],
)
def test_a_file_makes_nothing_but_values(content: Any) -> None:
    with pytest.raises(ValueError, match=r"no value of the emulator|means nothing"):
        decode(content)


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


def test_faults_and_the_sizes_of_limits_come_back(tmp_path: Path) -> None:
    shown = []
    for is_first in (True, False):
        faults, buckets = Faults(random.Random(1)), Buckets(documented_limits(), 1.0)  # noqa: S311 - of a test
        state = SavedState(tmp_path / "state.db")
        state.attach({"faults": faults, "limits": buckets})
        if is_first:
            faults.add(Matcher(method="PUT"), Delay(2.5), times=3).hits += 1
            faults.add(Matcher(name="vm-*"), CutConnection(), rate=0.5)
            buckets.resize(next(iter(buckets.sizes)), BucketSize(7, 1, 60.0), 0.0)
            state.save()
        shown.append((list(faults), buckets.sizes))
        assert faults.add(Matcher(), CutConnection()).id == "f3"
        state.close()
    assert shown[0] == shown[1]


def _run(path: Path, statement: str) -> None:
    file = sqlite3.connect(path)
    file.execute(statement)
    file.commit()
    file.close()


SPOILT = {
    "of-another-version": ("pragma user_version = 999", "has the format 999, and this emulator knows"),
    "with-a-class-that-is-not-known": (
        "update cells set value = replace(value, 'resources:Resource', 'resources:Thing')",
        "was written by another version of the emulator",
    ),
    "of-somebody-else": ("pragma application_id = 1", "but not the state of an emulator; name another file"),
}


@pytest.mark.parametrize("case", sorted(SPOILT))
def test_a_file_that_does_not_fit_is_one_sentence(case: str, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    cloud = busy_cloud(path)
    cloud.state.save()
    cloud.state.close()
    statement, words = SPOILT[case]
    _run(path, statement)
    with pytest.raises(StateFileError, match=words) as caught:
        KeptCloud(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_of_ours_is_left_alone(tmp_path: Path) -> None:
    people = tmp_path / "people.db"
    _run(people, "create table people (name text)")
    text = tmp_path / "notes.txt"
    text.write_text("hello" * 1000)
    for path, words in ((people, "not the state"), (text, "not the state"), (tmp_path, "cannot be opened")):
        with pytest.raises(StateFileError, match=words):
            SavedState(path)
    assert text.read_text() == "hello" * 1000


def test_two_do_not_share_a_file(tmp_path: Path) -> None:
    first = SavedState(tmp_path / "state.db")
    with pytest.raises(StateFileError, match="Another emulator runs with the state file"):
        SavedState(tmp_path / "state.db")
    first.close()
    SavedState(tmp_path / "state.db").close()


def test_the_file_is_its_owner_s_only(tmp_path: Path) -> None:
    state = SavedState(tmp_path / "state.db")
    state.attach({"subscription": Cloud().subscription})
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    state.close()


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
