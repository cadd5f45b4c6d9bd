"""What a machine can be, and what of it can change, beside its size and its power."""

import pytest

from benchhost.cloud import AdminError, MachinePower, Part, TransientError, Verb
from contract.clouds import BUILD_ORDER, STRANGER, Cloud


async def test_a_machine_is_made_in_the_zone_that_was_chosen(cloud: Cloud) -> None:
    seen = await cloud.build(cloud.request(zones=["1", "2"], zone="2"))
    assert seen.machine is not None
    assert seen.machine.zone == "2"


async def test_a_machine_without_a_zone_says_none(cloud: Cloud) -> None:
    seen = await cloud.build(cloud.request())
    assert seen.machine is not None
    assert seen.machine.zone is None


async def test_the_recording_of_the_console_follows_the_spec(cloud: Cloud) -> None:
    seen = await cloud.build(cloud.request())
    assert seen.machine is not None
    assert seen.machine.boot_diagnostics is True
    request = cloud.request(bootDiagnostics=False)
    await cloud.do(request, Verb.UPDATE)
    machine = (await cloud.provider.observe(request)).machine
    assert machine is not None
    assert machine.boot_diagnostics is False
    assert (await cloud.start(request, Verb.UPDATE)).finished


async def test_an_update_under_way_refuses_a_second_one(cloud: Cloud) -> None:
    await cloud.build(cloud.request())
    request = cloud.request(bootDiagnostics=False)
    started = await cloud.start(request, Verb.UPDATE)
    with pytest.raises(TransientError):
        await cloud.start(cloud.request(dataDisks=[{"lun": 0, "sizeGiB": 32}]), Verb.UPDATE)
    assert (await cloud.finish(request, started)).error is None


async def test_a_hibernated_machine_is_deallocated_and_runs_again(cloud: Cloud) -> None:
    request = cloud.request(hibernation=True, osDisk={"sizeGiB": 64})
    await cloud.build(request)
    for verb, power in ((Verb.HIBERNATE, MachinePower.DEALLOCATED), (Verb.START, MachinePower.RUNNING)):
        state = await cloud.do(request, verb)
        assert state is not None
        assert state.error is None
        machine = (await cloud.provider.observe(request)).machine
        assert machine is not None
        assert machine.power is power


@pytest.mark.parametrize("verb", [Verb.UPDATE, Verb.HIBERNATE])
async def test_another_owners_machine_is_not_changed(cloud: Cloud, verb: Verb) -> None:
    own = cloud.request(name="db-1", hibernation=True, osDisk={"sizeGiB": 64})
    before = await cloud.build(own)
    foreign = cloud.request(STRANGER, name="db-1", bootDiagnostics=False, hibernation=True)
    with pytest.raises(AdminError):
        await cloud.start(foreign, verb)
    assert await cloud.provider.observe(own) == before
    with pytest.raises(TransientError):
        await cloud.start(cloud.request(name="db-2"), verb)


@pytest.mark.parametrize("part", BUILD_ORDER)
async def test_what_was_made_since_it_was_seen_absent_is_not_made_again(cloud: Cloud, part: Part) -> None:
    request = cloud.request(name="db-1")
    before = await cloud.provider.observe(request)
    seen = await cloud.build(request)
    with pytest.raises(TransientError) as caught:
        await cloud.start_on(before, request, Verb.ENSURE, part)
    assert caught.value.code == "PreconditionFailed"
    assert await cloud.provider.observe(request) == seen


@pytest.mark.parametrize("verb", [Verb.DELETE, Verb.RELEASE])
async def test_what_was_seen_to_be_done_already_is_finished_at_once(cloud: Cloud, verb: Verb) -> None:
    request = cloud.request()
    before = await cloud.provider.observe(request)
    seen = await cloud.build(request)
    assert (await cloud.start_on(before, request, verb)).finished
    assert await cloud.provider.observe(request) == seen


async def test_a_machine_that_does_not_exist_has_no_console(cloud: Cloud) -> None:
    assert await cloud.provider.read_console(cloud.request()) is None
