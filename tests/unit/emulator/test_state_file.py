"""State files that cannot be used, and who else can use them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.state import SavedState, StateFileError
from unit.emulator.driver import Cloud
from unit.emulator.kept_cloud import KeptCloud, busy_cloud

if TYPE_CHECKING:
    from pathlib import Path


def _run(path: Path, statement: str) -> None:
    file = sqlite3.connect(path)
    file.execute(statement)
    file.commit()
    file.close()


SPOILT = {
    "of-another-version": ("pragma user_version = 999", "has the format 999, and this emulator knows"),
    "with-a-class-that-is-not-known": (
        "update cells set value = replace(value, 'resources:Resource', 'resources:Thing')",
        "was written by another version of the emulator",
    ),
    "of-somebody-else": ("pragma application_id = 1", "but not the state of an emulator; name another file"),
}


@pytest.mark.parametrize("case", sorted(SPOILT))
def test_a_file_that_does_not_fit_is_one_sentence(case: str, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    cloud = busy_cloud(path)
    cloud.state.save()
    cloud.state.close()
    statement, words = SPOILT[case]
    _run(path, statement)
    with pytest.raises(StateFileError, match=words) as caught:
        KeptCloud(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_of_ours_is_left_alone(tmp_path: Path) -> None:
    people = tmp_path / "people.db"
    _run(people, "create table people (name text)")
    text = tmp_path / "notes.txt"
    text.write_text("hello" * 1000)
    for path, words in ((people, "not the state"), (text, "not the state"), (tmp_path, "cannot be opened")):
        with pytest.raises(StateFileError, match=words):
            SavedState(path)
    assert text.read_text() == "hello" * 1000


def test_two_do_not_share_a_file(tmp_path: Path) -> None:
    first = SavedState(tmp_path / "state.db")
    with pytest.raises(StateFileError, match="Another emulator runs with the state file"):
        SavedState(tmp_path / "state.db")
    first.close()
    SavedState(tmp_path / "state.db").close()


def test_the_file_is_its_owner_s_only(tmp_path: Path) -> None:
    state = SavedState(tmp_path / "state.db")
    state.attach({"subscription": Cloud().subscription})
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    state.close()
