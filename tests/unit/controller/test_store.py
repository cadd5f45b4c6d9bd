"""The store keeps the newest of what it is shown."""

from typing import Any

from benchhost.controller.store import HostStore


def body(version: int, uid: str = "u1") -> dict[str, Any]:
    return {"metadata": {"namespace": "ns", "name": "a", "uid": uid, "resourceVersion": str(version)}}


def test_our_own_write_is_not_undone_by_an_older_event() -> None:
    store = HostStore()
    assert store.put(body(9))
    assert store.put(body(10))
    assert not store.put(body(9))
    assert not store.put(body(10))
    assert store.get(("ns", "a")) == body(10)


def test_the_end_of_an_object_does_not_remove_the_next_one_of_its_name() -> None:
    store = HostStore()
    store.put(body(5, uid="old"))
    store.put(body(9, uid="new"))
    assert not store.remove(body(8, uid="old"))
    assert store.get(("ns", "a")) == body(9, uid="new")
    assert store.remove(body(12, uid="new"))
    assert len(store) == 0
