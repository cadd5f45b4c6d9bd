"""Logging in to a machine of the emulator, and what its commands find."""

from __future__ import annotations

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.emulator.guests.bench import asyncssh, until
from support.process_states import is_alive

if TYPE_CHECKING:
    from integration.emulator.guests.bench import Bench


async def test_a_running_machine_answers_on_its_public_address(bench: Bench) -> None:
    await bench.create()
    result = await bench.run("echo $USER in $PWD; echo oops >&2; exit 3")
    assert result.exit_status == 3
    assert result.stdout.startswith(f"tester in {bench.directory / 'guests'}/")
    assert result.stderr == "oops\n"


async def test_only_the_machines_user_with_its_keys_gets_in(bench: Bench) -> None:
    await bench.create()
    address, other = await bench.address(), asyncssh.generate_private_key("ssh-ed25519")
    for options in ({"client_keys": [other]}, {"username": "root"}, {"client_keys": [], "password": "secret"}):
        with pytest.raises(asyncssh.PermissionDenied):
            async with bench.ssh(address, **options):
                pass


async def test_commands_find_an_environment_of_their_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the emulator")
    await bench.create()
    result = await bench.run("env; which python3", env={"LC_TIME": "C", "SECRET": "no"})
    variables = dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)
    root = bench.directory / "guests"
    assert all(Path(variables[name]).is_relative_to(root) for name in ("HOME", "PWD", "TMPDIR"))
    assert (variables["USER"], variables["LOGNAME"], variables["LC_TIME"]) == ("tester", "tester", "C")
    assert not {"AZURE_CLIENT_SECRET", "SECRET"} & variables.keys()
    assert result.stdout.splitlines()[-1] == str(Path(sys.executable).with_name("python3"))


async def test_input_reaches_a_command_and_much_output_comes_back(bench: Bench) -> None:
    await bench.create()
    text = "line\n" * 200_000
    result = await bench.run("cat; echo end >&2", input=text)
    assert (result.stdout, result.stderr) == (text, "end\n")


async def test_a_command_that_reads_nothing_does_not_mind_input(bench: Bench) -> None:
    await bench.create()
    result = await bench.run("exit 4", input="x" * 2_000_000)
    assert result.exit_status == 4


async def test_a_signal_ends_a_command_and_its_name_is_told(bench: Bench) -> None:
    await bench.create()
    async with bench.ssh(await bench.address()) as connection:
        process = await connection.create_process("echo ready; exec sleep 1000")
        assert await process.stdout.readline() == "ready\n"
        process.send_signal("TERM")
        result = await process.wait()
    assert result.exit_signal[0] == "TERM"


async def test_closing_a_session_kills_its_command_and_spares_what_left_it(bench: Bench) -> None:
    await bench.create()
    async with bench.ssh(await bench.address()) as connection:
        await connection.run("setsid sh -c 'echo $$ > left; exec sleep 1000' </dev/null >/dev/null 2>&1 &")
        process = await connection.create_process("trap '' HUP; echo $$; while :; do sleep 0.05; done")
        stubborn = int(await process.stdout.readline())
        process.close()
        await until(lambda: not is_alive(stubborn))
        left = int((await connection.run("until test -s left; do sleep 0.01; done; cat left")).stdout)
        assert is_alive(left)
    await bench.act("power_off")
    assert not is_alive(left)


async def test_files_travel_by_sftp_and_both_kinds_of_scp(bench: Bench, tmp_path: Path) -> None:
    await bench.create()
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "inner").mkdir(parents=True)
    (there / "inner" / "file.txt").write_text("content")
    async with bench.ssh(await bench.address()) as connection:
        await asyncssh.scp(there, (connection, "copied"), recurse=True, preserve=True)
        assert (await connection.run("cat copied/inner/file.txt")).stdout == "content"
        await asyncssh.scp((connection, "copied"), back, recurse=True, preserve=True)
        async with connection.start_sftp_client() as sftp:
            assert Path(await sftp.realpath(".")).name == "tester"
            assert set(await sftp.listdir("copied")) == {".", "..", "inner"}
            await sftp.put(there / "inner" / "file.txt", "by-sftp")
        with pytest.raises(asyncssh.SFTPError):
            await asyncssh.scp((connection, "missing"), tmp_path)
        assert (await connection.run("cat by-sftp")).stdout == "content"
    assert (back / "inner" / "file.txt").read_text() == "content"


async def test_a_terminal_is_one_and_has_the_size_of_the_clients(bench: Bench) -> None:
    await bench.create()
    async with bench.ssh(await bench.address()) as connection:
        process = await connection.create_process(term_type="xterm", term_size=(80, 24))
        process.stdin.write("tty && stty size; exit 7\n")
        result = await process.wait()
    assert "/dev/pts/" in result.stdout
    assert "24 80" in result.stdout
    assert result.exit_status == 7


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs the OpenSSH client")
async def test_the_openssh_client_logs_in(bench: Bench, tmp_path: Path) -> None:
    await bench.create()
    key, address = tmp_path / "key", await bench.address()
    key.write_bytes(bench.key.export_private_key())
    key.chmod(0o600)
    known = tmp_path / "known_hosts"
    options = ("-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}")
    accept = (*options, "-o", "StrictHostKeyChecking=accept-new")
    ssh = await asyncio.create_subprocess_exec(
        "ssh", *accept, "-p", str(bench.port), f"tester@{address}", "cat; exit 5", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    output, errors = await ssh.communicate(b"to and fro")
    assert (output, ssh.returncode) == (b"to and fro", 5), errors
    for protocol in ("-s", "-O"):
        scp = await asyncio.create_subprocess_exec(
            "scp", protocol, *options, "-P", str(bench.port), key, f"tester@{address}:copied{protocol}", stderr=PIPE
        )
        _, errors = await scp.communicate()
        assert scp.returncode == 0, errors
    assert (await bench.run("cmp copied-s copied-O && echo same")).stdout == "same\n"
