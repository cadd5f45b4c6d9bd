"""One step under way: what it is done to, on what was observed, and where to look once Azure has accepted it.

Made by the steps. It sends what it is told and waits for nothing; whose a part is, is checked here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin

from benchhost.api.conditions import Reason
from benchhost.azure.calls import azure_call, json_of, request_id, retry_after
from benchhost.azure.clients import AzureClients
from benchhost.azure.names import HostNames
from benchhost.azure.observation import part_from_json
from benchhost.azure.resources import Resource, resource
from benchhost.azure.settings import AzureCloudSettings
from benchhost.azure.tags import is_shared_by
from benchhost.cloud.errors import AdminError, TransientError
from benchhost.cloud.machine import Observation, ObservedPart, Part
from benchhost.cloud.provider import HostRequest, Started, Step, Verb

_WORDS: Final[dict[Verb, str]] = {
    Verb.ENSURE: "create",
    Verb.DELETE: "delete",
    Verb.RELEASE: "release",
    Verb.START: "start",
    Verb.STOP: "stop",
    Verb.DEALLOCATE: "deallocate",
    Verb.HIBERNATE: "hibernate",
    Verb.RESTART: "restart",
    Verb.RESIZE: "resize",
    Verb.UPDATE: "update",
    Verb.TAG: "tag",
}


@dataclass(slots=True)
class Attempt:
    """One step under way: the target, and the answer once it is there."""

    clients: AzureClients
    request: HostRequest
    step: Step
    seen: Observation
    target: Resource = field(init=False)
    answer: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        part, lun = self.step.part, self.step.lun
        self.target = resource(self.clients, HostNames.of(self.request), part, self.part, lun=lun)

    @property
    def part(self) -> ObservedPart | None:
        """The part as it was observed."""
        return self.seen.get(self.step.part, self.step.lun)

    @property
    def what(self) -> str:
        """The step in words, for messages."""
        return f"{_WORDS[self.step.verb]} {self.target.words}"

    def require_existing(self) -> ObservedPart:
        """The part as it was observed.

        Raises
        ------
        TransientError
            If it does not exist.
        """
        if self.part is None:
            raise TransientError(f"Azure did not {self.what}: it does not exist.", code="ResourceNotFound")
        return self.part

    def require_owned(self) -> ObservedPart:
        """The part as it was observed, which is this host's, or everybody's of the same cluster.

        Raises
        ------
        AdminError
            If it is another owner's, or nobody's.
        TransientError
            If it does not exist.
        """
        seen, owner = self.require_existing(), self.request.owner
        if seen.owner == owner or (self.step.part is Part.NETWORK and is_shared_by(owner, seen.owner)):
            return seen
        whose = f"carries the tags of {seen.owner.namespace}/{seen.owner.name}" if seen.owner else "has no owner tags"
        raise AdminError(
            f"{self.target.words.capitalize()} was left alone: it {whose} "
            f"and not those of BenchHost {owner.namespace}/{owner.name}.",
            reason=Reason.NOT_OWNED,
        )

    async def send(self, call: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Started:
        """Send the request and read where to look; the SDK's poller is not used."""
        async with azure_call(self.clients.settings, self.what):
            await call(*arguments, raw_response_hook=self._keep, **options)
        return read_started(self.answer, self.clients.settings)

    def _keep(self, response: Any) -> None:
        self.answer = response.http_response


def read_started(response: Any, settings: AzureCloudSettings) -> Started:
    """Where to look after an accepted request: Azure-AsyncOperation, else Location, else the resource itself."""
    headers = response.headers
    given = headers.get("Azure-AsyncOperation") or headers.get("Location")
    url = urljoin(f"{settings.resource_manager_endpoint}/", given) if given else None
    return Started(
        poll_url=url if url is not None and settings.is_at_endpoint(url) else None,
        retry_after=retry_after(headers),
        request_id=request_id(headers),
        finished=given is None and _is_terminal(response),
        observed=part_from_json(json_of(response)),
    )


def _is_terminal(response: Any) -> bool:
    if response.status_code == HTTPStatus.ACCEPTED:
        return False
    body = json_of(response)
    properties = body.get("properties") if isinstance(body, dict) else None
    state = (properties or {}).get("provisioningState")
    return state is None or str(state).lower() == "succeeded"
