"""Watching and waiting through everything that a real API server and a bad network do."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from benchhost.api import BenchHost
from benchhost.client import BenchHostClient, Deadline, EventType, WaitTimeoutError
from benchhost.local import ControlPlane
from integration.client.tcp_proxy import TcpProxy
from support.builders import azure_spec

MANIFEST = {"metadata": {"name": "pg"}, "spec": {"azure": azure_spec()}}


def is_paused(host: BenchHost | None) -> bool | None:
    return True if host is not None and host.spec.paused else None


@contextmanager
def waiting(wait: Callable[[], object]) -> Iterator[list[object]]:
    """Run a wait in a thread; joins it at the end and gives what it returned or raised."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(wait())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield results
    thread.join(timeout=60)
    assert not thread.is_alive(), "the wait hangs"


def until(condition: Callable[[], bool]) -> None:
    deadline = Deadline.after(20)
    while not condition():
        assert not deadline.is_over, "it never happened"
        time.sleep(0.01)


def test_nothing_between_create_and_watch_is_missed(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    client.patch("pg", {"spec": {"paused": True}})
    client.delete("pg")
    types = []
    for event in client.watch(
        name="pg", resource_version=created.metadata.resource_version, known=[created], deadline=Deadline.after(10)
    ):
        types.append(event.type)
        if event.type is EventType.DELETED:
            break
    assert types == [EventType.MODIFIED, EventType.DELETED]


def test_a_watch_without_a_start_tells_of_what_is_there(client: BenchHostClient) -> None:
    client.create(MANIFEST)
    event = next(iter(client.watch(deadline=Deadline.after(10))))
    assert (event.type, event.host.metadata.name) == (EventType.ADDED, "pg")


def test_a_watch_ends_at_its_deadline(client: BenchHostClient) -> None:
    deadline = Deadline.after(1.2)
    assert list(client.watch(deadline=deadline)) == []
    assert time.monotonic() - deadline.at < 1


def test_a_wait_that_nobody_fulfils_times_out_with_the_last_object(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    with pytest.raises(WaitTimeoutError) as caught:
        client.wait_for("pg", is_paused, deadline=Deadline.after(1), start=created)
    assert caught.value.last == created


def test_an_expired_version_is_listed_again(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    client.patch("pg", {"spec": {"paused": True}})
    old = created.model_copy(update={"metadata": created.metadata.model_copy(update={"resource_version": "1"})})
    assert client.wait_for("pg", is_paused, deadline=Deadline.after(10), start=old)


def test_a_deletion_during_an_outage_is_told_of(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    client.delete("pg")
    old = created.model_copy(update={"metadata": created.metadata.model_copy(update={"resource_version": "1"})})
    gone = client.wait_for("pg", lambda host: True if host is None else None, deadline=Deadline.after(10), start=old)
    assert gone


def test_an_object_created_anew_is_first_told_of_as_gone(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    client.delete("pg")
    client.create(MANIFEST)
    seen: list[str | None] = []

    def look(host: BenchHost | None) -> bool | None:
        seen.append(host.metadata.uid if host else None)
        return True if host is not None and host.metadata.uid != created.metadata.uid else None

    client.wait_for("pg", look, deadline=Deadline.after(10), start=created)
    assert seen[:2] == [created.metadata.uid, None]


def test_a_cut_connection_is_opened_again(
    far_client: BenchHostClient, client: BenchHostClient, proxy: TcpProxy
) -> None:
    created = client.create(MANIFEST)
    with waiting(lambda: far_client.wait_for("pg", is_paused, deadline=Deadline.after(30), start=created)) as results:
        until(lambda: proxy.connections > 0)
        proxy.cut()
        client.patch("pg", {"spec": {"paused": True}})
    assert results == [True]


def test_a_connection_that_died_silently_is_noticed(
    far_client: BenchHostClient, client: BenchHostClient, proxy: TcpProxy
) -> None:
    created = client.create(MANIFEST)
    with waiting(lambda: far_client.wait_for("pg", is_paused, deadline=Deadline.after(30), start=created)) as results:
        until(lambda: proxy.connections > 0)
        proxy.freeze()
        client.patch("pg", {"spec": {"paused": True}})
        before = proxy.connections
        until(lambda: proxy.connections > before)
        proxy.thaw()
    assert results == [True]


def test_a_restart_of_the_api_server_is_survived(client: BenchHostClient, control_plane: ControlPlane) -> None:
    created = client.create(MANIFEST)
    with waiting(lambda: client.wait_for("pg", is_paused, deadline=Deadline.after(60), start=created)) as results:
        control_plane.restart_api_server()
        client.patch("pg", {"spec": {"paused": True}})
    assert results == [True]


def test_a_call_during_a_restart_of_the_api_server_succeeds(
    client: BenchHostClient, control_plane: ControlPlane
) -> None:
    with waiting(control_plane.restart_api_server):
        assert client.ensure("pg", lambda _: MANIFEST, deadline=Deadline.after(60)).metadata.uid


def test_other_objects_do_not_disturb_a_wait(client: BenchHostClient) -> None:
    created = client.create(MANIFEST)
    client.create({**MANIFEST, "metadata": {"name": "other"}})
    client.patch("other", {"spec": {"paused": True}})
    with pytest.raises(WaitTimeoutError):
        client.wait_for("pg", is_paused, deadline=Deadline.after(1), start=created)
