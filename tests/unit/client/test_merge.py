from typing import Any

import pytest

from benchhost.client.merge import to_merge_patch


@pytest.mark.parametrize(
    ("current", "wanted", "patch"),
    [
        pytest.param({"a": 1}, {"a": 1}, {}, id="equal-objects-need-no-patch"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {}, id="what-is-not-mentioned-stays"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 2}, id="a-changed-value-is-sent"),
        pytest.param({}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="a-missing-object-is-sent-whole"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"c": 3}}, id="only-the-changed-branch-is-sent"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, {"a": [1]}, id="lists-are-replaced-whole"),
        pytest.param({"a": [{"b": 1, "x": 0}]}, {"a": [{"b": 1}]}, {}, id="defaults-inside-lists-are-no-difference"),
        pytest.param(
            {"a": [{"b": 1}]}, {"a": [{"b": 2}]}, {"a": [{"b": 2}]}, id="a-changed-list-item-replaces-the-list"
        ),
    ],
)
def test_merge_patch(current: dict[str, Any], wanted: dict[str, Any], patch: dict[str, Any]) -> None:
    assert to_merge_patch(current, wanted) == patch
