"""One host's life from its creation to its end, each step asked for as soon as the one before has been reached.

Used by tests that trouble the controller meanwhile. A life ends in ``Lived``: what the cloud has seen of it.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from kubernetes.aio.client import CustomObjectsApi

from benchhost.api.names import API_VERSION, GROUP, KIND, PLURAL, VERSION
from support.builders import azure_spec
from support.crashing.board import Board, Body
from support.crashing.cloud_witness import CloudWitness
from support.crashing.course import AT_ONCE, SMALL, Course, Spec

ACCEPTED_WITH_AN_ANSWER = {"create": 1, "delete": 1}
"""What the cloud accepts of every life too; the HTTP library sends a PUT or DELETE again by itself when its answer is
lost."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a life is lived: nobody else's namespace and resource group."""

    namespace: str
    group: str
    subscription: str


@dataclass(slots=True)
class Lived:
    """What has come out of a life."""

    accepted: Counter[str] = field(default_factory=Counter)
    machine_ids: set[str] = field(default_factory=set)
    epochs: list[int] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Life:
    """The life of the host ``name``."""

    name: str
    place: Place
    objects: CustomObjectsApi
    board: Board
    witness: CloudWitness
    seconds: float = 60.0
    """Time for each step."""
    course: Course = AT_ONCE
    lived: Lived = field(default_factory=Lived)
    reached: str = "nothing"

    async def live(
        self, meanwhile: Callable[[str], Awaitable[None]] | None = None, *, counts: Mapping[str, int] | None = None
    ) -> Lived:
        """Live it, and see what has come of it.

        Parameters
        ----------
        meanwhile
            Called with a step's name right after the step was asked for.
        counts
            How often the cloud is to accept which change, where that is not what the course says.
        """
        expected = self.course.accepted | ACCEPTED_WITH_AN_ANSWER if counts is None else counts
        since = self.witness.position()
        for step, ask in self._steps().items():
            generation = await ask()
            if meanwhile is not None:
                await meanwhile(step)
            await self._arrive(step, generation)
            self.reached = step
        self.lived.accepted = self.witness.changes(self.place.group, since, lost="create" not in expected)
        self.lived.left = await self.witness.resources(self.place.group)
        self._check(expected)
        return self.lived

    def _check(self, expected: Mapping[str, int]) -> None:
        """What holds of every life, whatever has happened to those who look after it."""
        assert self.lived.left == []
        assert len(self.lived.machine_ids) == 1
        assert {change: self.lived.accepted[change] for change in expected} == expected
        assert self.lived.epochs == self.course.epochs

    def _steps(self) -> Mapping[str, Callable[[], Awaitable[int]]]:
        changes = {step: partial(self._patch, change) for step, change in self.course.changes.items()}
        return {"created": self._create, **changes, "deleted": self._delete}

    async def _arrive(self, step: str, generation: int) -> None:
        """Wait until the object says that the step is done, and see whether the cloud says the same."""
        key = (self.place.namespace, self.name)
        if step == "deleted":
            await self.board.until(key, lambda body: body is None, what="gone", seconds=self.seconds)
            return
        body = await self.board.until(key, lambda seen: is_synced(seen, generation), what=step, seconds=self.seconds)
        assert body is not None
        self.lived.epochs.append(body["status"]["placement"]["epoch"])
        (machine,) = await self.witness.machines(self.place.group)
        self.lived.machine_ids.add(machine["properties"]["vmId"])
        _compare(body, machine)

    async def _create(self) -> int:
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": self.name},
            "spec": {
                "credentialsRef": {"name": "azure-credentials"},
                "azure": azure_spec(
                    subscriptionId=self.place.subscription,
                    resourceGroup=self.place.group,
                    sizes=[SMALL],
                    **self.course.azure,
                ),
            },
        }
        made = await self.objects.create_namespaced_custom_object(
            GROUP, VERSION, self.place.namespace, PLURAL, body, _request_timeout=30
        )
        return int(made["metadata"]["generation"])

    async def _patch(self, change: Callable[[], Spec]) -> int:
        changed = await self.objects.patch_namespaced_custom_object(
            GROUP, VERSION, self.place.namespace, PLURAL, self.name, {"spec": change()},
            _content_type="application/merge-patch+json", _request_timeout=30,
        )  # fmt: skip
        return int(changed["metadata"]["generation"])

    async def _delete(self) -> int:
        await self.objects.delete_namespaced_custom_object(
            GROUP, VERSION, self.place.namespace, PLURAL, self.name, _request_timeout=30
        )
        return 0


def is_synced(body: Body | None, generation: int) -> bool:
    """Whether the controller says that the cloud agrees with this generation."""
    conditions = (body or {}).get("status", {}).get("conditions", [])
    return any(
        condition["type"] == "Synced"
        and condition["status"] == "True"
        and condition["observedGeneration"] >= generation
        for condition in conditions
    )


def _compare(body: Body, machine: Mapping[str, Any]) -> None:
    """What the object wants and says, and what the cloud has."""
    spec, status, properties = body["spec"], body["status"], machine["properties"]
    codes = [row["code"] for row in properties["instanceView"]["statuses"]]
    assert f"PowerState/{spec.get('powerState', 'Running').lower()}" in codes
    assert properties["hardwareProfile"]["vmSize"] in spec["azure"]["sizes"]
    assert spec["azure"].get("tags", {}).items() <= machine["tags"].items()
    disks = [disk["lun"] for disk in properties["storageProfile"].get("dataDisks", [])]
    assert disks == [disk["lun"] for disk in spec["azure"].get("dataDisks", [])]
    assert status["placement"]["vmId"] == properties["vmId"]
    for asked, done in (("restartAt", "lastRestartTime"), ("reallocateAt", "lastReallocateTime")):
        if spec.get(asked):
            assert datetime.fromisoformat(status[done]) >= datetime.fromisoformat(spec[asked])
