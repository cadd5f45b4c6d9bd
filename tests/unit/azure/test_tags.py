import pytest

from benchhost.azure.tags import is_shared_by, owner_tags, read_owner, shared_tags, without_owner
from benchhost.cloud import Owner
from support.builders import OWNER


def test_an_owner_is_read_back_as_it_was_written() -> None:
    assert read_owner({"team": "db", **owner_tags(OWNER)}) == OWNER


def test_tag_names_are_read_whatever_their_case() -> None:
    assert read_owner({name.upper(): value for name, value in owner_tags(OWNER).items()}) == OWNER


def test_a_shared_network_belongs_to_the_cluster_and_to_no_host() -> None:
    seen = read_owner(shared_tags(OWNER))
    assert seen == Owner(cluster=OWNER.cluster, namespace="", name="", uid="")
    assert is_shared_by(OWNER, seen)
    assert not is_shared_by(Owner("cluster-2", "bench", "pg-1", "u"), seen)


@pytest.mark.parametrize("tags", [None, {}, {"team": "db"}], ids=["no-tags", "empty", "somebody-elses-tags"])
def test_without_our_tags_there_is_no_owner(tags: dict[str, str] | None) -> None:
    assert read_owner(tags) is None


def test_one_hosts_machine_is_not_shared() -> None:
    assert not is_shared_by(OWNER, OWNER)
    assert not is_shared_by(OWNER, None)


def test_releasing_keeps_the_users_tags_and_nothing_else() -> None:
    assert without_owner({"team": "db", **owner_tags(OWNER), **shared_tags(OWNER)}) == {"team": "db"}
