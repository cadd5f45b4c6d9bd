"""What is found in the list of one round."""

from datetime import UTC, datetime

import pytest

from benchhost.azure.listing import Snapshot

NICS = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/networkinterfaces"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("pg-1-nic", ["pg-1-nic", "pg-1-nic-cff6ed40", "pg-1-nic-0a1b2c3d"], id="with-and-without-suffix"),
        pytest.param("pg-10-nic", ["pg-10-nic-cff6ed40"], id="of-a-longer-name"),
        pytest.param("pg-2-nic", [], id="another-ending-is-no-suffix"),
        pytest.param("pg-1-nic-cff6ed40", [], id="a-suffix-is-not-asked-for"),
    ],
)
def test_names_are_found_whatever_suffix_the_cloud_has_chosen(name: str, found: list[str]) -> None:
    names = ["pg-1-nic", "pg-1-nic-cff6ed40", "pg-1-nic-0a1b2c3d", "pg-10-nic-cff6ed40", "pg-2-nic-mine", "pg-2-nics"]
    now = datetime.now(UTC)
    snapshot = Snapshot(now, now, {f"{NICS}/{one}": {} for one in names})
    assert snapshot.without_suffix(f"{NICS}/{name}") == [f"{NICS}/{one}" for one in found]
