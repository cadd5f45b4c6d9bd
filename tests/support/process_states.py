"""What processes are doing, as the system tells it."""

import time
from collections.abc import Iterator
from pathlib import Path


def state_of(process: int) -> str | None:
    """The state of a process, None for one that is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_alive(process: int) -> bool:
    """Whether a process exists and has not ended."""
    return state_of(process) not in (None, "Z", "X")


def odd_moments(count: int) -> Iterator[int]:
    """So many moments that have nothing to do with anybody's turns, some 5 ms apart."""
    for number in range(count):
        yield number
        time.sleep(0.003 + number % 7 * 0.0007)  # sampling is the measurement: nothing is waited for
