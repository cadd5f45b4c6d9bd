"""What is sent to an existing machine. Bodies are as ARM shows machines, with its own order, defaults and case."""

from typing import Any

import pytest

from benchhost.api.spec import BenchHostSpec
from benchhost.azure.machine_update import to_update
from benchhost.cloud import HostRequest, ObservedPart, PartState
from support.builders import OWNER, SUBSCRIPTION, azure_spec

DISKS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/BENCH-RG/providers/Microsoft.Compute/disks"
IDENTITIES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ids/providers/Microsoft.ManagedIdentity"
BLUE = f"{IDENTITIES}/userAssignedIdentities/blue"
RED = f"{IDENTITIES}/userAssignedIdentities/red"
CLIENT = {"clientId": "c", "principalId": "p"}


def request(*, adopt: bool = False, **azure: Any) -> HostRequest:
    spec = BenchHostSpec.model_validate({"adopt": adopt, "azure": azure_spec(name="db-1", **azure)})
    return HostRequest(OWNER, spec, "Standard_D2s_v5")


def attached(lun: int, **changes: Any) -> dict[str, Any]:
    """A data disk as a machine's body shows it."""
    return {
        "lun": lun,
        "name": f"db-1-data-{lun}",
        "createOption": "Empty",
        "caching": "None",
        "managedDisk": {"storageAccountType": "Premium_LRS", "id": f"{DISKS}/db-1-data-{lun}"},
        "deleteOption": "Delete",
        "diskSizeGB": 64,
        "toBeDetached": False,
    } | changes


def machine(*disks: dict[str, Any], console: bool | None = True, identity: dict[str, Any] | None = None) -> Any:
    diagnostics = {} if console is None else {"diagnosticsProfile": {"bootDiagnostics": {"enabled": console}}}
    return {
        "properties": {"storageProfile": {"dataDisks": list(disks)}, **diagnostics},
        **({"identity": identity} if identity is not None else {}),
    }


def own(*luns: int) -> dict[int, ObservedPart]:
    """This host's disks, under ids in a case of their own."""
    return {lun: ObservedPart(f"{DISKS.lower()}/DB-1-data-{lun}", PartState.READY, OWNER) for lun in luns}


def user_assigned(*ids: str, kind: str = "UserAssigned") -> dict[str, Any]:
    return {"type": kind, "userAssignedIdentities": dict.fromkeys(ids, CLIENT)}


def test_a_disk_that_is_added_is_new_and_the_others_go_back_as_they_were_shown() -> None:
    disks = [{"lun": 0, "sizeGiB": 64}, {"lun": 3, "sizeGiB": 128, "caching": "ReadOnly"}]
    assert to_update(request(dataDisks=disks), machine(attached(0)), {}) == {
        "properties": {
            "storageProfile": {
                "dataDisks": [
                    attached(0),
                    {
                        "lun": 3,
                        "name": "db-1-data-3",
                        "createOption": "Empty",
                        "deleteOption": "Delete",
                        "caching": "ReadOnly",
                        "diskSizeGB": 128,
                        "managedDisk": {"storageAccountType": "Premium_LRS"},
                    },
                ]
            }
        }
    }


def test_a_disk_that_the_spec_does_not_name_is_left_out() -> None:
    body = to_update(request(dataDisks=[{"lun": 1, "sizeGiB": 64}]), machine(attached(0), attached(1)), own(0, 1))
    assert body == {"properties": {"storageProfile": {"dataDisks": [attached(1)]}}}
    alone = to_update(request(), machine(attached(0)), own(0))
    assert alone == {"properties": {"storageProfile": {"dataDisks": []}}}


@pytest.mark.parametrize(
    "disks",
    [
        pytest.param({}, id="nothing-is-ours"),
        pytest.param(
            {3: ObservedPart(f"{DISKS}/db-1-data-3", PartState.READY, OWNER)}, id="ours-of-that-number-is-loose"
        ),
    ],
)
def test_a_disk_that_somebody_else_attached_stays(disks: dict[int, ObservedPart]) -> None:
    theirs = attached(3, name="precious", managedDisk={"id": f"{DISKS}/precious"})
    assert to_update(request(), machine(theirs), disks) == {}
    body = to_update(request(dataDisks=[{"lun": 0, "sizeGiB": 64}]), machine(theirs), disks)
    assert [disk["name"] for disk in body["properties"]["storageProfile"]["dataDisks"]] == ["db-1-data-0", "precious"]
    console = to_update(request(), machine(theirs, console=False), disks)
    assert console == {"properties": {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}}}


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        pytest.param([], None, id="none-is-asked-for"),
        pytest.param([BLUE], None, id="it-has-what-is-asked-for"),
        pytest.param([RED], {BLUE.upper(): {}, RED: {}}, id="another-is-added"),
    ],
)
def test_an_adopted_machine_keeps_its_identities(wanted: list[str], sent: dict[str, Any] | None) -> None:
    body = to_update(request(adopt=True, identityIds=wanted), machine(identity=user_assigned(BLUE.upper())), {})
    assert body == ({} if sent is None else {"identity": {"type": "UserAssigned", "userAssignedIdentities": sent}})


