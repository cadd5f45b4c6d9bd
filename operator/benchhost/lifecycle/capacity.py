"""Which size and zone to ask for: the spec's lists in order, without what had no capacity in this round. Pure.

Called by the reconciler before each request, and by ``backoff``, which keeps what was tried in ``status.failure``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.status import CapacityAttempt, Failure
from benchhost.cloud.errors import CloudError
from benchhost.cloud.machine import Machine


@dataclass(frozen=True, slots=True)
class Candidate:
    """A size, in a zone where the spec names zones."""

    size: str
    zone: str | None = None


def candidates(host: BenchHost, machine: Machine | None) -> tuple[Candidate, ...]:
    """Everything that may be asked for, in order of preference.

    A machine keeps its zone as long as it exists, and its size as long as the list names it and there is room.
    """
    azure = host.spec.azure
    zones: Sequence[str | None] = azure.zones or [None]
    if machine is not None:
        zones = [machine.zone]
    found = tuple(Candidate(size, zone) for size in azure.sizes for zone in zones)
    if machine is None:
        return found
    present = [candidate for candidate in found if candidate.size.lower() == machine.size.lower()]
    return (*present, *(candidate for candidate in found if candidate not in present))


def choose(host: BenchHost, machine: Machine | None) -> Candidate:
    """The first candidate that has not been tried in this round; when all have, a new round begins."""
    every = candidates(host, machine)
    tried = tried_of(host.status.failure, generation=host.metadata.generation)
    return next((candidate for candidate in every if not _is_tried(candidate, tried)), every[0])


def tried_of(failure: Failure | None, *, generation: int) -> Sequence[CapacityAttempt]:
    """What had no capacity in this round."""
    return failure.tried if failure is not None and failure.generation == generation else ()


def add_attempt(
    earlier: Sequence[CapacityAttempt], error: CloudError, attempted: Candidate, every: Sequence[Candidate]
) -> list[CapacityAttempt]:
    """What had no capacity, this attempt included; it is the first of a new round when nothing else was left.

    A quota is of a size and not of a zone, so it rules the size out in all zones.
    """
    zone = None if error.reason is Reason.QUOTA_EXCEEDED else attempted.zone
    attempt = CapacityAttempt(size=attempted.size, zone=zone, code=error.code)
    round_is_over = all(_is_tried(candidate, earlier) for candidate in every)
    return [attempt] if round_is_over else [*earlier, attempt]


def is_exhausted(tried: Sequence[CapacityAttempt], every: Sequence[Candidate]) -> bool:
    """Whether no candidate is left in this round."""
    return all(_is_tried(candidate, tried) for candidate in every)


def describe_tried(tried: Sequence[CapacityAttempt]) -> str:
    """What was tried, as part of a sentence."""
    return ", ".join(
        f"{attempt.size}{f' in zone {attempt.zone}' if attempt.zone else ''}"
        f"{f' ({attempt.code})' if attempt.code else ''}"
        for attempt in tried
    )


def _is_tried(candidate: Candidate, tried: Sequence[CapacityAttempt]) -> bool:
    return any(
        attempt.size.lower() == candidate.size.lower() and attempt.zone in (None, candidate.zone) for attempt in tried
    )
