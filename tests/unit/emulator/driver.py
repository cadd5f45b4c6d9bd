"""A subscription driven by hand: no server, no clock, no waiting."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.identifiers import ResourceId
from benchhost.emulator.cloud.latency import LatencyMode, LatencyModel
from benchhost.emulator.cloud.subscription import Subscription
from unit.emulator.deploying import write_deployments

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.resources import Resource

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBenchHostUnitTestKey tester"


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - durations of a test


class Cloud:
    """A subscription with a resource group ``rg`` in eastus, and a time that only moves when told."""

    def __init__(self, seed: int = 1) -> None:
        latency = LatencyModel(LatencyMode.RECORDED, 1.0, seeded(seed))
        self.subscription = Subscription(
            "11111111-1111-1111-1111-111111111111",
            "22222222-2222-2222-2222-222222222222",
            locations=("eastus", "westus2"),
            latency=latency,
            seed=seed,
        )
        write_deployments(self.subscription, latency)
        self.subscription.groups.put("rg", "eastus", {})
        self.now = 1_000_000.0

    def pass_time(self, seconds: float = 1000.0) -> None:
        self.now += seconds
        self.subscription.advance(self.now)

    def network_id(self, kind: str, name: str) -> ResourceId:
        return ResourceId(self.subscription.id, "rg", "Microsoft.Network", (kind,), (name,))

    def machine_id(self, name: str = "vm") -> ResourceId:
        return ResourceId(self.subscription.id, "rg", "Microsoft.Compute", ("virtualMachines",), (name,))

    def network(self, name: str = "vnet", prefix: str = "10.0.0.0/24", *, location: str = "eastus") -> Resource:
        subnets = [{"name": "default", "properties": {"addressPrefix": prefix}}]
        body = {
            "location": location,
            "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets},
        }
        network, _, _ = self.subscription.networks.put(self.network_id("virtualNetworks", name), body, now=self.now)
        self.pass_time()
        return network

    def address(self, name: str = "pip", *, method: str = "Static", sku: str = "Standard") -> Resource:
        body = {
            "location": "eastus",
            "sku": {"name": sku},
            "properties": {"publicIPAllocationMethod": method},
        }
        address, _, _ = self.subscription.addresses.put(self.network_id("publicIPAddresses", name), body, now=self.now)
        self.pass_time()
        return address

    def interface(self, name: str = "nic", **configuration: Any) -> Resource:
        subnet = str(self.network_id("virtualNetworks", "vnet").child("subnets", "default"))
        properties = {"subnet": {"id": subnet}, **configuration}
        body = {
            "location": "eastus",
            "properties": {"ipConfigurations": [{"name": "ipconfig", "properties": properties}]},
        }
        interface, _ = self.subscription.interfaces.put(self.network_id("networkInterfaces", name), body, now=self.now)
        return interface

    def machine_body(self, interface: str = "nic", **properties: Any) -> dict[str, Any]:
        nic = str(self.network_id("networkInterfaces", interface))
        ssh = {"publicKeys": [{"path": "/home/tester/.ssh/authorized_keys", "keyData": KEY}]}
        image = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
        return {
            "location": "eastus",
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "storageProfile": {"imageReference": image, "osDisk": {"createOption": "FromImage"}},
                "osProfile": {
                    "computerName": "vm",
                    "adminUsername": "tester",
                    "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": ssh},
                },
                "networkProfile": {"networkInterfaces": [{"id": nic}]},
                **properties,
            },
        }

    def put_machine(self, body: dict[str, Any] | None = None, *, name: str = "vm") -> tuple[VirtualMachine, Operation]:
        machine, operation, _ = self.subscription.machines.put(
            self.machine_id(name), body or self.machine_body(), now=self.now
        )
        return machine, operation

    def running_machine(self, body: dict[str, Any] | None = None) -> VirtualMachine:
        """Return a machine ``vm`` with interface ``nic`` in ``vnet``, created and running."""
        if self.subscription.store.find(self.network_id("virtualNetworks", "vnet")) is None:
            self.network()
        if self.subscription.store.find(self.network_id("networkInterfaces", "nic")) is None:
            self.interface()
        machine, _ = self.put_machine(body)
        self.pass_time()
        return machine

    def act(self, machine: VirtualMachine, action: PowerAction) -> Operation:
        """Do a power action and wait for its end."""
        operation = self.subscription.power.begin(machine, action, now=self.now)
        self.pass_time()
        return operation

    def delete(self, machine: VirtualMachine) -> Operation:
        operation = self.subscription.machines.delete(machine.id, force=False, now=self.now)
        assert operation is not None
        return operation

    def kinds(self) -> list[str]:
        """Return the types of everything that exists, sorted."""
        return sorted(resource.id.types[-1] for resource in self.subscription.store)
