"""The serial console, and the addresses under which it can be read."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from benchhost.emulator.arm.signed_blobs import BlobSignatures, has_expired
from benchhost.emulator.cloud.compute.boot_diagnostics import blob_of, check_minutes, container_of, screenshot
from benchhost.emulator.cloud.compute.guest import MAX_EVENTS, GuestEventKind, note_failure
from benchhost.emulator.cloud.compute.machine import VirtualMachine
from benchhost.emulator.cloud.compute.power import PowerAction
from benchhost.emulator.cloud.compute.serial_log import serial_log
from benchhost.emulator.cloud.errors import ArmError

if TYPE_CHECKING:
    from unit.emulator.driver import Cloud


def _log(cloud: Cloud, machine: VirtualMachine) -> str:
    return serial_log(machine, cloud.subscription.operations.running_on(machine), cloud.now)


def test_the_log_grows_while_a_machine_is_created(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine()
    whole = create.due - create.started
    seen = []
    for part in (0.2, 0.25, 0.3, 0.3):
        cloud.pass_time(part * whole)
        seen.append(_log(cloud, machine))
    assert seen[0] == ""
    assert "Linux version" in seen[1]
    assert "Cloud-init" not in seen[1]
    assert "running 'init'" in seen[2]
    assert "login:" not in seen[2]
    assert seen[3].endswith("vm login: \n")
    assert "Authorized keys from /home/tester/.ssh/authorized_keys" in seen[3]
    for earlier, later in itertools.pairwise(seen):
        assert later.startswith(earlier)


@pytest.mark.parametrize(
    ("actions", "words", "boots"),
    [
        pytest.param([PowerAction.RESTART], "login:", 2, id="restart-boots-again"),
        pytest.param([PowerAction.POWER_OFF], "reboot: Power down", 1, id="power-off-ends-it"),
        pytest.param([PowerAction.DEALLOCATE, PowerAction.START], "login:", 2, id="start-boots-again"),
        pytest.param([PowerAction.POWER_OFF, PowerAction.DEALLOCATE], "reboot: Power down", 1, id="off-is-off"),
        pytest.param([PowerAction.REAPPLY], "login:", 1, id="reapply-is-not-noticed"),
    ],
)
def test_power_actions_leave_their_lines(cloud: Cloud, actions: list[PowerAction], words: str, boots: int) -> None:
    machine = cloud.running_machine()
    for action in actions:
        cloud.act(machine, action)
    log = _log(cloud, machine)
    assert words in log.splitlines()[-1]
    assert log.count("Linux version") == boots
    assert log.count("Generating public/private ed25519") == 1
    assert log.count("Power down") == sum(
        action in (PowerAction.POWER_OFF, PowerAction.DEALLOCATE) for action in actions[:1]
    )


def test_a_hibernated_machine_resumes_instead_of_booting(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    machine = cloud.running_machine(cloud.machine_body(additionalCapabilities={"hibernationEnabled": True}))
    cloud.subscription.power.begin(machine, PowerAction.DEALLOCATE, now=cloud.now, hibernate=True)
    cloud.pass_time()
    assert "hibernation entry" in _log(cloud, machine)
    cloud.act(machine, PowerAction.START)
    log = _log(cloud, machine)
    assert "hibernation exit" in log.splitlines()[-1]
    assert log.count("login:") == 1


def test_an_ephemeral_disk_is_provisioned_anew_by_a_redeploy(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    body = cloud.machine_body()
    body["properties"]["hardwareProfile"]["vmSize"] = "Standard_D2s_v3"
    disk = {"createOption": "FromImage", "caching": "ReadOnly", "diffDiskSettings": {"option": "Local"}}
    body["properties"]["storageProfile"]["osDisk"] = disk
    machine = cloud.running_machine(body)
    cloud.act(machine, PowerAction.REDEPLOY)
    assert _log(cloud, machine).count("Generating public/private ed25519") == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param("OSProvisioningTimedOut", True, id="guest-that-did-not-finish"),
        pytest.param("AllocationFailed", False, id="no-guest-at-all"),
    ],
)
def test_a_failed_provisioning_is_the_last_line(cloud: Cloud, code: str, told: bool) -> None:
    cloud.network()
    cloud.interface()
    machine, create = cloud.put_machine()
    note_failure(machine, create, ArmError(409, code, "It did not finish {in time}."))
    cloud.now = create.due
    log = serial_log(machine, None, cloud.now)
    if not told:
        assert log == ""
        return
    assert log.splitlines()[-1].endswith("Provisioning failed: OSProvisioningTimedOut: It did not finish {in time}.")
    assert "login:" not in log


def test_old_events_are_forgotten(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    for _ in range(MAX_EVENTS + 5):
        cloud.act(machine, PowerAction.RESTART)
    assert len(machine.guest_events) == MAX_EVENTS
    assert {event.kind for event in machine.guest_events} == {GuestEventKind.BOOT}


def test_the_screenshot_is_a_bitmap_that_tells_running_from_off(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    running = screenshot(machine)
    assert running[:2] == b"BM"
    assert struct.unpack_from("<I", running, 2)[0] == len(running)
    cloud.act(machine, PowerAction.POWER_OFF)
    assert screenshot(machine) != running


def test_container_and_blob_are_named_as_azure_names_them(cloud: Cloud) -> None:
    machine = cloud.running_machine()
    assert container_of(machine) == f"bootdiagnostics-vm-{machine.guid}"
    assert blob_of(machine, "serialconsole.log") == f"vm.{machine.guid}.serialconsole.log"


@pytest.mark.parametrize(("text", "minutes"), [(None, 120), ("1", 1), ("1440", 1440)])
def test_how_long_an_address_is_good(text: str | None, minutes: int) -> None:
    assert check_minutes(text) == minutes


@pytest.mark.parametrize("text", ["0", "1441", "soon", "-5", ""])
def test_no_other_times_are_possible(text: str) -> None:
    with pytest.raises(ArmError, match="between '1' and '1440'"):
        check_minutes(text)


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def test_an_address_is_good_for_its_blob_and_its_time_only() -> None:
    signatures = BlobSignatures(b"one")
    query = _query(signatures.address("https://localhost:1", "container/blob", expires=1000.0))
    assert signatures.is_signed("container/blob", query)
    assert not signatures.is_signed("container/other", query)
    assert not signatures.is_signed("container/blob", {**query, "se": "2099-01-01T00:00:00Z"})
    assert not signatures.is_signed("container/blob", {})
    assert not BlobSignatures(b"another").is_signed("container/blob", query)
    assert not has_expired(query, 999.0)
    assert has_expired(query, 1000.0)


def test_a_storage_account_of_ones_own_is_refused(cloud: Cloud) -> None:
    cloud.network()
    cloud.interface()
    diagnostics = {"bootDiagnostics": {"enabled": True, "storageUri": "https://mine.blob.core.windows.net/"}}
    with pytest.raises(ArmError, match="Storage account mine not found"):
        cloud.put_machine(cloud.machine_body(diagnosticsProfile=diagnostics))
