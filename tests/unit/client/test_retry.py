import pytest

from benchhost.client import ConflictError, Deadline, RefusedError, UnavailableError
from benchhost.client.retry import Backoff, attempt


class Script:
    """Raises these errors one after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "first_seconds", 0.001)


def test_trouble_that_passes_is_tried_again() -> None:
    script = Script(UnavailableError("1"), UnavailableError("2"))
    assert attempt(script, Deadline.after(5)) == "answer"
    assert script.calls == 3


@pytest.mark.parametrize("error", [RefusedError("no"), ConflictError("no")], ids=["refusal", "conflict"])
def test_a_no_is_a_no(error: Exception) -> None:
    script = Script(error)
    with pytest.raises(type(error)):
        attempt(script, Deadline.after(5))
    assert script.calls == 1


def test_the_last_error_is_raised_when_the_limit_passes() -> None:
    script = Script(*[UnavailableError(str(number)) for number in range(100_000)])
    with pytest.raises(UnavailableError):
        attempt(script, Deadline.after(0.05))
    assert script.calls > 1


def test_no_attempt_is_made_before_the_server_wants_one() -> None:
    script = Script(UnavailableError("busy", retry_after_seconds=60))
    with pytest.raises(UnavailableError):
        attempt(script, Deadline.after(5))
    assert script.calls == 1
