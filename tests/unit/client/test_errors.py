from typing import Any

import pytest

from benchhost.client.errors import (
    ClientError,
    ConflictError,
    CrdMissingError,
    ExpiredError,
    ForbiddenError,
    NamespaceMissingError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
)
from benchhost.client.transport import to_client_error


def status(message: str = "no", **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "message": message, "details": details}


@pytest.mark.parametrize(
    ("code", "body", "kind", "words"),
    [
        pytest.param(401, status("Unauthorized"), UnauthorizedError, "log in again", id="401-says-log-in"),
        pytest.param(403, status("bob cannot get"), ForbiddenError, "bob cannot get", id="403-says-who-cannot-what"),
        pytest.param(404, {}, CrdMissingError, "kubectl apply -f crds/", id="404-without-status-is-a-missing-crd"),
        pytest.param(
            404, status(name="x"), NotFoundError, "there is no WHAT", id="404-with-a-name-is-a-missing-object"
        ),
        pytest.param(
            404,
            status(name="n", kind="namespaces"),
            NamespaceMissingError,
            "create namespace n",
            id="404-of-the-namespace",
        ),
        pytest.param(409, status("modified"), ConflictError, "modified", id="409-is-a-conflict"),
        pytest.param(410, status("too old"), ExpiredError, "too old", id="410-is-an-expired-version"),
        pytest.param(
            422, status("spec.azure.location: no."), RefusedError, "spec.azure.location", id="422-names-the-field"
        ),
        pytest.param(
            422, status(causes=[{"field": "metadata.uid"}]), ConflictError, "another object", id="422-about-the-uid"
        ),
        pytest.param(400, status("unknown field"), RefusedError, "unknown field", id="400-is-a-refusal"),
        pytest.param(429, status("slow"), UnavailableError, "slow", id="429-passes"),
        pytest.param(503, {}, UnavailableError, "HTTP 503", id="503-without-a-body-passes"),
    ],
)
def test_http_codes_become_sentences(code: int, body: dict[str, Any], kind: type[ClientError], words: str) -> None:
    error = to_client_error(code, body, what="WHAT", where="WHERE", retry_after=7.0)
    assert type(error) is kind
    assert words in str(error)
    assert "\n" not in str(error)
    assert error.is_transient == isinstance(error, UnavailableError)


def test_retry_after_is_kept() -> None:
    assert to_client_error(429, {}, what="x", where="y", retry_after=7.0).retry_after_seconds == 7.0
