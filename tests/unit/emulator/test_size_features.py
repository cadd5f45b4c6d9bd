"""What sizes can do, and interfaces that ask for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.compute.size_features import features_of
from benchhost.emulator.cloud.errors import ArmError

if TYPE_CHECKING:
    from benchhost.emulator.cloud.resources import Resource
    from unit.emulator.driver import Cloud


@pytest.mark.parametrize(
    ("size", "premium", "accelerated", "hibernates"),
    [
        pytest.param("Standard_D2s_v5", True, True, True, id="small-and-current"),
        pytest.param("Standard_D2_v5", False, True, False, id="no-s-no-premium"),
        pytest.param("Standard_D2s_v3", True, False, False, id="hyperthreading-needs-four-cores"),
        pytest.param("Standard_D4s_v3", True, True, False, id="four-cores-of-the-third-version"),
        pytest.param("Standard_DS1_v2", True, False, False, id="one-core"),
        pytest.param("Standard_D2_v2", False, True, False, id="two-cores-without-hyperthreading"),
        pytest.param("Standard_B2s", True, False, False, id="small-burstable"),
        pytest.param("Standard_B2s_v2", True, True, False, id="new-burstable"),
        pytest.param("Standard_A2_v2", False, False, False, id="basic"),
        pytest.param("Standard_D32s_v5", True, True, False, id="too-much-memory-to-hibernate"),
    ],
)
def test_features_follow_from_the_name(size: str, premium: bool, accelerated: bool, hibernates: bool) -> None:
    features = features_of(size.upper())
    assert features.has_premium_storage is premium
    assert features.has_accelerated_networking is accelerated
    assert features.can_hibernate is hibernates


def test_every_size_of_the_catalogue_has_features() -> None:
    for size in MACHINE_SIZES:
        assert features_of(size).max_interfaces >= 2


def _accelerated(cloud: Cloud, name: str = "nic", *, wanted: bool = True) -> Resource:
    subnet = str(cloud.network_id("virtualNetworks", "vnet").child("subnets", "default"))
    body = {
        "location": "eastus",
        "properties": {
            "enableAcceleratedNetworking": wanted,
            "ipConfigurations": [{"name": "ipconfig", "properties": {"subnet": {"id": subnet}}}],
        },
    }
    interface, _ = cloud.subscription.interfaces.put(cloud.network_id("networkInterfaces", name), body, now=cloud.now)
    return interface


def test_accelerated_networking_needs_a_size_that_has_it_at_a_create_and_at_a_resize(cloud: Cloud) -> None:
    cloud.network()
    _accelerated(cloud)
    body = cloud.machine_body()
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_B2s"
    with pytest.raises(ArmError, match="Virtual Machine size Standard_B2s is not in the allowed list") as refused:
        cloud.put_machine(body)
    assert refused.value.code == "VMSizeIsNotPermittedToEnableAcceleratedNetworking"
    assert "Standard_D2s_v5" in refused.value.message
    machine = cloud.running_machine()
    cloud.act(machine, PowerAction.DEALLOCATE)
    patch = {"properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}}
    with pytest.raises(ArmError, match="Standard_B2s is not in the allowed list"):
        cloud.subscription.machines.patch(machine.id, patch, now=cloud.now)


def test_accelerated_networking_is_switched_only_on_a_deallocated_machine(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    with pytest.raises(ArmError, match="Deallocate the virtual machine first"):
        _accelerated(cloud)
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert _accelerated(cloud).properties["enableAcceleratedNetworking"] is True


def test_a_deallocated_machine_of_a_plain_size_gets_no_accelerated_interface(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body()
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_B2s"
    cloud.act(cloud.running_machine(body), PowerAction.DEALLOCATE)
    with pytest.raises(ArmError, match="not in the allowed list"):
        _accelerated(cloud)


def test_a_size_takes_only_so_many_interfaces(cloud: Cloud) -> None:
    cloud.network()
    names = ("a", "b", "c")
    for name in names:
        cloud.interface(name)
    body = cloud.machine_body()
    body["properties"]["networkProfile"]["networkInterfaces"] = [
        {"id": str(cloud.network_id("networkInterfaces", name)), "properties": {"primary": name == "a"}}
        for name in names
    ]
    with pytest.raises(ArmError, match="is 3 and the maximum allowed is 2") as refused:
        cloud.put_machine(body)
    assert refused.value.code == "NetworkInterfaceCountExceeded"
