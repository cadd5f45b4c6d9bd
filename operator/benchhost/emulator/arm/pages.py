"""Lists: one page, and the link to the next."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.resources import Resource

PAGE_SIZE = 500
"""Items on a page. Azure documents no number; clients have to follow ``nextLink`` whatever it is."""

_TOKEN = "$skiptoken"  # noqa: S105 - the name of a query parameter


def list_page(request: ArmRequest, resources: Sequence[Resource], body_of: Callable[[Resource], Body]) -> ArmResponse:
    """Return the page that a request asks for; only what is on it is turned into bodies."""
    start = _start(request)
    page = resources[start : start + PAGE_SIZE]
    body: Body = {"value": [body_of(resource) for resource in page]}
    if start + PAGE_SIZE < len(resources):
        body["nextLink"] = _next_link(request, start + PAGE_SIZE)
    return ArmResponse(body=body)


def _start(request: ArmRequest) -> int:
    token = request.query.get(_TOKEN)
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode())
    except (binascii.Error, ValueError) as error:
        raise errors.bad_request("InvalidSkipToken", "The provided $skiptoken is not valid.") from error


def _next_link(request: ArmRequest, start: int) -> str:
    path, _, query = request.target.partition("?")
    kept = [(key, value) for key, value in parse_qsl(query) if key.lower() != _TOKEN]
    token = base64.urlsafe_b64encode(str(start).encode()).decode()
    return f"{request.base_url}{path}?{urlencode([*kept, (_TOKEN, token)])}"
