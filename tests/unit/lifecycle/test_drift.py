"""Differences of a machine's model that are put right, and those that are none."""

from dataclasses import replace
from typing import Any

import pytest

from benchhost.api import OperationType
from benchhost.cloud import AttachedDisk, Machine, Observation, Part, Step, Verb
from benchhost.lifecycle import Do, Settled, decide
from support.builders import NOW, OWNER, everything, host, machine, part

IDENTITY = "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"
OTHER = IDENTITY[:-1] + "j"
DISK = {"lun": 2, "sizeGiB": 64}
UPDATE = Step(Verb.UPDATE, Part.MACHINE)


def attached(lun: int = 2, **values: Any) -> AttachedDisk:
    return AttachedDisk(**({"lun": lun, "resource_id": f"/d{lun}", "size_gib": 64, "caching": "None"} | values))


def seen(observed: Machine, disks: dict[int, Any] | None = None) -> Observation:
    return replace(everything(observed), data_disks=disks or {})


@pytest.mark.parametrize(
    ("azure", "observation", "step"),
    [
        pytest.param({"dataDisks": [DISK]}, seen(machine()), UPDATE, id="a-disk-that-is-missing-is-added"),
        pytest.param(
            {"dataDisks": [DISK]},
            seen(machine(data_disks=(attached(caching="ReadOnly"),)), {2: part()}),
            UPDATE,
            id="another-caching-is-set",
        ),
        pytest.param(
            {},
            seen(machine(data_disks=(attached(),)), {2: part()}),
            UPDATE,
            id="a-disk-that-left-the-list-is-detached",
        ),
        pytest.param({}, seen(machine(), {2: part()}), Step(Verb.DELETE, Part.DATA_DISK, 2), id="and-then-deleted"),
        pytest.param(
            {"dataDisks": [DISK | {"sizeGiB": 128}]},
            seen(machine(data_disks=(attached(),)), {2: part()}),
            Step(Verb.ENSURE, Part.DATA_DISK, 2),
            id="a-disk-grows",
        ),
        pytest.param({"identityIds": [IDENTITY]}, seen(machine()), UPDATE, id="a-missing-identity-is-given"),
        pytest.param({}, seen(machine(identity_ids=frozenset({IDENTITY.lower()}))), UPDATE, id="an-identity-is-taken"),
        pytest.param(
            {"tags": {"env": "A"}},
            seen(machine(tags={"env": "a"})),
            Step(Verb.TAG, Part.MACHINE),
            id="a-tag-gets-the-value-of-the-spec",
        ),
        pytest.param({}, seen(machine(boot_diagnostics=False)), UPDATE, id="boot-diagnostics-are-switched-on"),
    ],
)
def test_is_put_right(azure: dict[str, Any], observation: Observation, step: Step) -> None:
    assert decide(host(azure=azure), OWNER, observation, now=NOW) == Do(step, OperationType.UPDATE)


@pytest.mark.parametrize(
    ("spec", "azure", "observation"),
    [
        pytest.param(
            {},
            {"dataDisks": [DISK]},
            seen(machine(data_disks=(attached(size_gib=None, caching=None),))),
            id="what-azure-leaves-out-of-a-deallocated-spot-machine",
        ),
        pytest.param(
            {},
            {"dataDisks": [DISK]},
            seen(machine(data_disks=(attached(size_gib=128),)), {2: part()}),
            id="a-disk-that-is-larger-than-asked-for",
        ),
        pytest.param(
            {},
            {"identityIds": [IDENTITY.replace("userAssigned", "UserAssigned")]},
            seen(machine(identity_ids=frozenset({IDENTITY.lower()}))),
            id="an-id-in-another-case",
        ),
        pytest.param({}, {"tags": {"Env": "a"}}, seen(machine(tags={"env": "a"})), id="a-tags-name-in-another-case"),
        pytest.param({}, {"tags": {"BenchHost-Uid": "a"}}, seen(machine(tags={})), id="a-tag-that-is-the-owners"),
        pytest.param({}, {}, seen(machine(boot_diagnostics=None)), id="diagnostics-that-azure-does-not-tell"),
        pytest.param(
            {"adopt": True},
            {},
            seen(machine(data_disks=(attached(),), identity_ids=frozenset({OTHER.lower()})), {2: part(owner=None)}),
            id="what-an-adopted-machine-brought-along",
        ),
        pytest.param(
            {},
            {},
            seen(machine(data_disks=(attached(5),)), {5: part(owner=None)}),
            id="a-disk-that-somebody-else-attached",
        ),
    ],
)
def test_is_no_drift(spec: dict[str, Any], azure: dict[str, Any], observation: Observation) -> None:
    assert isinstance(decide(host(spec=spec, azure=azure), OWNER, observation, now=NOW), Settled)
