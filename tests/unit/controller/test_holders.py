"""Until when a Lease is held, whatever its fields."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from benchhost.controller.holders import to_holder_state
from support.builders import NOW


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def micro_time(moment: datetime) -> str:
    """As the API server writes it."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("spec", "expires_at"),
    [
        pytest.param(
            {"holderIdentity": "me", "renewTime": micro_time(at(-10)), "leaseDurationSeconds": 60},
            at(50),
            id="renewed-lease-lasts-from-its-renewal",
        ),
        pytest.param(
            {
                "holderIdentity": "me",
                "acquireTime": micro_time(at(-99)),
                "renewTime": micro_time(at(-10)),
                "leaseDurationSeconds": 60,
            },
            at(50),
            id="renewal-counts-before-acquisition",
        ),
        pytest.param(
            {"holderIdentity": "me", "acquireTime": micro_time(at(-10)), "leaseDurationSeconds": 60},
            at(50),
            id="never-renewed-lease-lasts-from-its-acquisition",
        ),
        pytest.param(
            {"holderIdentity": "me", "renewTime": micro_time(at(-10))}, at(5), id="without-duration-it-lasts-15-s"
        ),
        pytest.param(
            {"holderIdentity": "me", "renewTime": micro_time(at(-100)), "leaseDurationSeconds": 60},
            at(-40),
            id="expired-lease-keeps-the-moment-of-its-expiry",
        ),
        pytest.param(
            {"holderIdentity": "me", "renewTime": micro_time(at(3600)), "leaseDurationSeconds": 60},
            at(60),
            id="holder-whose-clock-is-ahead-gains-nothing",
        ),
        pytest.param(
            {"holderIdentity": "", "renewTime": micro_time(at(0)), "leaseDurationSeconds": 60},
            None,
            id="lease-that-was-given-back-is-held-by-nobody",
        ),
        pytest.param({"renewTime": micro_time(at(0))}, None, id="lease-without-holder"),
        pytest.param({"holderIdentity": "me"}, None, id="lease-that-was-never-acquired"),
        pytest.param(None, None, id="lease-without-spec"),
    ],
)
def test_a_lease_is_held_until(spec: dict[str, Any] | None, expires_at: datetime | None) -> None:
    assert to_holder_state({"spec": spec}, seen_at=NOW).expires_at == expires_at
