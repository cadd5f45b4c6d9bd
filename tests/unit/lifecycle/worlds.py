"""Random hosts and random clouds for the property tests: everything that the types allow, however unlikely.

Values come from few constants, so that random things meet: times are before, at and after the moment of the decision.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from benchhost.api import Address, AddressType, BenchHost, Reason
from benchhost.api.model import to_timestamp
from benchhost.api.spec import DeletionPolicy, EndAction, PowerState
from benchhost.api.status import FailureClass, OperationResult, OperationType, PlacementReason
from benchhost.cloud import Machine, MachinePower, Observation, ObservedPart, Part, PartState
from benchhost.lifecycle import Circumstances, HolderState
from support.builders import NOW, OWNER, host, machine
from support.consoles import ED25519, OTHER_ED25519

STRANGER = replace(OWNER, uid="another-uid")
SHARED = replace(OWNER, namespace="", name="", uid="")
SHARED_ELSEWHERE = replace(SHARED, cluster="cluster-2")
SIZES = ("Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5")
GENERATION = 3
TAGS = ({}, {"trial": "7"}, {"trial": "8", "cost": "a"})

moments = st.sampled_from([NOW + timedelta(seconds=seconds) for seconds in (-3600, -60, -1, 0, 1, 60, 3600)])
stamps = moments.map(to_timestamp)


def maybe(some: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """This or nothing."""
    return st.none() | some


def present(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that are there."""
    return {name: value for name, value in fields.items() if value is not None}


operations = st.fixed_dictionaries(
    {
        "type": st.sampled_from(OperationType).map(str),
        "startedAt": stamps,
        "deadline": stamps,
        "generation": st.integers(GENERATION - 1, GENERATION),
        "pollUrl": maybe(st.just("https://cloud.invalid/operations/1")),
    }
).map(present)
failures = st.fixed_dictionaries(
    {
        "reason": st.sampled_from([Reason.CLOUD_ERROR, Reason.INVALID_SPEC, Reason.CAPACITY_UNAVAILABLE]).map(str),
        "message": st.just("It was refused."),
        "class": st.sampled_from(FailureClass).map(str),
        "count": st.integers(1, 40),
        "since": stamps,
        "nextAttemptAt": maybe(stamps),
        "generation": st.integers(GENERATION - 1, GENERATION),
        "operation": maybe(st.sampled_from(OperationType).map(str)),
        "tried": st.lists(
            st.sampled_from(SIZES).map(lambda size: {"size": size, "code": "SkuNotAvailable"}), max_size=3
        ),
    }
).map(present)
placements = st.fixed_dictionaries(
    {
        "epoch": st.integers(1, 9),
        "since": stamps,
        "vmId": st.sampled_from(["vm-guid", "vm-before"]),
        "reason": st.sampled_from(PlacementReason).map(str),
    }
)
entries = st.fixed_dictionaries(
    {
        "type": st.sampled_from(OperationType).map(str),
        "startTime": stamps,
        "endTime": stamps,
        "seconds": st.just(1.0),
        "result": st.sampled_from(OperationResult).map(str),
    }
)
records = st.fixed_dictionaries(
    {
        "vmId": st.sampled_from(["vm-guid", "vm-before"]),
        "epoch": st.integers(1, 2),
        "keys": st.sampled_from([[], [ED25519]]),
        "awaitedSince": maybe(stamps),
    }
).map(present)
statuses = st.fixed_dictionaries(
    {
        "observedGeneration": st.integers(GENERATION - 1, GENERATION),
        "powerState": maybe(st.sampled_from(MachinePower).map(str)),
        "size": maybe(st.sampled_from(SIZES)),
        "placement": maybe(placements),
        "operation": maybe(operations),
        "failure": maybe(failures),
        "history": st.lists(entries, max_size=3),
        "lastRestartTime": maybe(stamps),
        "lastReallocateTime": maybe(stamps),
        "evictedAt": maybe(stamps),
        "reachedAt": maybe(stamps),
        "sshHostKeys": maybe(records),
    }
).map(present)
specs = st.fixed_dictionaries(
    {
        "powerState": st.sampled_from(PowerState).map(str),
        "deletionPolicy": st.sampled_from(DeletionPolicy).map(str),
        "adopt": st.booleans(),
        "paused": st.sampled_from([False, False, False, True]),
        "restartAt": maybe(stamps),
        "reallocateAt": maybe(stamps),
        "expiresAt": maybe(stamps),
        "expiryAction": st.sampled_from(EndAction).map(str),
        "holder": maybe(
            st.fixed_dictionaries({"leaseName": st.just("who"), "onLost": st.sampled_from(EndAction).map(str)})
        ),
        "readiness": maybe(st.fixed_dictionaries({"hostKeys": st.booleans()})),
    }
).map(present)
azures = st.fixed_dictionaries(
    {
        "sizes": st.lists(st.sampled_from(SIZES), min_size=1, max_size=3, unique=True),
        "tags": st.sampled_from(TAGS),
        "dataDisks": st.sampled_from(
            [[], [{"lun": 0, "sizeGiB": 64}], [{"lun": 0, "sizeGiB": 32}, {"lun": 5, "sizeGiB": 8}]]
        ),
        "spot": maybe(st.just({})),
        "hibernation": st.booleans(),
        "osDisk": maybe(st.just({"ephemeral": True})),
    }
).map(present)
circumstances = st.builds(
    Circumstances,
    holder=maybe(st.builds(HolderState, expires_at=maybe(moments))),
    answered_at=maybe(moments),
    host_keys=st.sampled_from([(), (ED25519,), (OTHER_ED25519,)]),
)


