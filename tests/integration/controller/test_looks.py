"""How often the controller looks at operations that are under way, by the cloud's access log."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from support.stack import Kubectl, running_emulator, running_stack

RECORDED = ("--latency", "recorded", "--time-scale", "0.1", "--seed", "7")
"""A creation takes about 4 s, and the cloud wants to be asked after 1 s and after 3.5 s more."""
INTERVAL = timedelta(seconds=2)


def looks_at_operations(access_log: Path) -> list[float]:
    """When each came, in seconds since 1970."""
    entries = map(json.loads, access_log.read_text().splitlines())
    return [entry["time"] for entry in entries if "/locations/eastus/operations/" in entry["path"]]


@pytest.mark.parametrize("hosts", [1, 5])
def test_few_operations_are_looked_at_more_often_than_the_interval_and_the_cloud_say(
    kubectl: Kubectl, tmp_path: Path, hosts: int
) -> None:
    log = tmp_path / "access.log"
    names = [f"pg-{number}" for number in range(hosts)]
    with (
        running_emulator(tmp_path / "cloud", *RECORDED, "--access-log", str(log)) as emulator,
        running_stack(kubectl, emulator, tmp_path, "--poll-interval", str(INTERVAL.total_seconds())) as stack,
    ):
        kubectl.apply(*map(stack.host, names))
        for name in names:
            kubectl.wait(f"benchhost/{name}", "condition=Ready", seconds=60)
        looks = looks_at_operations(log)
    assert len(looks) >= 4 * hosts
    assert max(later - earlier for earlier, later in pairwise(looks)) < INTERVAL.total_seconds()
