"""Which guests an emulated cloud wants, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.cloud.compute.guest import note_lines
from benchhost.emulator.cloud.compute.hosts import SpeedFactors
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.compute.serial_log import serial_log
from benchhost.emulator.guests.disk import Account, Disk
from benchhost.emulator.guests.machines import FASTEST, disks_of, speed_of, wanted_guest
from benchhost.emulator.guests.private_addresses import PrivateAddresses
from unit.emulator.driver import KEY, Cloud

if TYPE_CHECKING:
    from pathlib import Path

    from benchhost.emulator.cloud.compute.machine import VirtualMachine


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def wanted(cloud: Cloud, machine: VirtualMachine) -> Any:
    return wanted_guest(cloud.subscription, machine)


def test_a_running_machine_wants_the_guest_of_its_profile(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    setting = wanted(cloud, machine).setting
    assert setting.account == Account(user="tester", keys=(KEY,))
    assert setting.hostname == "vm"
    assert {setting.disk} == disks_of(cloud.subscription)


def test_a_machine_that_is_being_made_wants_none(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, _ = cloud.put_machine()
    assert wanted(cloud, machine) is None


@pytest.mark.parametrize("action", [PowerAction.POWER_OFF, PowerAction.DEALLOCATE, PowerAction.RESTART])
def test_a_guest_is_down_from_the_beginning_of_what_takes_it_down(cloud: Cloud, action: PowerAction) -> None:
    machine = cloud.running_machine()
    before = wanted(cloud, machine)
    cloud.subscription.power.begin(machine, action, now=cloud.now)
    assert wanted(cloud, machine) is None
    cloud.pass_time()
    after = wanted(cloud, machine)
    assert (after is None) == (action is not PowerAction.RESTART)
    if after is not None:
        assert after.setting.disk == before.setting.disk
        assert after.setting.boot != before.setting.boot


def test_a_resize_of_a_running_machine_is_a_new_boot(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    before = wanted(cloud, machine)
    cloud.subscription.machines.patch(
        machine.id, {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}, now=cloud.now
    )
    assert machine.power == "running"
    assert wanted(cloud, machine) is None
    cloud.pass_time()
    assert wanted(cloud, machine).setting.boot != before.setting.boot


def test_a_deletion_takes_the_guest_at_its_beginning(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.delete(machine)
    assert wanted(cloud, machine) is None


def test_what_changes_no_power_leaves_the_boot_alone(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    before = wanted(cloud, machine)
    cloud.subscription.machines.patch(machine.id, {"tags": {"a": "b"}}, now=cloud.now)
    assert wanted(cloud, machine) == before
    cloud.pass_time()
    assert wanted(cloud, machine) == before


def test_a_guest_that_turned_itself_off_is_a_stopped_machine(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.subscription.power.turned_off(machine, cloud.now)
    assert machine.power == "stopped"
    assert machine.is_allocated
    assert wanted(cloud, machine) is None
    cloud.act(machine, PowerAction.START)
    assert wanted(cloud, machine) is not None
    assert "System Power Off" in serial_log(machine, None, cloud.now)


@pytest.mark.parametrize(
    ("cpu", "memory", "speed"),
    [
        pytest.param(9.0, 9.0, 1.0, id="faster-than-the-fastest"),
        pytest.param(FASTEST, FASTEST, 1.0, id="the-fastest"),
        pytest.param(FASTEST / 2, FASTEST / 2, 0.5, id="half-as-fast"),
        pytest.param(1e-9, 1.0, 0.05, id="no-draw-of-ours"),
    ],
)
def test_the_hidden_host_decides_the_speed(cloud: Cloud, cpu: float, memory: float, speed: float) -> None:
    machine = cloud.running_machine()
    assert machine.placement is not None
    host = cloud.subscription.allocator.hosts.hosts[machine.placement.host_id]
    host.factors = SpeedFactors(cpu=cpu, memory=memory, disk=1.0, network=1.0)
    assert wanted(cloud, machine).speed == pytest.approx(speed)


def test_a_program_waits_for_processor_and_memory_half_the_time_each() -> None:
    assert speed_of(SpeedFactors(cpu=1.0, memory=0.5, disk=0.1, network=0.1)) == pytest.approx(2 / 3)


def test_what_the_guest_prints_stands_where_it_was_printed(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    (boot,) = machine.guest_events
    note_lines(machine, ["a line of its own {host}"], boot.began + 0.9 * (boot.ended - boot.began))
    lines = serial_log(machine, None, cloud.now).splitlines()
    position = lines.index("a line of its own {host}")
    assert "modules:final" in lines[position - 1]
    assert "finished at" in lines[position + 1]


def test_a_machine_keeps_its_private_address_and_leaves_it_to_the_next() -> None:
    addresses = PrivateAddresses()
    assert [addresses.offset_of(name) for name in ("a", "b", "a", "c")] == [1, 2, 1, 3]
    addresses.keep({"a", "c"})
    assert [addresses.offset_of(name) for name in ("d", "c")] == [2, 3]


def test_a_user_of_any_name_has_a_home_inside_the_guest(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    for name in ("../../up", "/root", "..", "", "user.name"):
        assert disk.home(name).resolve().parent == (disk.root / "home").resolve()
    assert disk.home("user.name").name == "user.name"


def test_a_disk_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    disk, account = Disk(tmp_path / "disk"), Account(user="tester", keys=(KEY,))
    disk.make(account, "vm")
    key = disk.public_host_key()
    (disk.home("tester") / "file").touch()
    disk.make(account, "vm")
    assert disk.public_host_key() == key
    assert (disk.home("tester") / "file").exists()
    assert disk.host_key().export_public_key().decode().strip() == key
    assert (disk.root / "etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600