@st.composite
def hosts(draw: st.DrawFn, *, deleting: bool | None = None) -> BenchHost:
    """Any host with any status."""
    ends = draw(st.booleans()) if deleting is None else deleting
    metadata: dict[str, Any] = {"generation": GENERATION}
    if ends:
        metadata["deletionTimestamp"] = to_timestamp(NOW)
    return host(spec=draw(specs), azure=draw(azures), status=draw(statuses), metadata=metadata)


owners = st.sampled_from([OWNER, OWNER, OWNER, STRANGER, None])
network_owners = st.sampled_from([SHARED, SHARED, SHARED_ELSEWHERE, None])
states = st.sampled_from([PartState.READY, PartState.READY, *PartState])


@st.composite
def parts(draw: st.DrawFn, which: Part) -> ObservedPart:
    """One part as it may be seen."""
    is_network = which is Part.NETWORK
    return ObservedPart(
        resource_id=f"/subscriptions/s/{which.name.lower()}",
        state=draw(states),
        owner=draw(network_owners if is_network else owners),
        in_use=draw(st.booleans()) if which in (Part.NETWORK, Part.INTERFACE) else False,
        size_gib=draw(maybe(st.sampled_from([8, 32, 64]))) if which is Part.DATA_DISK else None,
    )


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """A machine in any state."""
    return machine(
        draw(st.sampled_from(MachinePower)),
        size=draw(st.sampled_from(SIZES)),
        vm_id=draw(st.sampled_from(["vm-guid", "vm-after"])),
        addresses=draw(st.sampled_from([(), (Address(type=AddressType.INTERNAL_IP, address="10.0.0.4"),)])),
        tags=draw(st.sampled_from(TAGS)),
        changed_at=draw(maybe(moments)),
        created_at=draw(maybe(moments)),
    )


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Any cloud: the machine is there exactly when its part is."""
    plain = [part for part in Part if part is not Part.DATA_DISK]
    there = {part: draw(parts(part)) for part in plain if draw(st.booleans())}
    disks = {lun: draw(parts(Part.DATA_DISK)) for lun in (0, 7) if draw(st.booleans())}
    seen = draw(machines()) if Part.MACHINE in there else None
    return Observation(parts=there, machine=seen, data_disks=disks)
