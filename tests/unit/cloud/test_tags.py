"""Tags of the spec beside those of a resource: names are the same whatever their case."""

import pytest

from benchhost.cloud.tags import merge_tags, missing_tags, to_user_tags


@pytest.mark.parametrize(
    ("tags", "sent"),
    [
        pytest.param({"team": "db"}, {"team": "db"}, id="as-written"),
        pytest.param({"Env": "a", "env": "b"}, {"Env": "b"}, id="one-of-two-that-differ-in-case"),
        pytest.param({"BenchHost-UID": "mine", "a": "b"}, {"a": "b"}, id="not-the-owners"),
    ],
)
def test_what_the_spec_gives_to_a_resource(tags: dict[str, str], sent: dict[str, str]) -> None:
    assert to_user_tags(tags) == sent


@pytest.mark.parametrize(
    ("added", "merged"),
    [
        pytest.param({"a": "1"}, {"Env": "x", "cost": "7", "a": "1"}, id="another-name-is-added"),
        pytest.param({"env": "y"}, {"Env": "y", "cost": "7"}, id="a-name-in-another-case-stays-as-it-is-written"),
        pytest.param({}, {"Env": "x", "cost": "7"}, id="tags-of-others-stay"),
    ],
)
def test_tags_that_are_added(added: dict[str, str], merged: dict[str, str]) -> None:
    assert merge_tags({"Env": "x", "cost": "7"}, added) == merged


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        pytest.param({"env": "x"}, {}, id="there-in-another-case"),
        pytest.param({"env": "X"}, {"env": "X"}, id="values-have-a-case"),
        pytest.param({"a": "1"}, {"a": "1"}, id="not-there"),
    ],
)
def test_tags_that_a_resource_lacks(wanted: dict[str, str], missing: dict[str, str]) -> None:
    assert missing_tags({"Env": "x"}, wanted) == missing
