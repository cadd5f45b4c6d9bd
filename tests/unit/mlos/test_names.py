from typing import Any

import pytest

from benchhost.mlos.names import ServiceConfigError, expand, get_default_owner, to_host_name, to_owner


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("pg-1", "pg-1", id="a-good-name-stays"),
        pytest.param("My_Exp.1", "my-exp-1", id="other-characters-become-hyphens"),
        pytest.param("--a--b--", "a-b", id="hyphens-at-the-ends-go"),
    ],
)
def test_host_names(text: str, name: str) -> None:
    assert to_host_name(text) == name


def test_long_names_are_cut_and_stay_different() -> None:
    first, second = to_host_name("x" * 80 + "1"), to_host_name("x" * 80 + "2")
    assert len(first) == len(second) == 63
    assert first != second


@pytest.mark.parametrize(
    ("text", "words"),
    [("bh-$trial_runner_id", "trial_runner_id"), ("a${b}", "b"), ("---", "no letter"), ("", "no letter")],
    ids=["variable", "variable-in-braces", "hyphens-only", "empty"],
)
def test_bad_host_names_are_refused(text: str, words: str) -> None:
    with pytest.raises(ServiceConfigError, match=words):
        to_host_name(text)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        pytest.param("a-$n", "a-5", id="inside-text"),
        pytest.param("$n", 5, id="alone-it-keeps-its-type"),
        pytest.param("${keys}", ["k"], id="lists-too"),
        pytest.param("$unknown", "$unknown", id="unknown-stays"),
        pytest.param({"a": ["$n", 1.5, None]}, {"a": [5, 1.5, None]}, id="nested"),
    ],
)
def test_expand(value: Any, result: Any) -> None:
    assert expand(value, {"n": 5, "keys": ["k"]}) == result


def test_owner_is_a_label_value() -> None:
    assert to_owner("Jörg @ lab/1") == "J-rg-lab-1"
    assert to_owner("///") == "unknown"
    assert get_default_owner("exp 1").endswith("-exp-1")
