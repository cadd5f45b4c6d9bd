"""What people can do with faults: set, see and remove them.

``POST faults`` takes ``{"match": {...}, "effect": {"kind": ..., ...}, "times": n, "rate": p}``; ``GET faults`` shows
them with how often each has happened; ``DELETE faults/{id}`` and ``DELETE faults`` remove one or all.
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from benchhost.emulator.admin.fields import Fields
from benchhost.emulator.admin.routes import AdminError
from benchhost.emulator.cloud.operations import OperationKind
from benchhost.emulator.faults.effects import (
    CutConnection,
    Delay,
    Detail,
    FailOperation,
    LoseAnswer,
    ProxyAnswer,
    Refuse,
)
from benchhost.emulator.faults.matching import Matcher, Subject

if TYPE_CHECKING:
    from benchhost.emulator.admin.routes import AdminRequest, AdminRoutes
    from benchhost.emulator.faults.effects import Effect
    from benchhost.emulator.faults.faults import Fault, Faults

FAILURE_MESSAGE = "A fault was set for this in the emulator."
_LONGEST_DELAY = 3600.0


class EffectKind(StrEnum):
    """``kind`` of an effect."""

    REFUSE = "refuse"
    FAIL_OPERATION = "failOperation"
    DELAY = "delay"
    LOSE_ANSWER = "loseAnswer"
    CUT_CONNECTION = "cutConnection"
    PROXY_ANSWER = "proxyAnswer"


_KINDS: dict[type[Effect], EffectKind] = {
    Refuse: EffectKind.REFUSE,
    FailOperation: EffectKind.FAIL_OPERATION,
    Delay: EffectKind.DELAY,
    LoseAnswer: EffectKind.LOSE_ANSWER,
    CutConnection: EffectKind.CUT_CONNECTION,
    ProxyAnswer: EffectKind.PROXY_ANSWER,
}

_MATCHED = {
    "method": "method",
    "resourceType": "resource_type",
    "group": "group",
    "name": "name",
    "action": "action",
    "operation": "operation",
}
"""Fields of ``match``, and those of `Matcher`."""


class FaultsAdmin:
    """Routes of faults.

    Parameters
    ----------
    faults
        What is administered.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def register(self, routes: AdminRoutes) -> None:
        """Add the routes."""
        routes.add("GET", "faults", self._list)
        routes.add("POST", "faults", self._add)
        routes.add("DELETE", "faults", self._clear)
        routes.add("DELETE", "faults/{id}", self._remove)

    def _list(self, _request: AdminRequest) -> dict[str, Any]:
        return {"faults": [_body(fault) for fault in self._faults]}

    def _add(self, request: AdminRequest) -> dict[str, Any]:
        fields = Fields(request.body)
        matcher = _matcher(fields.part("match"))
        effect = _effect(fields.part("effect"))
        times = fields.integer("times", minimum=1)
        rate = fields.number("rate", minimum=0, maximum=1)
        fields.end()
        _check(matcher, effect)
        return _body(self._faults.add(matcher, effect, times=times, rate=1.0 if rate is None else rate))

    def _clear(self, _request: AdminRequest) -> dict[str, Any]:
        return {"removed": self._faults.clear()}

    def _remove(self, request: AdminRequest) -> dict[str, Any]:
        if not self._faults.remove(request.names["id"]):
            raise AdminError(f"There is no fault '{request.names['id']}'.", HTTPStatus.NOT_FOUND)
        return {"removed": 1}


def _matcher(fields: Fields) -> Matcher:
    matcher = Matcher(**{attribute: fields.text(name) for name, attribute in _MATCHED.items()})
    fields.end()
    return matcher


def _effect(fields: Fields) -> Effect:
    kind = fields.choice("kind", EffectKind)
    if kind is None:
        raise AdminError(f"'effect.kind' is missing; there are {', '.join(EffectKind)}.")
    effect = _effect_of(kind, fields)
    fields.end()
    return effect


def _effect_of(kind: EffectKind, fields: Fields) -> Effect:
    match kind:
        case EffectKind.REFUSE:
            return _refusal(fields)
        case EffectKind.FAIL_OPERATION:
            return FailOperation(code=fields.required_text("code"), message=fields.text("message") or FAILURE_MESSAGE)
        case EffectKind.DELAY:
            return Delay(fields.required_number("seconds", minimum=0, maximum=_LONGEST_DELAY))
        case EffectKind.LOSE_ANSWER:
            return LoseAnswer()
        case EffectKind.CUT_CONNECTION:
            return CutConnection()
        case EffectKind.PROXY_ANSWER:
            standard = ProxyAnswer()
            return ProxyAnswer(
                fields.integer("status", minimum=200, maximum=599) or standard.status,
                fields.text("content") or standard.content,
                fields.text("contentType") or standard.content_type,
            )


def _refusal(fields: Fields) -> Refuse:
    status = fields.required_integer("status", minimum=400, maximum=599)
    details = fields.parts("details")
    return Refuse(
        status=status,
        code=fields.text("code") or _code_of(status),
        message=fields.text("message") or FAILURE_MESSAGE,
        target=fields.text("target"),
        details=None if details is None else tuple(_detail(one) for one in details),
        headers=tuple(fields.texts("headers").items()),
    )


def _detail(fields: Fields) -> Detail:
    detail = Detail(fields.required_text("code"), fields.required_text("message"), fields.text("target"))
    fields.end()
    return detail


def _code_of(status: int) -> str:
    """Return the code that Azure mostly has for a status, for instance ``ServiceUnavailable``."""
    try:
        return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")
    except ValueError:
        return "UnknownError"


def _check(matcher: Matcher, effect: Effect) -> None:
    """Refuse what could never happen."""
    is_about_operations = isinstance(effect, FailOperation)
    if is_about_operations and (matcher.method is not None or matcher.action is not None):
        raise AdminError("An operation has no method and no action; match it by 'operation', for instance 'start*'.")
    if matcher.operation is None:
        return
    if not is_about_operations:
        raise AdminError("Only failOperation is about an operation; match a request by 'method' or 'action'.")
    only = Matcher(operation=matcher.operation)
    if not any(only.matches(Subject(operation=kind)) for kind in OperationKind):
        raise AdminError(
            f"There is no operation '{matcher.operation}'; there are {', '.join(OperationKind)}.", HTTPStatus.NOT_FOUND
        )


def _body(fault: Fault) -> dict[str, Any]:
    match = {name: getattr(fault.matcher, attribute) for name, attribute in _MATCHED.items()}
    return {
        "id": fault.id,
        "match": {name: pattern for name, pattern in match.items() if pattern is not None},
        "effect": {"kind": _KINDS[type(fault.effect)].value, **_settings_of(fault.effect)},
        "times": fault.times,
        "rate": fault.rate,
        "hits": fault.hits,
        "lastHit": fault.last_hit,
    }


def _settings_of(effect: Effect) -> dict[str, Any]:
    settings = dataclasses.asdict(effect)
    if "headers" in settings:
        settings["headers"] = dict(settings["headers"])
    if "content_type" in settings:
        settings["contentType"] = settings.pop("content_type")
    return {name: value for name, value in settings.items() if value is not None}
