"""What is sent to ARM, word for word, where no cloud of ours would tell the difference."""

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from benchhost.azure.tags import owner_tags
from benchhost.cloud import Observation, ObservedPart, Part, PartState, Step, TransientError, Verb
from benchhost.emulator.certificates import make_certificate
from contract.clouds import Cloud, azure_provider
from support.builders import OWNER

GROUP = "/subscriptions/s/resourceGroups/ELSEWHERE/providers"
MACHINE_ID = f"{GROUP}/Microsoft.Compute/virtualMachines/db-1"
OPERATION = "/subscriptions/s/providers/Microsoft.Compute/locations/eastus/operations/1"


@dataclass
class Recorder:
    """An ARM that shows one machine, accepts every write, and keeps what was written."""

    machine: dict[str, Any] = field(default_factory=lambda: {"id": MACHINE_ID, "etag": '"8"', "properties": {}})
    is_quick: bool = False
    """Whether a change has ended when its answer comes."""
    forced_tags: dict[str, str] = field(default_factory=dict)
    """What a policy puts into every change of tags."""
    writes: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.method == "GET":
            return web.json_response(self.machine)
        self.writes.append((request.method, request.path_qs.partition("/providers/")[2]))
        self.headers.append(dict(request.headers))
        if request.method != "PATCH":
            return web.json_response(self.machine, status=202, headers={"Location": OPERATION})
        tags = (await request.json()).get("tags") or {}
        answer = {
            **self.machine,
            "tags": {name: tags[name] for name in tags if name.upper() not in self.forced_tags} | self.forced_tags,
        }
        return web.json_response(answer, headers={} if self.is_quick else {"Location": OPERATION})


