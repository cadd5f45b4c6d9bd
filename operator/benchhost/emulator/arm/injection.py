"""Faults on the wire: what is set in `benchhost.emulator.faults`, made into answers and ends of operations.

Called by `benchhost.emulator.arm.pipeline` for each request, and by the subscription's operations when they are due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from benchhost.emulator.arm.error_bodies import error_response
from benchhost.emulator.arm.messages import ArmResponse
from benchhost.emulator.cloud.errors import ArmError, ErrorDetail
from benchhost.emulator.faults.effects import CutConnection, Delay, LoseAnswer, ProxyAnswer, Refuse
from benchhost.emulator.faults.matching import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchhost.emulator.arm.messages import ArmPath, ArmRequest
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.faults.effects import RequestEffect
    from benchhost.emulator.faults.faults import Faults

_GROUPS = "subscriptions/*/resourcegroups"


class Injection:
    """Lets faults happen.

    Parameters
    ----------
    faults
        Those that are set.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def serve(self, request: ArmRequest, serve: Callable[[ArmRequest], ArmResponse]) -> ArmResponse:
        """Answer a request with ``serve``, or as the faults want it."""
        if not self._faults:
            return serve(request)
        effects = self._faults.strike_request(subject_of(request.method, request.path), request.now)
        if not effects:
            return serve(request)
        answer = _answer(effects[-1], lambda: serve(request))
        answer.delay = sum(effect.seconds for effect in effects if isinstance(effect, Delay))
        return answer

    def verdict(self, operation: Operation, now: float) -> ArmError | None:
        """Return why an operation that is due fails, or None."""
        target = operation.target
        subject = Subject(
            resource_type=target.kind if target is not None else "Microsoft.Resources/resourceGroups",
            group=operation.group,
            name="/".join(target.names) if target is not None else operation.group,
            operation=operation.kind,
        )
        effect = self._faults.strike_operation(subject, now)
        return None if effect is None else ArmError(409, effect.code, effect.message)


def subject_of(method: str, path: ArmPath) -> Subject:
    """Return what a fault sees of a request."""
    group = path.names[1] if path.shape.startswith(f"{_GROUPS}/*") else ""
    action = path.segments[-1] if method == "POST" and not path.shape.endswith("*") else ""
    if path.provider is None:
        is_group = path.shape.startswith(_GROUPS)
        return Subject(
            method=method,
            resource_type="Microsoft.Resources/resourceGroups" if is_group else "Microsoft.Resources/subscriptions",
            group=group,
            name=group,
            action=action,
        )
    types = path.types[: len(path.types) - bool(action)]
    return Subject(
        method=method,
        resource_type="/".join((path.provider, *types)),
        group=group,
        name="/".join(path.names[2:] if group else path.names[1:]),
        action=action,
    )


def _answer(effect: RequestEffect, serve: Callable[[], ArmResponse]) -> ArmResponse:
    match effect:
        case Refuse():
            return error_response(_error_of(effect))
        case Delay():
            return serve()
        case LoseAnswer():
            answer = serve()
            answer.is_cut = True
            return answer
        case CutConnection():
            return ArmResponse(is_cut=True)
        case ProxyAnswer():
            return ArmResponse(status=effect.status, page=(effect.content, effect.content_type))
        case _:
            assert_never(effect)


def _error_of(effect: Refuse) -> ArmError:
    details = effect.details
    return ArmError(
        effect.status,
        effect.code,
        effect.message,
        target=effect.target,
        details=None if details is None else tuple(ErrorDetail(one.code, one.message, one.target) for one in details),
        headers=dict(effect.headers),
    )
