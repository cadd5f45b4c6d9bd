"""Errors in ARM's format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.arm.messages import ArmResponse

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.errors import ArmError, ErrorDetail


def error_response(error: ArmError) -> ArmResponse:
    """Return the answer that refuses a request."""
    headers = dict(error.headers)
    if error.from_gateway:
        headers["x-ms-failure-cause"] = "gateway"
    return ArmResponse(status=error.status, body={"error": error_body(error)}, headers=headers)


def error_body(error: ArmError) -> Body:
    """Return an error as it stands in an answer."""
    body: Body = {"code": error.code, "message": error.message}
    if error.target is not None:
        body["target"] = error.target
    if error.details is not None:
        body["details"] = [_detail_body(detail) for detail in error.details]
    return body


def _detail_body(detail: ErrorDetail) -> Body:
    body: Body = {"code": detail.code, "message": detail.message}
    if detail.target is not None:
        body["target"] = detail.target
    if detail.details:
        body["details"] = [_detail_body(inner) for inner in detail.details]
    return body
