"""The file with identities: what it gives, and one sentence for every mistake in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchhost.emulator.entra.directory import EXCHANGE_AUDIENCE, Role, RoleAssignment
from benchhost.emulator.entra.identities_file import IdentitiesFileError, read_identities

if TYPE_CHECKING:
    from pathlib import Path

GUID = "aaaaaaaa-0000-4000-8000-000000000001"


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_everything_in_it_is_read(tmp_path: Path) -> None:
    federated = {"issuer": "https://issuer", "subject": "one", "keys": "jwks.json"}
    roles = [{"role": "Reader"}, {"role": "Contributor", "resourceGroup": "rg"}]
    application = {"clientId": GUID, "secrets": ["s1", "s2"], "federated": [federated], "roles": roles}
    content = {"applications": [application], "managedIdentities": [{"clientId": GUID, "resourceId": "/id"}]}
    found = read_identities(write(tmp_path / "identities.json", content))
    (one,) = found.applications
    assert one.secrets == ("s1", "s2")
    assert one.roles == (RoleAssignment(Role.READER), RoleAssignment(Role.CONTRIBUTOR, "rg"))
    assert one.federated[0].keys == tmp_path / "jwks.json"
    assert one.federated[0].audience == EXCHANGE_AUDIENCE
    assert "s1" not in repr(found)
    (managed,) = found.managed_identities
    assert (managed.client_id, managed.resource_id, managed.roles) == (
        GUID,
        "/id",
        (RoleAssignment(Role.CONTRIBUTOR),),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("{", "is no JSON", id="no-json"),
        pytest.param([], "in the file, a JSON object is needed", id="no-object"),
        pytest.param({"apps": []}, "the field 'apps' is not known; there are applications", id="misspelt-field"),
        pytest.param({"applications": {}}, "applications has to be a list", id="no-list"),
        pytest.param({"applications": [{}]}, "in applications[0], clientId has to be a text", id="no-client-id"),
        pytest.param({"managedIdentities": [{"clientId": "me"}]}, "clientId has to be a GUID", id="no-guid"),
        pytest.param(
            {"applications": [{"clientId": GUID, "secrets": [1]}]}, "secrets has to be a list of texts", id="no-texts"
        ),
        pytest.param(
            {"applications": [{"clientId": GUID, "roles": [{"role": "King"}]}]},
            "in applications[0].roles[0], the role 'King' is none of Owner, Contributor, Reader",
            id="unknown-role",
        ),
        pytest.param(
            {"applications": [{"clientId": GUID, "certificates": ["nowhere.pem"]}]},
            "nowhere.pem is no readable PEM certificate",
            id="no-certificate",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, content: Any, words: str) -> None:
    path = write(tmp_path / "identities.json", content)
    with pytest.raises(IdentitiesFileError) as caught:
        read_identities(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(IdentitiesFileError, match="cannot be read: No such file"):
        read_identities(tmp_path / "nowhere.json")