def test_a_disk_that_was_detached_is_attached_again_with_what_is_on_it() -> None:
    loose = ObservedPart(f"{DISKS}/db-1-data-0", PartState.READY, OWNER)
    body = to_update(request(dataDisks=[{"lun": 0, "sizeGiB": 64}]), machine(), {0: loose})
    assert body["properties"]["storageProfile"]["dataDisks"] == [
        {
            "lun": 0,
            "name": "db-1-data-0",
            "createOption": "Attach",
            "deleteOption": "Delete",
            "caching": "None",
            "managedDisk": {"id": f"{DISKS}/db-1-data-0"},
        }
    ]


def test_caching_changes_on_the_disk_that_is_there() -> None:
    shown = attached(0, createOption="Attach")
    disks = [{"lun": 0, "sizeGiB": 64, "caching": "ReadWrite"}]
    body = to_update(request(dataDisks=disks), machine(shown), {})
    assert body["properties"]["storageProfile"]["dataDisks"] == [shown | {"caching": "ReadWrite"}]


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(machine(attached(1), attached(0)), id="disks-in-another-order"),
        pytest.param(machine(attached(0, caching="none"), attached(1)), id="caching-in-small-letters"),
        pytest.param(
            machine(attached(0, diskSizeGB=None, managedDisk={"id": "x"}), attached(1)), id="deallocated-spot"
        ),
        pytest.param(machine(attached(0, diskSizeGB=32), attached(1)), id="a-smaller-disk-which-is-grown-by-itself"),
    ],
)
def test_what_azure_fills_in_or_drops_is_no_difference(shown: Any) -> None:
    disks = [{"lun": 0, "sizeGiB": 64}, {"lun": 1, "sizeGiB": 64}]
    assert to_update(request(dataDisks=disks), shown, {}) == {}


@pytest.mark.parametrize(
    ("shown", "wanted", "identity"),
    [
        pytest.param(None, [], None, id="none"),
        pytest.param({"type": "None"}, [], None, id="none-in-words"),
        pytest.param(user_assigned(BLUE.upper()), [BLUE], None, id="the-same-in-another-case"),
        pytest.param({"type": "SystemAssigned", "principalId": "p"}, [], None, id="only-the-systems-own"),
        pytest.param(
            None, [BLUE], {"type": "UserAssigned", "userAssignedIdentities": {BLUE: {}}}, id="the-first-is-added"
        ),
        pytest.param(
            user_assigned(BLUE),
            [BLUE, RED],
            {"type": "UserAssigned", "userAssignedIdentities": {BLUE: {}, RED: {}}},
            id="another-is-added",
        ),
        pytest.param(
            user_assigned(BLUE.upper(), RED),
            [RED],
            {"type": "UserAssigned", "userAssignedIdentities": {RED: {}, BLUE.upper(): None}},
            id="one-is-removed-under-the-key-that-azure-shows",
        ),
        pytest.param(user_assigned(BLUE), [], {"type": "None"}, id="the-last-is-removed"),
        pytest.param(
            {"type": "SystemAssigned"},
            [BLUE],
            {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {BLUE: {}}},
            id="beside-the-systems-own",
        ),
        pytest.param(
            user_assigned(BLUE, kind="SystemAssigned,UserAssigned"),
            [],
            {"type": "SystemAssigned"},
            id="only-the-systems-own-is-left",
        ),
    ],
)
def test_identities_become_those_of_the_spec(
    shown: dict[str, Any] | None, wanted: list[str], identity: dict[str, Any] | None
) -> None:
    body = to_update(request(identityIds=wanted), machine(identity=shown), {})
    assert body == ({} if identity is None else {"identity": identity})


@pytest.mark.parametrize("console", [False, None], ids=["off", "not-told"])
def test_the_console_is_recorded_when_the_spec_says_so(console: bool | None) -> None:
    diagnostics = {"bootDiagnostics": {"enabled": True}}
    assert to_update(request(), machine(console=console), {}) == {"properties": {"diagnosticsProfile": diagnostics}}
    assert to_update(request(bootDiagnostics=False), machine(console=console), {}) == {}


def test_the_console_is_recorded_no_more_when_the_spec_says_so() -> None:
    body = to_update(request(bootDiagnostics=False), machine(), {})
    assert body == {"properties": {"diagnosticsProfile": {"bootDiagnostics": {"enabled": False}}}}
