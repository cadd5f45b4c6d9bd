"""Remote commands as RemoteEnv begins and awaits them: an API server and an SSH server, both real."""

import logging
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mlos_bench.environments.status import Status
from mlos_bench.services.base_service import Service
from mlos_bench.services.types.fileshare_type import SupportsFileShareOps
from mlos_bench.services.types.remote_exec_type import SupportsRemoteExec

from benchhost.client import BenchHostClient, Deadline
from benchhost.mlos import BenchHostService
from benchhost.mlos.files import FileCopyError
from benchhost.mlos.ssh_library import asyncssh
from integration.mlos.conftest import MakeService, params
from integration.mlos.ssh_server import Guest, running_guest
from integration.mlos.standin_controller import StandInController
from integration.mlos.test_service import set_up
from support.stack import Kubectl

Result = tuple[Status, dict[str, Any]]


@dataclass
class KeyPair:
    file: Path
    public: str


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    private = asyncssh.generate_private_key("ssh-ed25519")
    file = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    private.write_private_key(file)
    return KeyPair(file, private.export_public_key().decode())


@pytest.fixture
def guest(key: KeyPair, controller: StandInController) -> Iterator[Guest]:
    """Every host is this one."""
    with running_guest(key.public) as running:
        controller.ssh_endpoint = running.endpoint
        yield running


@pytest.fixture
def service(make_service: MakeService, key: KeyPair, guest: Guest) -> Iterator[BenchHostService]:
    assert guest
    made = make_service(sshPrivateKeyFile=str(key.file), sshConnectTimeout=2)
    with made:
        set_up(made, params())
        yield made


def run(service: BenchHostService, *script: str, **env_params: Any) -> Result:
    """As RemoteEnv does."""
    config = {**params(), "commandName": "mlos-bench-run"}
    status, output = service.remote_exec(script, config, env_params)
    if status in {Status.PENDING, Status.SUCCEEDED}:
        status, output = service.get_remote_exec_results(output)
    return status, output


def test_output_is_text_and_variables_reach_the_script(service: BenchHostService) -> None:
    assert isinstance(service, SupportsRemoteExec)
    status, output = run(service, "echo $cache and", "echo more", "echo oops >&2", cache="12 MB")
    assert status is Status.SUCCEEDED
    assert (output["stdout"], output["stderr"], output["exitCode"]) == ("12 MB and\nmore\n", "oops\n", 0)
    assert output["startTimestamp"] <= output["endTimestamp"]


def test_a_failed_command_says_how(service: BenchHostService, caplog: pytest.LogCaptureFixture) -> None:
    status, output = run(service, "echo no such table >&2; exit 3")
    assert (status, output["exitCode"]) == (Status.FAILED, 3)
    assert "pg: mlos-bench-run ended with exit code 3: no such table" in caplog.text


def test_hosts_are_asked_to_publish_their_keys(service: BenchHostService, client: BenchHostClient) -> None:
    assert service
    found = client.get("pg")
    assert found is not None
    assert found.spec.readiness is not None
    assert found.spec.readiness.host_keys


