"""Reading an object as the API server gives it: what is refused, and what does not stand in the way of a deletion."""

from typing import Any

import pytest

from benchhost.api import BenchHost, DeletionPolicy, InvalidBenchHostError
from support.builders import NOW, host_dict

DELETING = {"deletionTimestamp": NOW.isoformat()}


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        pytest.param({"lifetime": "9999999999999h"}, "spec.lifetime", id="a-lifetime-of-more-than-all-years"),
        pytest.param({"lifetime": "99999999h"}, "spec.lifetime", id="a-lifetime-that-ends-after-the-last-year"),
        pytest.param({"timeouts": {"start": "1000000s"}}, "spec.timeouts.start", id="seven-digits"),
        pytest.param({"expiresAt": "9999-12-31T23:59:59-12:00"}, "spec.expiresAt", id="after-the-last-year-in-utc"),
        pytest.param({"restartAt": "0001-01-01T00:00:00+12:00"}, "spec.restartAt", id="before-the-first-year-in-utc"),
    ],
)
def test_a_time_that_cannot_be_reckoned_with_is_refused_by_name_and_holds_up_no_deletion(
    spec: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidBenchHostError, match=word):
        BenchHost.from_dict(host_dict(spec=spec))
    host = BenchHost.from_dict(host_dict(spec=spec, metadata=DELETING))
    assert host.is_deleting
    assert (host.spec.lifetime, host.spec.expires_at, host.spec.restart_at) == (None, None, None)


def test_the_longest_lifetime_is_a_moment() -> None:
    host = BenchHost.from_dict(host_dict(spec={"lifetime": "999999h999999m"}))
    assert host.spec.lifetime is not None


def test_what_is_not_at_fault_is_kept_in_a_deletion() -> None:
    spec = {"lifetime": "99999999h", "newerField": 1, "deletionPolicy": "Retain", "paused": True}
    host = BenchHost.from_dict(host_dict(spec=spec, metadata=DELETING))
    assert host.spec.deletion_policy is DeletionPolicy.RETAIN
    assert host.spec.paused


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(host_dict(spec={"deletionPolicy": "Keep"}, metadata=DELETING), id="the-policy"),
        pytest.param(host_dict(azure={"resourceGroup": ""}, metadata=DELETING), id="the-place"),
        pytest.param(host_dict(spec={"lifetime": "x", "adopt": "perhaps"}, metadata=DELETING), id="one-of-two"),
        pytest.param(host_dict(status={"history": "none"}, metadata=DELETING), id="the-status"),
        pytest.param(host_dict(metadata=DELETING) | {"spec": {}}, id="everything"),
    ],
)
def test_what_a_deletion_needs_is_not_guessed(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidBenchHostError):
        BenchHost.from_dict(body)
