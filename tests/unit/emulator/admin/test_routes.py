"""Which admin request reaches whom, and what bad input is told."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.admin.fields import Fields
from benchhost.emulator.admin.routes import AdminError, AdminRequest, AdminRoutes

if TYPE_CHECKING:
    from collections.abc import Callable


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "darkBlue"


def _routes() -> AdminRoutes:
    routes = AdminRoutes()
    for method, path in (("GET", "cats"), ("PUT", "cats/{name}"), ("DELETE", "cats/{name}"), ("POST", "dogs")):
        routes.add(method, path, lambda request, path=path: {"path": path, **request.names})
    return routes


def _answer(method: str, *segments: str) -> dict[str, Any]:
    handler, names = _routes().find(method, segments)
    return handler(AdminRequest(names=names, query={}, body={}, now=0.0))


def test_a_request_reaches_the_handler_of_its_method_and_path_with_the_names_in_it() -> None:
    assert _answer("GET", "cats") == {"path": "cats"}
    assert _answer("PUT", "cats", "tom/jerry") == {"path": "cats/{name}", "name": "tom/jerry"}


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        pytest.param("GET", "birds", 404, "its parts are cats, dogs", id="unknown-part-names-those-that-are"),
        pytest.param("GET", "cats/tom/tail", 404, "There is no 'cats/tom/tail'", id="too-deep"),
        pytest.param("POST", "cats/tom", 405, "use DELETE, PUT", id="wrong-method-names-the-right-ones"),
    ],
)
def test_what_nobody_answers_is_refused_in_a_sentence(method: str, path: str, status: int, words: str) -> None:
    with pytest.raises(AdminError) as refused:
        _routes().find(method, tuple(path.split("/")))
    assert refused.value.status == status
    assert words in refused.value.message


def test_two_services_cannot_claim_one_route() -> None:
    with pytest.raises(ValueError, match="has a handler already"):
        _routes().add("PUT", "cats/{other}", lambda _: {})


@pytest.mark.parametrize(
    ("body", "read", "message"),
    [
        pytest.param({}, lambda f: f.required_text("name"), "'name' is missing.", id="missing"),
        pytest.param(
            {"name": 3}, lambda f: f.text("name"), "'name' must be a string that is not empty, not 3.", id="no-string"
        ),
        pytest.param(
            {"rate": 2}, lambda f: f.number("rate", minimum=0, maximum=1),
            "'rate' must be a number from 0 to 1, not 2.", id="out-of-bounds",
        ),
        pytest.param(
            {"rate": True}, lambda f: f.number("rate", minimum=0),
            "'rate' must be a number of at least 0, not True.", id="true-is-no-number",
        ),
        pytest.param(
            {"rate": float("nan")}, lambda f: f.number("rate"), "'rate' must be a number, not nan.", id="not-a-number"
        ),
        pytest.param(
            {"count": 1.5}, lambda f: f.integer("count", maximum=9),
            "'count' must be a whole number of at most 9, not 1.5.", id="half",
        ),
        pytest.param(
            {"colour": "green"}, lambda f: f.choice("colour", Colour),
            "'colour' must be one of red, darkBlue, not 'green'.", id="no-such-choice",
        ),
        pytest.param(
            {"match": {"method": []}}, lambda f: f.part("match").text("method"),
            "'match.method' must be a string that is not empty, not [].", id="inside-says-where",
        ),
        pytest.param(
            {"items": [{"code": 1}]}, lambda f: (f.parts("items") or [])[0].required_text("code"),
            "'items[0].code' must be a string that is not empty, not 1.", id="inside-a-list-says-where",
        ),
        pytest.param(
            {"nmae": "x"}, lambda f: (f.text("name"), f.end()),
            "'nmae' is no field; there are name.", id="misspelt-names-those-that-are",
        ),
    ],
)  # fmt: skip
def test_wrong_fields_are_told_in_one_sentence(
    body: dict[str, Any], read: Callable[[Fields], object], message: str
) -> None:
    with pytest.raises(AdminError) as refused:
        read(Fields(body))
    assert refused.value.message == message


def test_good_fields_are_read() -> None:
    fields = Fields({"colour": "DARKBLUE", "headers": {"a": "b"}, "on": False, "rate": 1, "note": None})
    assert fields.choice("colour", Colour) is Colour.DARK_BLUE
    assert fields.texts("headers") == {"a": "b"}
    assert fields.flag("on") is False
    assert fields.number("rate", minimum=0, maximum=1) == 1.0
    assert fields.text("note") is None
    fields.end()
