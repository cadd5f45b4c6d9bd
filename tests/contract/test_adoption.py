"""A machine that somebody else made, taken over as it is: what it brought along stays, and stays theirs."""

from datetime import timedelta
from typing import Any

import pytest

from benchhost.api.status import Address, AddressType
from benchhost.cloud import AttachedDisk, HostRequest, MachinePower, Observation, Part, TransientError, Verb
from benchhost.cloud.fake import FakeCloud
from contract.clouds import OTHER, Cloud
from contract.test_identities_and_console import add_identities
from contract.test_lists import counted
from support.builders import OWNER
from support.foreign_machine import LUN, put_foreign_machine


async def make_foreign(cloud: Cloud, request: HostRequest) -> str:
    """A machine of the request's name with an interface, a disk and an identity of its own; gives the identity."""
    (identity,) = await add_identities(cloud, "theirs")
    if isinstance(cloud.provider, FakeCloud):
        cloud.provider.add_machine(
            request,
            data_disks=(AttachedDisk(LUN, "/precious", 64, "None"),),
            identity_ids=frozenset({identity.lower()}),
            boot_diagnostics=False,
            addresses=(
                Address(type=AddressType.INTERNAL_IP, address="10.9.0.4"),
                Address(type=AddressType.EXTERNAL_IP, address="198.18.9.4"),
            ),
        )
        return identity

    async def pause() -> None:
        cloud.advance(timedelta(seconds=30))

    async with counted(cloud) as made:
        await put_foreign_machine(made.clients, request, pause, identities=(identity,))
    return identity


async def adopted(cloud: Cloud, **azure: Any) -> tuple[HostRequest, str]:
    """A foreign machine that was taken over."""
    request = cloud.request(name="db-1", adopt=True, **azure)
    identity = await make_foreign(cloud, request)
    await cloud.do(request, Verb.TAG)
    return request, identity


def attached(seen: Observation) -> dict[int, str]:
    assert seen.machine is not None
    return {disk.lun: disk.resource_id.rpartition("/")[2] for disk in seen.machine.data_disks}


async def test_an_adopted_machine_shows_the_addresses_that_it_has(cloud: Cloud) -> None:
    request, _ = await adopted(cloud)
    seen = await cloud.provider.observe(request)
    assert seen.machine is not None
    assert seen.parts[Part.MACHINE].owner == OWNER
    kinds = {address.type for address in seen.machine.addresses}
    assert kinds >= {AddressType.INTERNAL_IP, AddressType.EXTERNAL_IP}


async def test_what_an_adopted_machine_brought_along_is_not_ours(cloud: Cloud) -> None:
    request, _ = await adopted(cloud)
    seen = await cloud.provider.observe(request)
    others = [part for kind, part in seen.parts.items() if kind not in (Part.MACHINE, Part.NETWORK)]
    assert {part.owner for part in (*others, *seen.data_disks.values())} <= {None}


async def test_an_update_leaves_an_adopted_machine_its_disks_and_identities(cloud: Cloud) -> None:
    request, identity = await adopted(cloud)
    await cloud.do(request, Verb.UPDATE)
    seen = await cloud.provider.observe(request)
    assert seen.machine is not None
    assert seen.machine.boot_diagnostics is True
    assert seen.machine.identity_ids == {identity.lower()}
    assert attached(seen) == {LUN: "precious"}
    assert seen.machine.power is MachinePower.RUNNING


async def test_disks_of_ours_come_and_go_beside_those_of_others(cloud: Cloud) -> None:
    without, _ = await adopted(cloud)
    with_disk = cloud.request(name="db-1", adopt=True, dataDisks=[{"lun": 0, "sizeGiB": 32}])
    await cloud.do(with_disk, Verb.UPDATE)
    seen = await cloud.provider.observe(with_disk)
    assert attached(seen).keys() == {0, LUN}
    assert seen.data_disks[0].owner == OWNER
    await cloud.do(without, Verb.UPDATE)
    seen = await cloud.provider.observe(without)
    assert attached(seen) == {LUN: "precious"}


async def test_of_two_that_adopt_a_machine_at_once_one_is_refused(cloud: Cloud) -> None:
    first, second = (cloud.request(owner, name="db-1", adopt=True) for owner in (OWNER, OTHER))
    await make_foreign(cloud, first)
    before = await cloud.provider.observe(second)
    await cloud.do(first, Verb.TAG)
    with pytest.raises(TransientError) as caught:
        await cloud.start_on(before, second, Verb.TAG)
    assert caught.value.code == "PreconditionFailed"
    assert (await cloud.provider.observe(first)).parts[Part.MACHINE].owner == OWNER
