"""What happened lately is known, and what happened before takes no memory."""

import time
from datetime import timedelta

from benchhost.azure.lately import Lately


def test_what_has_happened_is_known_until_it_is_forgotten() -> None:
    lately = Lately(timedelta(hours=1))
    lately.note("a")
    assert lately.get("a") is not None
    assert lately.get("b") is None
    lately.forget(["a", "b"])
    assert lately.get("a") is None


def test_what_is_long_past_is_not_known_and_goes_with_the_next_thing_that_happens() -> None:
    lately = Lately(timedelta(milliseconds=1))
    for number in range(100):
        lately.note(f"{number}")
    time.sleep(0.002)
    assert lately.get("99") is None
    lately.note("new")
    assert len(lately) == 1
