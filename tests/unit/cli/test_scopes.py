"""Where to look for orphans, as it is written on the command line."""

import pytest
import typer

from benchhost.cli.operator import to_scopes
from benchhost.cloud import Scope


def test_scopes_are_read_without_their_case() -> None:
    assert to_scopes(["Sub-1/Bench-RG", "sub-2/rg"]) == (Scope("sub-1", "bench-rg"), Scope("sub-2", "rg"))


@pytest.mark.parametrize("text", ["group", "a/b/c", "/group", "subscription/", ""])
def test_a_scope_of_another_form_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        to_scopes(["sub/rg", text])
    assert caught.value.exit_code == 2
    assert f"--sweep-scope {text} is no scope; write SUBSCRIPTION/GROUP." in capsys.readouterr().err
