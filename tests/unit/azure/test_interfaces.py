"""Which interface and address are a host's. Bodies are cut from an exported template (azure-lifecycle.md, A)."""

from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachine
from azure.mgmt.network.models import NetworkInterface, PublicIPAddress

from benchhost.api.spec import BenchHostSpec
from benchhost.azure.interfaces import address_id_of, interface_id_of, is_elsewhere, owner_of
from benchhost.azure.observation import Likely, observe
from benchhost.azure.tags import owner_tags
from benchhost.cloud import HostRequest, Owner, Part
from support.builders import OWNER, azure_spec

NETWORK = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Network"
NIC_ID = f"{NETWORK}/networkInterfaces/pg-1-381e5009-nic-cff6ed40"
IP_ID = f"{NETWORK}/publicIPAddresses/pg-1-381e5009-ip-cff6ed40"
STRANGER = Owner("cluster-2", "bench", "pg-1", "u")


def request(name: str | None = None, *, address: str = "Static") -> HostRequest:
    network = {"subnetId": f"{NETWORK}/virtualNetworks/n/subnets/default", "publicAddress": address}
    spec = azure_spec(network=network, **({} if name is None else {"name": name}))
    return HostRequest(OWNER, BenchHostSpec.model_validate({"azure": spec}), "Standard_D2s_v5")


def tags(owner: Owner | None) -> dict[str, str]:
    return {"fastpathenabled": "True", **(owner_tags(owner) if owner is not None else {})}


def machine(*references: dict[str, Any], owner: Owner | None = OWNER) -> VirtualMachine:
    profile = {"networkInterfaces": list(references)}
    machine_id = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/pg-1-381e5009"
    body = {"id": machine_id, "location": "eastus", "tags": tags(owner), "properties": {"networkProfile": profile}}
    return VirtualMachine(body)


def interface(nic_id: str = NIC_ID, *configurations: dict[str, Any], owner: Owner | None = OWNER) -> NetworkInterface:
    return NetworkInterface({"id": nic_id, "tags": tags(owner), "properties": {"ipConfigurations": configurations}})


def reference(name: str, *, primary: bool | None = None) -> dict[str, Any]:
    return {"id": name, **({} if primary is None else {"properties": {"primary": primary}})}


TO_ADDRESS = {"properties": {"publicIPAddress": {"id": IP_ID, "properties": {"deleteOption": "Delete"}}}}

ADDRESS = PublicIPAddress({"id": IP_ID, "tags": tags(OWNER), "properties": {"ipAddress": "203.0.113.1"}})


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param(machine(reference("a", primary=True)), "a", id="the-only-one"),
        pytest.param(machine(reference("a", primary=False), reference("b", primary=True)), "b", id="the-primary-one"),
        pytest.param(machine(reference("a"), reference("b")), "a", id="the-first-where-none-is-primary"),
        pytest.param(machine(), None, id="none-while-the-machine-is-made"),
        pytest.param(VirtualMachine({"properties": {}}), None, id="none-without-a-network-profile"),
    ],
)
def test_the_machine_names_its_interface(seen: VirtualMachine, found: str | None) -> None:
    assert interface_id_of(seen) == found


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param(interface(NIC_ID, {}, TO_ADDRESS), IP_ID, id="named-by-a-configuration"),
        pytest.param(interface(NIC_ID, {"properties": {}}), None, id="without-public-address"),
        pytest.param(interface(), None, id="without-configurations"),
    ],
)
def test_the_interface_names_its_public_address(seen: NetworkInterface, found: str | None) -> None:
    assert address_id_of(seen) == found


@pytest.mark.parametrize(
    ("seen", "beside", "name", "owner"),
    [
        pytest.param(interface(), None, None, OWNER, id="by-its-tags"),
        pytest.param(interface(owner=STRANGER), machine(), None, STRANGER, id="by-its-tags-against-its-name"),
        pytest.param(interface(owner=None), None, None, OWNER, id="by-a-name-that-holds-the-owners-digest"),
        pytest.param(interface(NIC_ID[:-9], owner=None), None, None, OWNER, id="by-the-name-without-a-suffix"),
        pytest.param(interface(owner=None), machine(), None, OWNER, id="by-its-name-beside-its-machine"),
        pytest.param(interface(owner=None), machine(owner=None), None, None, id="let-go-with-its-machine"),
        pytest.param(interface(f"{NIC_ID}0", owner=None), None, None, None, id="nobodys-with-another-suffix"),
        pytest.param(interface(f"{NETWORK}/networkInterfaces/mine", owner=None), machine(), None, None, id="a-guest"),
        pytest.param(
            interface(owner=None), None, "pg-1-381e5009", None, id="nobodys-where-anybody-can-choose-the-name"
        ),
    ],
)
def test_whose_an_interface_is(
    seen: NetworkInterface, beside: VirtualMachine | None, name: str | None, owner: Owner | None
) -> None:
    assert owner_of(request(name), Part.INTERFACE, seen, beside) == owner


