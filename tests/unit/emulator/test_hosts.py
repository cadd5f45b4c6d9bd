from __future__ import annotations

import itertools
import math
import statistics
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.compute.allocation import MAX_PLACEMENTS
from benchhost.emulator.cloud.compute.hardware import hardware_of, series_of, sizes_on
from benchhost.emulator.cloud.compute.hosts import HOST_CORES, VARIATION, Hosts
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.errors import ArmError
from benchhost.emulator.cloud.identifiers import IdentifierSource
from unit.emulator.driver import seeded

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from unit.emulator.driver import Cloud


@pytest.mark.parametrize(
    ("size", "series", "hardware"),
    [
        ("Standard_D2s_v5", "Dsv5", "general-intel-v5"),
        ("Standard_E4ds_v5", "Edsv5", "general-intel-v5"),
        ("Standard_D2as_v5", "Dasv5", "general-amd-v5"),
        ("Standard_D4pds_v5", "Dpdsv5", "general-arm-v5"),
        ("Standard_DS2_v2", "DSv2", "general-intel-v2"),
        ("Standard_B2s", "Bs", "b-intel-v1"),
        ("Standard_F8s_v2", "Fsv2", "f-intel-v2"),
        ("Standard_NC4as_T4_v3", "NCasv3", "nc-amd-v3"),
        ("Standard_HB120-16rs_v3", "HBrsv3", "hb-intel-v3"),
        ("Standard_FX4mds", "FXmds", "fx-intel-v1"),
    ],
)
def test_the_hardware_of_a_size(size: str, series: str, hardware: str) -> None:
    assert series_of(size) == series
    assert hardware_of(size) == hardware


def test_every_size_of_the_catalogue_runs_on_some_hardware() -> None:
    assert all(size in sizes_on(hardware_of(size.name)) for size in MACHINE_SIZES.values())


def test_hosts_differ_as_much_as_was_measured() -> None:
    hosts = Hosts(IdentifierSource(seeded(3)))
    for _ in range(3000):
        hosts.take("general-intel-v5", HOST_CORES, location="eastus", zone=None)
    factors = [host.factors for host in hosts.hosts.values()]
    for name, variation in VARIATION.items():
        values = [getattr(factor, name) for factor in factors]
        assert statistics.stdev(values) / statistics.mean(values) == pytest.approx(variation, rel=0.1)
        assert statistics.median(values) == pytest.approx(1.0, rel=0.02)


def test_two_machines_may_share_a_host_and_an_old_host_may_come_back() -> None:
    hosts = Hosts(IdentifierSource(seeded(3)))
    taken = [hosts.take("general-intel-v5", 2, location="eastus", zone=None).id for _ in range(40)]
    assert 1 < len(set(taken)) < len(taken)
    before = hosts.hosts[taken[0]]
    hosts.give_back(before.id, 2)
    again = {hosts.take("general-intel-v5", 2, location="eastus", zone=None).id for _ in range(200)}
    assert before.id in again


def test_hosts_of_another_zone_or_hardware_are_others() -> None:
    hosts = Hosts(IdentifierSource(seeded(3)))
    for hardware, zone in (("a", None), ("a", "1"), ("b", "1")):
        host = hosts.take(hardware, 2, location="eastus", zone=zone)
        assert (host.hardware, host.zone) == (hardware, zone)


def _moves(cloud: Cloud, machine: VirtualMachine, *actions: PowerAction) -> int:
    before = len(machine.placements)
    for action in actions:
        cloud.act(machine, action)
    return len(machine.placements) - before


@pytest.mark.parametrize(
    ("actions", "moves"),
    [
        pytest.param([PowerAction.RESTART], 0, id="restart-stays"),
        pytest.param([PowerAction.POWER_OFF, PowerAction.START], 0, id="power-off-and-start-stay"),
        pytest.param([PowerAction.REAPPLY], 0, id="reapply-stays"),
        pytest.param([PowerAction.DEALLOCATE, PowerAction.START], 1, id="deallocate-and-start-draw-again"),
        pytest.param([PowerAction.REDEPLOY], 1, id="redeploy-draws-again"),
    ],
)
def test_when_a_machine_gets_another_host(cloud: Cloud, actions: list[PowerAction], moves: int) -> None:
    machine = cloud.running_machine()
    assert _moves(cloud, machine, *actions) == moves
    *past, present = machine.placements
    assert all(stay.until is not None for stay in past)
    assert machine.placement is present


def test_a_redeploy_never_ends_on_the_same_host(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    for _ in range(50):
        cloud.act(machine, PowerAction.REDEPLOY)
    hosts = [stay.host_id for stay in machine.placements]
    assert all(one != other for one, other in itertools.pairwise(hosts))


def test_only_the_last_stays_of_a_machine_are_kept(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    for _ in range(MAX_PLACEMENTS + 5):
        cloud.act(machine, PowerAction.REDEPLOY)
    assert len(machine.placements) == MAX_PLACEMENTS
    assert machine.placement is machine.placements[-1]


def test_a_host_lends_out_what_its_machines_have(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    hosts = cloud.subscription.allocator.hosts.hosts
    assert machine.placement is not None
    host = hosts[machine.placement.host_id]
    assert host.used_cores == 2
    resize(cloud, machine, "Standard_D8s_v5")
    assert host.used_cores == 8
    cloud.delete(machine)
    cloud.pass_time()
    assert sum(host.used_cores for host in hosts.values()) == 0


def resize(cloud: Cloud, machine: VirtualMachine, size: str) -> None:
    body = {"properties": {"hardwareProfile": {"vmSize": size}}}
    cloud.subscription.machines.patch(machine.id, body, now=cloud.now)
    cloud.pass_time()


def test_a_resize_moves_a_machine_only_when_its_host_has_no_room(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    assert machine.placement is not None
    host = cloud.subscription.allocator.hosts.hosts[machine.placement.host_id]
    resize(cloud, machine, "Standard_D4s_v5")
    assert len(machine.placements) == 1
    host.used_cores = HOST_CORES
    resize(cloud, machine, "Standard_D8s_v5")
    assert len(machine.placements) == 2
    assert machine.placement.host_id != host.id
    assert math.isclose(host.used_cores, HOST_CORES - 4)


def test_a_machine_with_hardware_cannot_leave_it_by_a_resize(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    with pytest.raises(ArmError) as refused:
        resize(cloud, machine, "Standard_F4s_v2")
    assert (refused.value.status, refused.value.code) == (409, "OperationNotAllowed")
    assert "Standard_F4s_v2 is not available in the current hardware cluster." in refused.value.message
    assert "Standard_D2s_v5,Standard_D4s_v5" in refused.value.message
    assert machine.size == "Standard_D2s_v5"
    cloud.act(machine, PowerAction.DEALLOCATE)
    resize(cloud, machine, "Standard_F4s_v2")
    cloud.act(machine, PowerAction.START)
    assert machine.placement is not None
    assert cloud.subscription.allocator.hosts.hosts[machine.placement.host_id].hardware == "f-intel-v2"
