"""``benchhost emulator faults`` and ``limits`` as a user runs them, against an emulator in another process."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from benchhost.emulator.connection_files import ADMIN_FILE
from integration.emulator.command import inside, run

if TYPE_CHECKING:
    from pathlib import Path


def test_the_admin_token_is_in_a_file_of_its_own_for_its_owner_only(folder: Path) -> None:
    path = folder / ADMIN_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = json.loads(path.read_text())["token"]
    others = [other for other in folder.iterdir() if other.suffix in {".json", ".env", ".pem"} and other != path]
    assert len(others) >= 3
    assert all(token not in other.read_text() for other in others)


def test_faults_are_added_listed_and_cleared(folder: Path) -> None:
    assert "No faults are set." in run(*inside(folder, "faults", "list")).stdout
    options = ("--method", "PUT", "--name", "vm-*", "--refuse", "429", "--header", "Retry-After=5", "--times", "3")
    added = run(*inside(folder, "faults", "add", *options, "-o", "json"))
    assert added.returncode == 0, added.stderr
    fault = json.loads(added.stdout)
    assert fault["match"] == {"method": "PUT", "name": "vm-*"}
    assert (fault["effect"]["headers"], fault["times"]) == ({"Retry-After": "5"}, 3)
    run(*inside(folder, "faults", "add", "--operation", "start*", "--fail-operation", "AllocationFailed"))
    table = run(*inside(folder, "faults", "list")).stdout
    assert "failOperation" in table
    assert "operation start*" in table
    assert run(*inside(folder, "faults", "clear", fault["id"])).stdout == "Removed 1 fault.\n"
    assert run(*inside(folder, "faults", "clear")).stdout == "Removed 1 fault.\n"
    assert run(*inside(folder, "faults", "clear")).stdout == "Removed 0 faults.\n"


def test_limits_are_shown_and_changed(folder: Path) -> None:
    shown = run(*inside(folder, "limits", "show"))
    assert shown.stdout.startswith("Limits are enforced.")
    assert "Microsoft.Compute/PutVMResource" in shown.stdout
    name = "Microsoft.Compute/PutVMSubscriptionMaximum"
    changed = json.loads(run(*inside(folder, "limits", "set", name, "--capacity", "10", "-o", "json")).stdout)
    assert {"name": name, "capacity": 10, "refill": 500, "periodSeconds": 60.0} in changed["limits"]
    assert run(*inside(folder, "limits", "mode", "counted")).stdout.startswith("Limits are counted.")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("faults", "add"), 2, "exactly one of --refuse", id="no-effect"),
        pytest.param(("faults", "add", "--cut", "--delay", "1"), 2, "exactly one of", id="two-effects"),
        pytest.param(("faults", "add", "--refuse", "500", "--header", "x"), 2, "no NAME=VALUE", id="bad-header"),
        pytest.param(("faults", "add", "--refuse", "200"), 1, "'effect.status' must be", id="refusal-of-the-emulator"),
        pytest.param(("faults", "clear", "f99"), 1, "There is no fault 'f99'.", id="no-such-fault"),
        pytest.param(("limits", "set", "cats", "--level", "1"), 1, "There is no limit 'cats'", id="no-such-limit"),
        pytest.param(("limits", "mode", "maybe"), 1, "one of enforced, counted, off", id="no-such-mode"),
    ],
)
def test_what_makes_no_sense_gives_one_sentence(
    folder: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run(*inside(folder, *arguments))
    assert result.returncode == code
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr


def test_without_an_emulator_the_sentence_says_how_to_start_one(tmp_path: Path) -> None:
    result = run(*inside(tmp_path, "faults", "list"))
    assert result.returncode == 1
    assert "benchhost emulator run" in result.stderr
    assert result.stderr.count("\n") == 1
