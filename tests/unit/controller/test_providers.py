"""Which provider a host gets, and when one is closed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from benchhost.api import BenchHost
from benchhost.api.conditions import Reason
from benchhost.api.model import to_timestamp
from benchhost.api.status import FailureClass
from benchhost.cloud import CredentialsError
from benchhost.cloud.fake import FakeCloud
from benchhost.cloud.fake_clock import SettableClock
from benchhost.controller.credential_watch import CredentialWatch, look_within, try_now
from benchhost.controller.hosts import Hosts
from benchhost.controller.providers import Providers
from support.builders import NOW, host_dict


class Secrets(Hosts):
    """The Secrets of a cluster, without one."""

    def __init__(self) -> None:
        self.data: dict[tuple[str, str], dict[str, bytes]] = {}

    async def read_secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        return self.data.get((namespace, name))


class Cloud(FakeCloud):
    """A provider that remembers whether it was closed, and what it was made of."""

    def __init__(self, values: Mapping[str, str], may_use_own: bool) -> None:
        super().__init__(SettableClock())
        self.values, self.may_use_own, self.closed = values, may_use_own, False

    async def close(self) -> None:
        assert not self.closed
        self.closed = True


@dataclass
class Bench:
    secrets: Secrets = field(default_factory=Secrets)
    made: list[Cloud] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.providers = Providers(
            self.secrets, self.make, own=lambda: self.make({"own": "yes"}, True), own_namespaces=("trusted",)
        )

    def make(self, values: Mapping[str, str], may_use_own: bool) -> Cloud:
        if "bad" in values:
            raise CredentialsError("bad")
        self.made.append(Cloud(values, may_use_own))
        return self.made[-1]

    def put(self, namespace: str = "bench", **data: bytes) -> None:
        self.secrets.data[namespace, "creds"] = data

    @property
    def open(self) -> int:
        return sum(not cloud.closed for cloud in self.made)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def host(name: str = "pg-1", namespace: str = "bench", *, ref: bool = True, reason: Reason | None = None) -> BenchHost:
    failure = {
        "reason": reason,
        "message": "refused",
        "class": FailureClass.ADMIN,
        "since": to_timestamp(NOW),
        "nextAttemptAt": to_timestamp(NOW + timedelta(minutes=15)),
        "generation": 1,
    }
    return BenchHost.from_dict(
        host_dict(
            metadata={"name": name, "namespace": namespace},
            spec={"credentialsRef": {"name": "creds"}} if ref else None,
            status={"failure": failure} if reason else None,
        )
    )


async def test_hosts_with_equal_secrets_share_a_provider_until_the_last_one_leaves_it(bench: Bench) -> None:
    bench.put(key=b"old")
    one, two = [await bench.providers.get(host(name)) for name in ("pg-1", "pg-2")]
    assert one is two
    bench.put(key=b"new")
    new = await bench.providers.get(host("pg-1"))
    assert (new is one, bench.open) == (False, 2)
    assert await bench.providers.get(host("pg-2")) is new
    assert (bench.made[0].closed, bench.open) == (True, 1)


async def test_a_provider_is_closed_when_its_last_host_is_gone(bench: Bench) -> None:
    bench.put(key=b"value")
    for name in ("pg-1", "pg-2"):
        await bench.providers.get(host(name))
    await bench.providers.release(host("pg-1").key)
    assert bench.open == 1
    await bench.providers.release(host("pg-2").key)
    await bench.providers.release(host("pg-2").key)
    assert bench.open == 0
    assert (await bench.providers.get(host("pg-1"))) is bench.made[1]


async def test_a_namespace_never_gets_the_provider_of_one_with_more_rights(bench: Bench) -> None:
    for namespace in ("trusted", "bench"):
        bench.put(namespace, key=b"value")
        await bench.providers.get(host(namespace=namespace))
    assert [cloud.may_use_own for cloud in bench.made] == [True, False]


async def test_the_controller_s_own_credentials_are_for_trusted_namespaces(bench: Bench) -> None:
    await bench.providers.get(host(namespace="trusted", ref=False))
    assert bench.made[0].values == {"own": "yes"}
    with pytest.raises(CredentialsError, match="may not use the controller's own"):
        await bench.providers.get(host(namespace="bench", ref=False))


async def test_a_value_that_is_no_text_arrives_whole(bench: Bench) -> None:
    bench.put(pfx=b"\x30\xff\n")
    await bench.providers.get(host())
    assert bench.made[0].values["pfx"].encode(errors="surrogateescape") == b"\x30\xff\n"


@pytest.mark.parametrize("reason", [Reason.CREDENTIALS_REJECTED, Reason.AUTHORIZATION_FAILED])
@pytest.mark.parametrize("secret", [b"refused", None], ids=["accepted-in-form", "wrong-in-form"])
async def test_a_host_with_refused_credentials_is_mended_by_another_secret_only(
    bench: Bench, reason: Reason, secret: bytes | None
) -> None:
    watch = CredentialWatch(bench.providers)
    bench.put(**({"key": secret} if secret else {"bad": b"x"}))
    refused = host(reason=reason)
    try:
        await bench.providers.get(refused)
    except CredentialsError:
        assert secret is None
    watch.note(refused)
    assert not await watch.is_mended(refused)
    bench.put(key=b"other")
    assert await watch.is_mended(refused)
    await bench.providers.get(refused)
    # The pass may have been cut off before its end: what was refused is still what was refused.
    assert await watch.is_mended(refused)
    watch.note(refused)
    assert not await watch.is_mended(refused)
    del bench.secrets.data["bench", "creds"]
    assert not await watch.is_mended(refused)


async def test_after_a_restart_credentials_are_tried_once(bench: Bench) -> None:
    bench.put(key=b"value")
    assert await CredentialWatch(bench.providers).is_mended(host(reason=Reason.CREDENTIALS_REJECTED))


@pytest.mark.parametrize(
    ("reason", "ref", "seconds"),
    [
        pytest.param(Reason.CREDENTIALS_REJECTED, True, 30, id="refused"),
        pytest.param(Reason.CREDENTIALS_REJECTED, False, 900, id="no-secret-to-look-at"),
        pytest.param(Reason.QUOTA_EXCEEDED, True, 900, id="nothing-to-do-with-it"),
        pytest.param(None, True, 900, id="no-failure"),
    ],
)
async def test_only_a_secret_that_can_mend_something_is_looked_at(
    bench: Bench, reason: Reason | None, ref: bool, seconds: int
) -> None:
    waiting = host(reason=reason, ref=ref)
    assert look_within(waiting, timedelta(minutes=15)) == timedelta(seconds=seconds)
    assert look_within(waiting, timedelta(seconds=2)) == timedelta(seconds=2)
    bench.put(key=b"value")
    assert await CredentialWatch(bench.providers).is_mended(waiting) == (seconds == 30)


def test_a_host_that_is_tried_now_keeps_its_count() -> None:
    tried = try_now(host(reason=Reason.CREDENTIALS_REJECTED), NOW).status.failure
    assert tried is not None
    assert (tried.next_attempt_at, tried.count, tried.message) == (NOW, 1, "refused")
