"""Lists: one page, and the link to the next."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl, urlencode

from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchhost.emulator.cloud.context import Body

Item = TypeVar("Item")

PAGE_SIZE = 200
"""Items on a page, as an engineer of Azure tells of virtual machines (azure-sdk-for-java#31382); taken for all lists.
Clients have to follow ``nextLink`` whatever it is."""

_TOKEN = "$skiptoken"  # noqa: S105 - the name of a query parameter


def list_page(request: ArmRequest, items: Sequence[Item], body_of: Callable[[Item], Body]) -> ArmResponse:
    """Return the page that a request asks for, no longer than ``$top``; only what is on it becomes a body.

    Raises
    ------
    ArmError
        ``InvalidSkipToken``, or ``InvalidTopParameter`` for a ``$top`` that is no number above 0.
    """
    start, size = _start(request), min(PAGE_SIZE, _top(request))
    body: Body = {"value": [body_of(item) for item in items[start : start + size]]}
    if start + size < len(items):
        body["nextLink"] = _next_link(request, start + size)
    return ArmResponse(body=body)


def _top(request: ArmRequest) -> int:
    text = request.query.get("$top")
    if text is None:
        return PAGE_SIZE
    if not text.isdecimal() or int(text) == 0:
        raise errors.bad_request("InvalidTopParameter", f"The value '{text}' of $top is not a number above 0.")
    return int(text)


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
