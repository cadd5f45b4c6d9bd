"""What is kept of a list from one round to the next."""

from datetime import UTC, datetime
from typing import Any

import pytest

from benchhost.azure import AzureCloudSettings, credentials_from_secret
from benchhost.azure.clients import AzureClients
from benchhost.azure.listing import Listing, Snapshot

NICS = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/networkinterfaces"


class Model:
    """What is made of an entry."""

    def __init__(self, item: Any) -> None:
        self.item = item


@pytest.fixture
def listing() -> Listing:
    values = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}
    clients = AzureClients(AzureCloudSettings(), credentials_from_secret(values))
    return Listing(clients, "https://arm.invalid/x", "list nothing", "eastus")


def test_an_entry_that_did_not_change_is_not_made_anew(listing: Listing) -> None:
    first = listing.build("a", {"tags": {"team": "db"}}, Model)
    assert listing.build("a", {"tags": {"team": "db"}}, Model) is first


def test_an_entry_that_has_changed_is_made_anew(listing: Listing) -> None:
    first = listing.build("a", {"tags": {"team": "db"}}, Model)
    second = listing.build("a", {"tags": {"team": "web"}}, Model)
    assert second is not first
    assert second.item == {"tags": {"team": "web"}}


def test_entries_that_look_alike_are_told_apart(listing: Listing) -> None:
    assert listing.build("a", {}, Model) is not listing.build("b", {}, Model)


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
