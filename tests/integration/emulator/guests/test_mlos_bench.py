"""mlos_bench's own SSH services on a machine that was provisioned in the emulator."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mlos_bench.environments.status import Status
from mlos_bench.services.remote.ssh import SshFileShareService, SshHostService

if TYPE_CHECKING:
    from pathlib import Path

    from integration.emulator.guests.bench import Bench

SCRIPT = ["echo hello $WHO", "python3 -c 'print(sum(range(10)))' > result.txt", "echo warning >&2"]


async def settings(bench: Bench, folder: Path) -> dict[str, Any]:
    path = folder / "id"
    path.write_bytes(bench.key.export_private_key())
    return {
        "ssh_hostname": await bench.address(),
        "ssh_port": bench.port,
        "ssh_username": "tester",
        "ssh_priv_key_path": str(path),
    }


def in_context(service: Any, work: Any) -> Any:
    """Do something with a service, in a thread: it blocks."""
    with service:
        return work(service)


def execute(params: dict[str, Any], script: list[str], **variables: str) -> tuple[Status, Any]:
    def work(service: SshHostService) -> tuple[Status, Any]:
        _, started = service.remote_exec(script, dict(params), variables)
        return service.get_remote_exec_results(started)

    result: tuple[Status, Any] = in_context(SshHostService({}, {}), work)
    return result


async def test_a_script_runs_and_its_results_come_back(bench: Bench, tmp_path: Path) -> None:
    await bench.create()
    params = await settings(bench, tmp_path)
    status, output = await asyncio.to_thread(execute, params, SCRIPT, WHO="mlos_bench")
    assert status is Status.SUCCEEDED, output
    assert (output["stdout"], output["stderr"]) == ("hello mlos_bench\n", "warning\n")
    status, _ = await asyncio.to_thread(execute, params, ["exit 1"])
    assert status is Status.FAILED
    share = SshFileShareService({}, {})
    there = tmp_path / "result.txt"
    await asyncio.to_thread(in_context, share, lambda it: it.download(dict(params), "result.txt", str(there)))
    assert there.read_text() == "45\n"
    await asyncio.to_thread(in_context, share, lambda it: it.upload(dict(params), str(tmp_path / "id"), "folder"))
    assert (await bench.run("grep -c PRIVATE folder")).stdout == "2\n"


async def test_shutdown_and_reboot_are_the_guests_and_not_the_laptops(bench: Bench, tmp_path: Path) -> None:
    await bench.create()
    params = await settings(bench, tmp_path)

    def ask(name: str) -> Status:
        def work(service: SshHostService) -> Status:
            _, started = getattr(service, name)(dict(params))
            status, _ = service.wait_os_operation(started)
            return status

        result: Status = in_context(SshHostService({}, {}), work)
        return result

    assert await asyncio.to_thread(ask, "reboot") is Status.SUCCEEDED
    async with asyncio.timeout(60):
        while len(bench.machine().guest_events) < 2:  # noqa: ASYNC110 - nobody asks the emulator anything
            await asyncio.sleep(0.05)
    await bench.guests()  # an answer waits for the guest to be up again
    assert await asyncio.to_thread(ask, "shutdown") is Status.SUCCEEDED
    async with asyncio.timeout(60):
        while bench.machine().power != "stopped":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert await bench.refuses(await bench.address())
