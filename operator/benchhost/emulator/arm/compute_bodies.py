"""Bodies of Microsoft.Compute, as each API version shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchhost.emulator.arm.polling import timestamp
from benchhost.emulator.cloud.compute.guest import BOOTING_FROM, PROVISIONED_FROM
from benchhost.emulator.cloud.compute.machine import PowerState, VirtualMachine
from benchhost.emulator.cloud.operations import Operation, OperationKind
from benchhost.emulator.cloud.resources import ProvisioningState, Resource

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body

SINCE_DELETE_OPTION = "2021-03-01"
SINCE_TIME_CREATED = "2021-11-01"
SINCE_ETAG = "2024-11-01"
"""Recorded: absent in 2020-12-01 and 2022-03-01, present in 2024-11-01."""

_DISPLAY = {
    ProvisioningState.SUCCEEDED: "Provisioning succeeded",
    ProvisioningState.FAILED: "Provisioning failed",
    ProvisioningState.CREATING: "Creating",
    ProvisioningState.UPDATING: "Updating",
    ProvisioningState.DELETING: "Deleting",
}


def machine_etag(machine: VirtualMachine) -> str:
    """Return the etag: a quoted number that grows."""
    return f'"{machine.revision}"'


def machine_body(machine: VirtualMachine, api_version: str) -> Body:
    """Return a machine as ``GET`` shows it."""
    properties = {
        **machine.properties,
        "networkProfile": _network_profile(machine),
        "provisioningState": str(machine.provisioning_state),
        "vmId": machine.guid,
        "timeCreated": timestamp(machine.created_at),
    }
    body = {
        "name": machine.id.name,
        "id": str(machine.id),
        "type": machine.id.kind,
        "location": machine.location,
        **({"tags": machine.tags} if machine.tags else {}),
        **machine.extras,
        "properties": properties,
        "etag": machine_etag(machine),
    }
    return _as_of(body, api_version)


def listed_machine_body(machine: VirtualMachine, api_version: str) -> Body:
    """Return a machine as a list shows it: a deallocated spot machine loses facts of its disk (CLI-spot)."""
    body = machine_body(machine, api_version)
    is_spot = machine.properties.get("priority") == "Spot"
    if not is_spot or machine.power is not PowerState.DEALLOCATED:
        return body
    storage = machine.properties["storageProfile"]
    disk = {key: value for key, value in storage["osDisk"].items() if key != "diskSizeGB"}
    disk["managedDisk"] = {key: disk["managedDisk"][key] for key in ("id",) if key in disk["managedDisk"]}
    body["properties"]["storageProfile"] = {**storage, "osDisk": disk}
    return body


def status_only_body(machine: VirtualMachine, operation: Operation | None, now: float) -> Body:
    """Return a machine as the subscription-wide list with ``statusOnly=true`` shows it.

    It is the state of running, not a second copy: no tags, and an id whose group is spelled in capitals, as public
    clients tell who join it with a full list.
    """
    view = instance_view(machine, operation, now)
    spelled = replace(machine.id, group=machine.id.group.upper())
    return {
        "name": machine.id.name,
        "id": str(spelled),
        "type": machine.id.kind,
        "location": machine.location,
        "properties": {
            "vmId": machine.guid,
            "provisioningState": str(machine.provisioning_state),
            "instanceView": {"statuses": view["statuses"]},
        },
    }


def instance_view(machine: VirtualMachine, operation: Operation | None, now: float) -> Body:
    """Return the instance view."""
    view: Body = {}
    if machine.power is PowerState.RUNNING:
        view |= _guest_view(machine)
    if machine.is_materialized:
        view["disks"] = [
            _disk_view(disk["name"], machine) for disk in (machine.os_disk, *machine.data_disks) if "name" in disk
        ]
    boot = (machine.properties.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}
    if boot.get("enabled"):
        view["bootDiagnostics"] = {}
    if machine.claim is not None and machine.claim.dedicated_host is not None and "hostGroup" in machine.properties:
        view["assignedHost"] = machine.claim.dedicated_host
    view["hyperVGeneration"] = "V2"
    view["statuses"] = _statuses(machine, operation, now)
    return view


def disk_body(disk: Resource, machine: VirtualMachine | None) -> Body:
    """Return a managed disk."""
    properties = {
        **disk.properties,
        "timeCreated": timestamp(disk.created_at),
        "uniqueId": disk.guid,
        "provisioningState": str(disk.provisioning_state),
        "diskState": _disk_state(machine),
    }
    body = {
        "name": disk.id.name,
        "id": str(disk.id),
        "type": disk.id.kind,
        "location": disk.location,
        **({"tags": disk.tags} if disk.tags else {}),
        **disk.extras,
        "properties": properties,
    }
    if disk.first_user is not None:
        body["managedBy"] = disk.first_user
    return body


def _network_profile(machine: VirtualMachine) -> Body:
    profile: Body = machine.properties["networkProfile"]
    return profile if machine.shows_interfaces else {**profile, "networkInterfaces": []}


def _disk_state(machine: VirtualMachine | None) -> str:
    if machine is None:
        return "Unattached"
    return "Reserved" if machine.power is PowerState.DEALLOCATED else "Attached"


def _guest_view(machine: VirtualMachine) -> Body:
    profile = machine.properties.get("osProfile") or {}
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Ready",
        "message": "Guest Agent is running",
        "time": timestamp(machine.power_changed_at),
    }
    return {
        "computerName": profile.get("computerName", machine.id.name),
        "osName": "ubuntu",
        "osVersion": "24.04",
        "vmAgent": {"vmAgentVersion": "2.15.0.1", "statuses": [status], "extensionHandlers": []},
    }


def _disk_view(name: str, machine: VirtualMachine) -> Body:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": timestamp(machine.created_at),
    }
    return {"name": name, "statuses": [status]}


def _statuses(machine: VirtualMachine, operation: Operation | None, now: float) -> list[Body]:
    statuses = [_provisioning_status(machine)]
    power = machine.power
    if operation is not None and operation.kind is OperationKind.CREATE_MACHINE:
        progress = operation.progress(now)
        if progress >= PROVISIONED_FROM:
            statuses.append(
                {
                    "code": "ProvisioningState/creating/osProvisioningComplete",
                    "level": "Info",
                    "displayStatus": "OS Provisioning Complete",
                    "time": timestamp(now),
                }
            )
        power = PowerState.STARTING if progress >= BOOTING_FROM else None
    if power is not None:
        statuses.append({"code": f"PowerState/{power}", "level": "Info", "displayStatus": f"VM {power}"})
    if machine.is_hibernated and power is PowerState.DEALLOCATED:
        statuses.append({"code": "HibernationState/Hibernated", "level": "Info", "displayStatus": "VM hibernated"})
    return statuses


def _provisioning_status(machine: VirtualMachine) -> Body:
    state = machine.provisioning_state
    status: Body = {
        "code": f"ProvisioningState/{state.lower()}",
        "level": "Info",
        "displayStatus": _DISPLAY[state],
        "time": timestamp(machine.power_changed_at),
    }
    if state is ProvisioningState.FAILED and machine.failure is not None:
        status["code"] += f"/{machine.failure.code}"
        status["level"] = "Error"
        status["message"] = machine.failure.message
    return status


def _as_of(body: Body, api_version: str) -> Body:
    if api_version >= SINCE_ETAG:
        return body
    del body["etag"]
    if api_version < SINCE_TIME_CREATED:
        del body["properties"]["timeCreated"]
    if api_version < SINCE_DELETE_OPTION:
        return dict(_without(body, "deleteOption"))
    return body


def _without(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, name) for key, item in value.items() if key != name}
    if isinstance(value, list):
        return [_without(item, name) for item in value]
    return value
