"""Values as a state file has them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from benchhost.emulator.cloud.errors import ArmError, ErrorDetail
from benchhost.emulator.cloud.operations import OperationStatus
from benchhost.emulator.state.encoding import decode, encode


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"a": [1, 2.5, None, True, "x"], "b": {}}, id="plain"),
        pytest.param((1, ("a",), []), id="tuples"),
        pytest.param({(1, "a"): {2: "b"}}, id="keys-that-are-no-text"),
        pytest.param({"$tuple": [1]}, id="a-key-that-looks-like-ours"),
        pytest.param({1, 2}, id="set"),
        pytest.param(b"\x00\xff", id="bytes"),
        pytest.param([OperationStatus.CANCELED], id="enum"),
        pytest.param(ArmError(409, "Conflict", "No.", details=(ErrorDetail("Inner", "Why."),)), id="error"),
        pytest.param(random.Random(1).getstate(), id="randomness"),  # noqa: S311 - of a test
    ],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    found = decode(json.loads(json.dumps(encode(value, "here"))))
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"$object": ["state.database:Database.open", {}]}, id="a-function"),
        pytest.param({"$object": ["state.encoding:importlib", {}]}, id="a-module"),
        pytest.param({"$object": ["server:Path", {}]}, id="a-class-of-others"),
        pytest.param({"$enum": ["cloud.operations:Operations", 1]}, id="a-service"),
        pytest.param({"$shell": "x"}, id="an-unknown-tag"),
    ],
)
def test_a_file_makes_nothing_but_values(content: Any) -> None:
    with pytest.raises(ValueError, match=r"no value of the emulator|means nothing"):
        decode(content)
