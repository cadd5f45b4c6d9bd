"""In which order what is left of hosts goes."""

import pytest

from benchhost.cloud import OwnedResource, Owner, Part, PartState, Scope
from benchhost.controller.orphans import first_parts

SCOPE = Scope("sub", "rg")


def orphan(part: Part, host: str = "a", number: int = 0, scope: Scope = SCOPE) -> OwnedResource:
    shared = part is Part.NETWORK
    owner = Owner("cluster-1", "" if shared else "bench", "" if shared else host, "" if shared else f"uid-{host}")
    return OwnedResource(scope, part, f"{host}/{part}/{number}", owner, None, PartState.READY)


@pytest.mark.parametrize(
    ("left", "first"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([Part.ADDRESS, Part.DISK, Part.MACHINE, Part.INTERFACE], [Part.MACHINE], id="machine-first"),
        pytest.param([Part.ADDRESS, Part.DISK, Part.INTERFACE], [Part.INTERFACE], id="then-the-interface"),
        pytest.param([Part.ADDRESS, Part.DATA_DISK, Part.DISK], [Part.DISK], id="then-the-disk"),
        pytest.param([Part.ADDRESS, Part.DATA_DISK], [Part.DATA_DISK], id="then-data-disks"),
        pytest.param([Part.ADDRESS], [Part.ADDRESS], id="then-the-address"),
    ],
)
def test_a_host_s_parts_go_in_order(left: list[Part], first: list[Part]) -> None:
    assert [found.part for found in first_parts(map(orphan, left))] == first


def test_data_disks_go_together_and_hosts_do_not_wait_for_each_other() -> None:
    disks = [orphan(Part.DATA_DISK, "a", number) for number in range(2)]
    other = [orphan(Part.MACHINE, "b"), orphan(Part.DISK, "b")]
    elsewhere = [orphan(Part.MACHINE, "a", scope=Scope("sub", "other"))]
    network = [orphan(Part.NETWORK)]
    assert first_parts([*disks, *other, *elsewhere, *network]) == [*disks, other[0], *elsewhere, *network]
