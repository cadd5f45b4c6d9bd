import dataclasses
import re
from typing import Any

import pytest

from benchhost.api.spec import BenchHostSpec
from benchhost.azure.names import HostNames, computed_name
from benchhost.cloud import HostRequest, Owner, Part
from support.builders import OWNER, SUBSCRIPTION, azure_spec

ARM_NAME = re.compile(r"^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$")
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/bench-rg/providers"


def names(owner: Owner = OWNER, **azure: Any) -> HostNames:
    spec = BenchHostSpec.model_validate({"azure": azure_spec(**azure)})
    return HostNames.of(HostRequest(owner, spec, "Standard_D2s_v5"))


@pytest.mark.parametrize(
    "name",
    ["a", "pg-1", "x" * 63, "x" * 253, "pg.1.example", "x" * 49 + "-y", "9" * 60],
    ids=["one-letter", "usual", "a-label", "a-whole-subdomain", "with-dots", "cut-at-a-hyphen", "digits-only"],
)
def test_a_computed_name_fits_what_arm_allows_and_shows_the_hosts_name(name: str) -> None:
    computed = computed_name(dataclasses.replace(OWNER, name=name))
    assert ARM_NAME.match(computed)
    assert computed.startswith(name.replace(".", "-")[:40])


@pytest.mark.parametrize("field", ["namespace", "name", "uid"])
def test_a_computed_name_differs_with_everything_that_tells_two_hosts_apart(field: str) -> None:
    assert computed_name(OWNER) != computed_name(dataclasses.replace(OWNER, **{field: "other"}))


def test_a_computed_name_never_changes() -> None:
    # A new way to compute it would lose the machines of every host that exists.
    assert computed_name(OWNER) == "pg-1-381e5009"


def test_all_names_follow_from_the_machines() -> None:
    given = names(name="db-1")
    assert [given.get(part, 3) for part in Part] == [
        "bench-net",
        "db-1-ip",
        "db-1-nic",
        "db-1-os",
        "db-1-data-3",
        "db-1",
    ]
    assert given.id_of(Part.MACHINE) == f"{GROUP}/Microsoft.Compute/virtualMachines/db-1"
    assert given.id_of(Part.INTERFACE) == f"{GROUP}/Microsoft.Network/networkInterfaces/db-1-nic"
    assert given.subnet_id() == f"{GROUP}/Microsoft.Network/virtualNetworks/bench-net/subnets/default"


def test_a_subnet_that_the_spec_names_is_used_as_it_is() -> None:
    subnet = f"{GROUP}/Microsoft.Network/virtualNetworks/other/subnets/blue"
    given = names(network={"subnetId": subnet})
    assert given.subnet_id() == subnet
    assert given.get(Part.NETWORK) is None
