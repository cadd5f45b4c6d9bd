"""If-Match and If-None-Match."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import ArmRequest


def check_preconditions(request: ArmRequest, etag: str | None) -> None:
    """Refuse a write whose condition does not hold; ``etag`` is the resource's own, None where there is none.

    Raises
    ------
    ArmError
        412 ``PreconditionFailed``.
    """
    if_match = request.headers.get("If-Match")
    if if_match is not None and (etag is None or (if_match != "*" and not _matches(if_match, etag))):
        raise errors.precondition_failed(if_match, etag)
    if_none_match = request.headers.get("If-None-Match")
    if if_none_match is None or etag is None:
        return
    if if_none_match == "*" or _matches(if_none_match, etag):
        raise errors.precondition_failed(if_none_match, etag)


def _matches(given: str, etag: str) -> bool:
    return etag.strip('"') in {candidate.strip().strip('"') for candidate in given.split(",")}