class Shown:
    """A reader of what there is, that keeps what it was asked for."""

    def __init__(self, seen: VirtualMachine | None) -> None:
        self.machine = seen
        self.asked: list[tuple[Part, str | None]] = []
        self.guessed: dict[Part, Any] = {}

    async def part(self, part: Part, at: str | None = None) -> Any | None:
        self.asked.append((part, at))
        if part is Part.MACHINE:
            return self.machine
        return interface(NIC_ID, TO_ADDRESS) if part is Part.INTERFACE else ADDRESS

    async def named(self, part: Part) -> Any | None:
        self.asked.append((part, "by its name"))
        return interface(owner=None) if part is Part.INTERFACE else None

    async def disks(self) -> list[Any]:
        return []

    async def likely(self, _request: HostRequest) -> Likely:
        return Likely(self.guessed)


@pytest.mark.parametrize(
    ("seen", "address", "asked", "found"),
    [
        pytest.param(
            machine(reference(NIC_ID)),
            "Static",
            [(Part.INTERFACE, NIC_ID), (Part.ADDRESS, IP_ID)],
            {Part.MACHINE, Part.INTERFACE, Part.ADDRESS},
            id="from-the-machine-to-the-address",
        ),
        pytest.param(
            machine(reference(NIC_ID)),
            "None",
            [(Part.INTERFACE, NIC_ID), (Part.ADDRESS, IP_ID)],
            {Part.MACHINE, Part.INTERFACE, Part.ADDRESS},
            id="an-address-that-the-spec-does-not-ask-for-is-shown-too",
        ),
        pytest.param(machine(), "Static", [], {Part.MACHINE}, id="nothing-while-the-machine-names-nothing"),
        pytest.param(
            None,
            "Static",
            [(Part.INTERFACE, "by its name"), (Part.ADDRESS, "by its name")],
            {Part.INTERFACE},
            id="by-name-without-a-machine",
        ),
    ],
)
async def test_what_a_machine_has_brought_is_found_with_as_few_requests_as_possible(
    seen: VirtualMachine | None, address: str, asked: list[tuple[Part, str]], found: set[Part]
) -> None:
    reader = Shown(seen)
    observation = await observe(reader, request(address=address))
    assert reader.asked == [(Part.MACHINE, None), *asked]
    assert {part for part, one in observation.parts.items() if one.owner == OWNER} == found
    assert observation.parts.keys() == found


async def test_what_was_made_before_the_machine_is_looked_for_at_its_own_name() -> None:
    reader = Shown(None)
    await observe(reader, request("db-1"))
    assert reader.asked == [(Part.MACHINE, None), (Part.INTERFACE, None), (Part.ADDRESS, None)]


@pytest.mark.parametrize(
    ("machine_name", "elsewhere"),
    [
        pytest.param(None, False, id="attached-to-nothing"),
        pytest.param("PG-1-381e5009", False, id="to-the-machine-of-this-name"),
        pytest.param("jumphost", True, id="to-another-machine"),
    ],
)
def test_an_interface_may_be_attached_to_somebody_elses_machine(machine_name: str | None, elsewhere: bool) -> None:
    attached = {} if machine_name is None else {"virtualMachine": {"id": f"{NETWORK}/virtualMachines/{machine_name}"}}
    model = NetworkInterface({"id": NIC_ID, "properties": attached})
    assert is_elsewhere(request(), model) is elsewhere
    assert is_elsewhere(request(), ADDRESS) is False


GUESSES = [
    pytest.param({Part.INTERFACE: interface(NIC_ID, TO_ADDRESS), Part.ADDRESS: ADDRESS}, [], id="both-are-right"),
    pytest.param({Part.INTERFACE: interface(NIC_ID, TO_ADDRESS)}, [(Part.ADDRESS, IP_ID)], id="one-was-not-found"),
    pytest.param(
        {Part.INTERFACE: interface(f"{NETWORK}/networkInterfaces/other"), Part.ADDRESS: ADDRESS},
        [(Part.INTERFACE, NIC_ID)],
        id="another-interface-is-not-the-machines",
    ),
]


@pytest.mark.parametrize(("guessed", "asked"), GUESSES)
async def test_what_was_read_meanwhile_counts_only_where_the_machine_refers_to_it(
    guessed: dict[Part, Any], asked: list[tuple[Part, str]]
) -> None:
    shown = Shown(machine(reference(NIC_ID)))
    shown.guessed = guessed
    seen = await observe(shown, request())
    assert seen.parts[Part.INTERFACE].resource_id == NIC_ID
    assert seen.parts[Part.ADDRESS].resource_id == IP_ID
    assert [ask for ask in shown.asked if ask[0] in (Part.INTERFACE, Part.ADDRESS)] == asked
