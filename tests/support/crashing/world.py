"""Where many lives are lived side by side: one API server, one emulated subscription, a place for each.

Used by the tests of this package's name. Places are handed out one life at a time, so nobody shares a resource group.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from kubernetes.aio.client import ApiClient, Configuration, CustomObjectsApi
from kubernetes.aio.config import load_kube_config

from support.crashing.board import Board
from support.crashing.cloud_witness import CloudWitness, witness
from support.crashing.controllers import Keeper, Zygote
from support.crashing.course import AT_ONCE, Course
from support.crashing.life import Life, Place
from support.stack import Emulator, Kubectl, credentials_secret, running_emulator

_namespaces = count(1)
_names = count(1)


@dataclass
class World:
    """Everything that lives need."""

    zygote: Zygote
    kubeconfig: Path
    emulator: Emulator
    objects: CustomObjectsApi
    board: Board
    witness: CloudWitness
    places: asyncio.Queue[Place]
    directory: Path
    controller_options: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def life(
        self, kubeconfig: Path | None = None, *, course: Course = AT_ONCE
    ) -> AsyncIterator[tuple[Life, Keeper]]:
        """A life that can begin, and the keeper of its controller, in a place of its own.

        The controller reaches the API server as ``kubeconfig`` says, if it is given.
        """
        place, name = await self.places.get(), f"host-{next(_names)}"
        try:
            yield (
                Life(name, place, self.objects, self.board, self.witness, course=course),
                self._keeper(place, name, kubeconfig),
            )
        finally:
            self.places.put_nowait(place)

    def _keeper(self, place: Place, name: str, kubeconfig: Path | None) -> Keeper:
        """Keeps a controller for one place."""
        arguments = [
            "operator", "run", "--kubeconfig", str(kubeconfig or self.kubeconfig),
            "--namespace", place.namespace, "--poll-interval", "0.05", *self.controller_options,
        ]  # fmt: skip
        return Keeper(self.zygote, arguments, self.emulator.environment, self.directory / f"{name}.log")


@contextmanager
def places_for(
    kubectl: Kubectl, emulator_folder: Path, many: int, *options: str
) -> Iterator[tuple[Emulator, list[Place]]]:
    """An emulator with an access log, and this many namespaces and resource groups that go together."""
    names = [f"life-{next(_namespaces)}" for _ in range(many)]
    log = emulator_folder.with_suffix(".access")
    log.touch()
    groups = [option for name in names for option in ("--resource-group", f"{name}@eastus")]
    with running_emulator(emulator_folder, *options, *groups, "--access-log", str(log)) as emulator:
        for name in names:
            kubectl.run("create", "namespace", name)
            kubectl.apply(credentials_secret(emulator, name))
        subscription = emulator.connection["subscriptionId"]
        yield emulator, [Place(name, name, subscription) for name in names]
        for name in names:
            kubectl.run("delete", "namespace", name, "--wait=false")


@asynccontextmanager
async def world(
    kubectl: Kubectl, zygote: Zygote, directory: Path, *, places: int, options: tuple[str, ...] = ("--latency", "none")
) -> AsyncIterator[World]:
    """A world with this many places; ``options`` are the emulator's."""
    configuration = Configuration()
    await load_kube_config(config_file=str(kubectl.kubeconfig), client_configuration=configuration)
    cloud = directory / "cloud"
    with places_for(kubectl, cloud, places, *options) as (emulator, free):
        async with (
            ApiClient(configuration) as client,
            Board(client).watching() as board,
            witness(emulator.connection, cloud.with_suffix(".access")) as seeing,
        ):
            queue: asyncio.Queue[Place] = asyncio.Queue()
            for place in free:
                queue.put_nowait(place)
            yield World(zygote, kubectl.kubeconfig, emulator, CustomObjectsApi(client), board, seeing, queue, directory)