@pytest.fixture
async def recorded(azure: Cloud, tmp_path: Path) -> AsyncIterator[tuple[Cloud, Recorder]]:
    assert azure.connection is not None
    certificate, recorder = make_certificate(tmp_path, ("localhost", "127.0.0.1")), Recorder()
    both = tmp_path / "both.pem"
    both.write_bytes(azure.connection.ca_bundle.read_bytes() + certificate.ca_bundle.read_bytes())
    runner = web.ServerRunner(web.Server(recorder.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.server_context()).start()
    endpoint = f"https://localhost:{runner.addresses[0][1]}"
    provider = azure_provider(azure.connection, resource_manager_endpoint=endpoint, ca_bundle=both)
    yield dataclasses.replace(azure, provider=provider), recorder
    await provider.close()
    await runner.cleanup()


def seen(
    name: str, *, kind: str = "Compute/disks", tags: dict[str, str] | None = None, etag: str | None = None
) -> ObservedPart:
    return ObservedPart(f"{GROUP}/Microsoft.{kind}/{name}", PartState.READY, OWNER, etag=etag, tags=tags)


EVERYTHING = Observation(
    parts={
        Part.MACHINE: seen("db-1", kind="Compute/virtualMachines"),
        Part.INTERFACE: seen("db-1-nic-cff6ed40", kind="Network/networkInterfaces", tags={}),
        Part.DISK: seen("db-1_OsDisk_1_0a1b"),
    },
    data_disks={0: seen("results", tags={"a": "b"})},
)


@pytest.mark.parametrize(
    ("step", "method", "path"),
    [
        (Step(Verb.DELETE, Part.INTERFACE), "DELETE", "Microsoft.Network/networkInterfaces/db-1-nic-cff6ed40"),
        (Step(Verb.DELETE, Part.DISK), "DELETE", "Microsoft.Compute/disks/db-1_OsDisk_1_0a1b"),
        (Step(Verb.DELETE, Part.DATA_DISK, 0), "DELETE", "Microsoft.Compute/disks/results"),
        (Step(Verb.ENSURE, Part.DATA_DISK, 0), "PATCH", "Microsoft.Compute/disks/results"),
        (Step(Verb.TAG, Part.DATA_DISK, 0), "PATCH", "Microsoft.Compute/disks/results"),
        (Step(Verb.TAG, Part.INTERFACE), "PATCH", "Microsoft.Network/networkInterfaces/db-1-nic-cff6ed40"),
    ],
    ids=lambda value: str(value) if isinstance(value, Step) else "",
)
async def test_a_step_goes_to_what_was_seen_whatever_its_name(
    recorded: tuple[Cloud, Recorder], step: Step, method: str, path: str
) -> None:
    cloud, recorder = recorded
    request = cloud.request(name="db-1", dataDisks=[{"lun": 0, "sizeGiB": 64}])
    await cloud.provider.start(request, step, EVERYTHING)
    assert [(verb, where.partition("?")[0]) for verb, where in recorder.writes] == [(method, path)]


@pytest.mark.parametrize(
    ("verb", "action", "hibernates"),
    [(Verb.DEALLOCATE, "deallocate", False), (Verb.HIBERNATE, "deallocate", True), (Verb.STOP, "powerOff", False)],
)
async def test_only_hibernation_keeps_the_memory(
    recorded: tuple[Cloud, Recorder], verb: Verb, action: str, hibernates: bool
) -> None:
    cloud, recorder = recorded
    await cloud.provider.start(cloud.request(name="db-1"), Step(verb, Part.MACHINE), EVERYTHING)
    ((method, where),) = recorder.writes
    path, _, query = where.partition("?")
    assert (method, path.rpartition("/")[2]) == ("POST", action)
    assert ("hibernate=true" in query) is hibernates


async def test_an_update_is_refused_when_the_machine_has_changed_since_it_was_read(
    recorded: tuple[Cloud, Recorder],
) -> None:
    cloud, recorder = recorded
    await cloud.provider.start(cloud.request(name="db-1"), Step(Verb.UPDATE, Part.MACHINE), EVERYTHING)
    assert [method for method, _ in recorder.writes] == ["PATCH"]
    assert recorder.headers[0]["If-Match"] == '"8"'


@pytest.mark.parametrize("verb", [Verb.TAG, Verb.RELEASE])
@pytest.mark.parametrize(
    ("tags", "etag", "named"),
    [
        pytest.param(owner_tags(OWNER), '"7"', '"7"', id="as-it-was-seen"),
        pytest.param(None, None, '"8"', id="as-it-was-read-where-its-tags-were-not-seen"),
    ],
)
async def test_tags_are_refused_when_the_machine_has_changed_since_they_were_seen(
    recorded: tuple[Cloud, Recorder], verb: Verb, tags: dict[str, str] | None, etag: str | None, named: str
) -> None:
    cloud, recorder = recorded
    recorder.machine["tags"] = owner_tags(OWNER)
    machine = seen("db-1", kind="Compute/virtualMachines", tags=tags, etag=etag)
    request = cloud.request(name="db-1", tags={"team": "db"})
    await cloud.provider.start(request, Step(verb, Part.MACHINE), Observation({Part.MACHINE: machine}))
    assert [headers["If-Match"] for headers in recorder.headers] == [named]


async def test_a_tag_that_a_policy_sets_otherwise_is_a_failure_that_names_it(recorded: tuple[Cloud, Recorder]) -> None:
    cloud, recorder = recorded
    recorder.forced_tags = {"ENV": "production"}
    request = cloud.request(name="db-1", tags={"env": "bench", "team": "db"})
    with pytest.raises(TransientError, match=r"the tags env are .* policy") as caught:
        await cloud.provider.start(request, Step(Verb.TAG, Part.MACHINE), EVERYTHING)
    assert caught.value.code == "TagsNotKept"


async def test_a_disk_that_has_grown_at_once_is_seen_with_its_new_size(recorded: tuple[Cloud, Recorder]) -> None:
    cloud, recorder = recorded
    disk = {"id": f"{GROUP}/Microsoft.Compute/disks/results", "properties": {"diskSizeGB": 64}}
    recorder.machine, recorder.is_quick = disk, True
    request = cloud.request(name="db-1", dataDisks=[{"lun": 0, "sizeGiB": 64}])
    started = await cloud.provider.start(request, Step(Verb.ENSURE, Part.DATA_DISK, 0), EVERYTHING)
    assert started.finished
    assert started.observed is not None
    after = EVERYTHING.with_part(Part.DATA_DISK, started.observed, 0)
    assert (after.data_disks[0].size_gib, after.data_disks[0].owner) == (64, OWNER)
    assert after.parts == EVERYTHING.parts
