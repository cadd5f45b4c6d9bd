"""Errors in ARM's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.arm.messages import ArmResponse

if TYPE_CHECKING:
    from benchhost.emulator.cloud.errors import ArmError, ErrorDetail


def error_response(error: ArmError) -> ArmResponse:
    """Return the answer that refuses a request."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.target is not None:
        body["target"] = error.target
    if error.details is not None:
        body["details"] = [_detail_body(detail) for detail in error.details]
    headers = dict(error.headers)
    if error.from_gateway:
        headers["x-ms-failure-cause"] = "gateway"
    return ArmResponse(status=error.status, body={"error": body}, headers=headers)


def _detail_body(detail: ErrorDetail) -> dict[str, str]:
    body = {"code": detail.code, "message": detail.message}
    return body if detail.target is None else {**body, "target": detail.target}
