"""Capacity, quotas, hosts and evictions as people administer them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.admin.routes import AdminError, AdminRequest
from benchhost.emulator.admin.services import admin_routes
from benchhost.emulator.cloud.compute.machine import PowerState
from benchhost.emulator.cloud.compute.power import PowerAction

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud

SIZE = "Standard_D2s_v5"


def ask(cloud: Cloud, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
    handler, names = admin_routes(cloud.subscription).find(method, tuple(path.split("/")))
    return handler(AdminRequest(names=names, query=query, body=body or {}, now=cloud.now))


def test_capacity_is_set_shown_and_lifted(cloud: Cloud) -> None:
    assert ask(cloud, "GET", "capacity") == {"capacity": []}
    cloud.running_machine()
    shown = {
        "location": "eastus",
        "scope": SIZE,
        "zone": None,
        "priority": "Regular",
        "machines": 5,
        "used": 1,
        "failure": "AllocationFailed",
    }
    assert ask(cloud, "PUT", f"capacity/East US/{SIZE}", {"machines": 5}) == {**shown, "evicted": []}
    ask(cloud, "PUT", f"capacity/eastus/{SIZE}", {"machines": 2, "zone": "1", "priority": "spot"})
    assert shown in ask(cloud, "GET", "capacity")["capacity"]
    assert ask(cloud, "DELETE", f"capacity/eastus/{SIZE.lower()}", zone="1") == {"removed": 1}
    assert ask(cloud, "GET", "capacity") == {"capacity": [shown]}
    assert ask(cloud, "DELETE", f"capacity/eastus/{SIZE}") == {"removed": 1}


def test_spot_machines_beyond_a_limit_are_evicted(cloud: Cloud) -> None:
    machine = cloud.running_machine(cloud.machine_body(priority="Spot"))
    answer = ask(cloud, "PUT", "capacity/eastus/*", {"machines": 0, "priority": "Spot"})
    assert answer["evicted"] == [str(machine.id)]
    cloud.pass_time()
    assert machine.power is PowerState.DEALLOCATED


def test_quotas_are_set_shown_and_lifted(cloud: Cloud) -> None:
    cloud.running_machine()
    shown = {"location": "eastus", "name": "standardDSv5Family", "limit": 8, "used": 2}
    assert ask(cloud, "PUT", "quotas/eastus/standarddsv5family", {"limit": 8}) == shown
    assert ask(cloud, "GET", "quotas") == {"quotas": [shown]}
    assert ask(cloud, "DELETE", "quotas/eastus/standardDSv5Family") == {"removed": 1}
    assert ask(cloud, "DELETE", "quotas/eastus/standardDSv5Family") == {"removed": 0}


def test_hosts_show_where_machines_are_and_were(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    cloud.act(machine, PowerAction.REDEPLOY)
    (now,) = ask(cloud, "GET", "hosts")["hosts"]
    assert machine.placement is not None
    assert (now["machine"], now["group"], now["host"]) == ("vm", "rg", machine.placement.host_id)
    assert (now["hardware"], now["cores"], now["until"]) == ("general-intel-v5", 2, None)
    assert set(now["factors"]) == {"cpu", "memory", "disk", "network"}
    stays = ask(cloud, "GET", "hosts/RG/VM")["stays"]
    assert [stay["cause"] for stay in stays] == ["createMachine", "redeploy"]
    assert stays[0]["until"] == stays[1]["since"]
    cloud.act(machine, PowerAction.DEALLOCATE)
    assert ask(cloud, "GET", "hosts") == {"hosts": []}


def test_a_spot_machine_is_evicted_by_its_name(cloud: Cloud) -> None:
    machine = cloud.running_machine(cloud.machine_body(priority="Spot"))
    answer = ask(cloud, "POST", "evictions", {"machine": "VM", "noticeSeconds": 5})
    assert answer == {"machine": "vm", "group": "rg", "due": cloud.now + 5}
    cloud.pass_time(5)
    assert machine.power is PowerState.DEALLOCATED


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        pytest.param("PUT", f"capacity/moon/{SIZE}", {"machines": 1}, "no region 'moon'", id="no-region"),
        pytest.param("PUT", "capacity/eastus/Standard_Z1", {"machines": 1}, "no machine size", id="no-size"),
        pytest.param("PUT", f"capacity/eastus/{SIZE}", {}, "'machines' is missing", id="no-number"),
        pytest.param("PUT", f"capacity/eastus/{SIZE}", {"machines": -1}, "of at least 0", id="negative"),
        pytest.param("PUT", f"capacity/eastus/{SIZE}", {"machines": 1, "zone": "9"}, "no zone '9'", id="no-zone"),
        pytest.param("PUT", f"capacity/eastus/{SIZE}", {"machines": 1, "failure": "x"}, "one of Sku", id="failure"),
        pytest.param("PUT", "quotas/eastus/gpus", {"limit": 1}, "no quota 'gpus'", id="no-quota"),
        pytest.param("PUT", "quotas/eastus/cores", {"limit": 1, "x": 1}, "'x' is no field", id="unknown-field"),
        pytest.param("GET", "hosts/rg/other", None, "no machine 'other'", id="no-machine"),
        pytest.param("POST", "evictions", {"machine": "vm"}, "only spot machines", id="regular-machine"),
    ],
)
def test_what_makes_no_sense_gives_one_sentence(
    cloud: Cloud, method: str, path: str, body: dict[str, Any] | None, words: str
) -> None:
    cloud.running_machine()
    with pytest.raises(AdminError) as refused:
        ask(cloud, method, path, body)
    assert words in refused.value.message