def test_a_host_with_another_key_is_not_trusted(
    service: BenchHostService, guest: Guest, controller: StandInController, client: BenchHostClient,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    controller.ssh_endpoint = {**guest.endpoint, "hostKeys": [other]}
    client.patch("pg", {"spec": {"lifetime": "1h"}})
    wanted = lambda host: True if host and host.status.ssh_endpoint.host_keys == [other] else None  # noqa: E731
    client.wait_for("pg", wanted, deadline=Deadline.after(20))
    assert run(service, "echo hello") == (Status.FAILED, {})
    assert "shows another SSH host key than the one it published" in caplog.text


def test_a_host_without_published_keys_is_trusted_only_where_asked_for(
    make_service: MakeService, guest: Guest, controller: StandInController, key: KeyPair,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    controller.ssh_endpoint = {**guest.endpoint, "hostKeys": []}
    with make_service(sshPrivateKeyFile=str(key.file)) as careful:
        set_up(careful, params())
        assert run(careful, "echo hello") == (Status.FAILED, {})
    assert "has published no SSH host keys" in caplog.text
    with make_service(sshPrivateKeyFile=str(key.file), sshHostKeys="AcceptAny") as trusting:
        assert run(trusting, "echo hello")[1]["stdout"] == "hello\n"


def test_a_wrong_key_is_one_sentence(
    make_service: MakeService, guest: Guest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert guest
    wrong = tmp_path / "wrong"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(wrong)
    with make_service(sshPrivateKeyFile=str(wrong)) as service:
        set_up(service, params())
        assert run(service, "echo hello") == (Status.FAILED, {})
    assert "does not let 'bench' in" in caplog.text


@pytest.mark.parametrize("content", [None, "no key at all"], ids=["missing-file", "not-a-key"])
def test_a_key_that_cannot_be_used_is_named_and_not_shown(
    make_service: MakeService, guest: Guest, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    assert guest
    file = tmp_path / "id"
    if content is not None:
        file.write_text(content)
    with make_service(sshPrivateKeyFile=str(file)) as service:
        set_up(service, params())
        assert run(service, "true") == (Status.FAILED, {})
    assert "sshPrivateKeyFile" in caplog.text
    assert "no key at all" not in caplog.text


def test_the_key_can_lie_in_a_secret(
    make_service: MakeService, guest: Guest, kubectl: Kubectl, key: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    assert guest
    caplog.set_level(logging.DEBUG)
    kubectl.run("create", "secret", "generic", "bench-ssh", f"--from-file=id={key.file}")
    with make_service(sshPrivateKeySecret="bench-ssh/id") as service:
        set_up(service, params())
        assert run(service, "echo hello")[1]["stdout"] == "hello\n"
    assert key.file.read_text().splitlines()[1] not in caplog.text
    with make_service(sshPrivateKeySecret="bench-ssh/other") as service:
        assert run(service, "echo hello") == (Status.FAILED, {})
    assert "has no key 'other' (it has: id)" in caplog.text


def test_a_host_that_does_not_answer_fails_the_command_in_time(
    service: BenchHostService, guest: Guest, caplog: pytest.LogCaptureFixture
) -> None:
    guest.vanish()
    assert run(service, "echo hello") == (Status.FAILED, {})
    assert "cannot be reached over SSH" in caplog.text
    assert "Ready is True" in caplog.text


def test_a_host_that_vanishes_while_it_works_fails_the_command(
    service: BenchHostService, guest: Guest, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    timer = threading.Thread(target=lambda: (wait_for(begun), guest.vanish()))
    timer.start()
    assert run(service, f"touch {begun}; sleep 60")[0] is Status.FAILED
    timer.join()
    assert "cannot be reached over SSH" in caplog.text


def test_a_host_that_was_lost_is_looked_at_again_before_the_next_trial(
    service: BenchHostService, guest: Guest, client: BenchHostClient
) -> None:
    guest.vanish()
    assert run(service, "echo hello") == (Status.FAILED, {})
    for trial in (2, 3):
        assert set_up(service, params(trial=trial))[0] is Status.SUCCEEDED
    found = client.get("pg")
    assert found is not None
    assert found.spec.observe_at is not None
    assert found.status.last_observe_time == found.spec.observe_at
    assert found.metadata.generation == 2


def test_a_command_that_does_not_end_is_cut_off(
    make_service: MakeService, guest: Guest, key: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    assert guest
    with make_service(sshPrivateKeyFile=str(key.file), sshCommandTimeout=2) as service:
        set_up(service, params())
        assert run(service, "echo begun; sleep 120") == (Status.TIMED_OUT, {})
        assert run(service, "echo hello")[1]["stdout"] == "hello\n"
    assert "pg: mlos-bench-run did not end in time (sshCommandTimeout)" in caplog.text


def test_a_connection_that_is_lost_between_two_commands_is_made_anew(service: BenchHostService, guest: Guest) -> None:
    assert run(service, "echo 1")[0] is Status.SUCCEEDED
    guest.cut()
    assert run(service, "echo 2")[1]["stdout"] == "2\n"


def test_without_a_host_nothing_is_raised(service: BenchHostService, caplog: pytest.LogCaptureFixture) -> None:
    status, output = service.remote_exec(["true"], params(name="absent"), {})
    assert (status, output) == (Status.FAILED, {})
    assert "absent does not exist" in caplog.text
    assert service.get_remote_exec_results({}) == (Status.FAILED, {})


def test_files_go_to_the_host_and_back_where_that_is_asked_for(
    make_service: MakeService, guest: Guest, key: KeyPair, tmp_path: Path
) -> None:
    assert not isinstance(mixed(make_service()), SupportsFileShareOps)
    (tmp_path / "script").write_text("echo hello")
    with make_service(sshPrivateKeyFile=str(key.file), sshConnectTimeout=2, fileShare=True) as service:
        assert isinstance(mixed(service), SupportsFileShareOps)
        set_up(service, params())
        service.upload(params(), str(tmp_path / "script"), str(tmp_path / "there"))
        service.download(params(), str(tmp_path / "there"), str(tmp_path / "back"))
        assert (tmp_path / "back").read_text() == "echo hello"
        with pytest.raises(FileNotFoundError, match="no such file to download"):
            service.download(params(), str(tmp_path / "absent"), str(tmp_path / "back"))
        with pytest.raises(FileNotFoundError, match="no such file to upload"):
            service.upload(params(), str(tmp_path / "absent"), str(tmp_path / "there"))
        with pytest.raises(FileCopyError, match="pg2 does not exist"):
            service.upload(params(name="pg2"), str(tmp_path / "script"), "there")
        guest.vanish()
        with pytest.raises(FileCopyError, match=r"cannot be reached over SSH.*Ready is True"):
            service.upload(params(), str(tmp_path / "script"), str(tmp_path / "there"))


def test_folders_are_made_and_their_contents_copied_as_on_a_file_share(
    make_service: MakeService, guest: Guest, key: KeyPair, tmp_path: Path
) -> None:
    assert guest
    source, there, back = tmp_path / "scripts", tmp_path / "exp" / "1" / "scripts", tmp_path / "out" / "back"
    (source / "lib").mkdir(parents=True)
    (source / "run.sh").write_text("echo hello")
    (source / "run.sh").chmod(0o755)
    (source / "lib" / "more.sh").write_text("echo more")
    with make_service(sshPrivateKeyFile=str(key.file), fileShare=True) as service:
        set_up(service, params())
        for _ in range(2):
            service.upload(params(), f"{source}/", str(there))
            assert sorted(path.name for path in there.iterdir()) == ["lib", "run.sh"]
            service.download(params(), str(there), str(back))
            assert sorted(path.name for path in back.iterdir()) == ["lib", "run.sh"]
        assert (there / "run.sh").stat().st_mode & 0o100
        service.upload(params(), str(source), str(tmp_path / "flat"), recursive=False)
        assert [path.name for path in (tmp_path / "flat").iterdir()] == ["run.sh"]
        service.upload(params(), str(source / "run.sh"), str(tmp_path / "a" / "b" / "run.sh"))
        service.download(params(), str(tmp_path / "a"), str(tmp_path / "c"), recursive=False)
        assert list((tmp_path / "c").iterdir()) == []


def mixed(service: BenchHostService) -> Service:
    """What environments see of it."""
    mixin = Service(parent=Service())
    mixin.register(service.export())
    return mixin


def test_a_service_that_has_run_commands_can_be_copied_outside_a_context(
    make_service: MakeService, guest: Guest, key: KeyPair
) -> None:
    assert guest
    service = make_service(sshPrivateKeyFile=str(key.file))
    for _ in range(2):
        with service:
            set_up(service, params())
            assert run(service, "echo hello")[0] is Status.SUCCEEDED
    with pickle.loads(pickle.dumps(service)) as copy:  # noqa: S301 - our own
        assert run(copy, "echo hello")[1]["stdout"] == "hello\n"


def wait_for(file: Path) -> None:
    end = time.monotonic() + 30
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
