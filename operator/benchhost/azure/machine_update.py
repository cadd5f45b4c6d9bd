"""What of an existing machine differs from the spec, as the PATCH that brings it there. Pure.

Called by the steps with the machine as Azure shows it now: what is kept goes back as it was shown, because ARM puts
a list of disks in place of the old one, and how an attached disk was made cannot be changed.
"""

from collections.abc import Mapping
from typing import Any

from benchhost.api.azure import DataDisk
from benchhost.azure.machine_body import Payload, to_data_disk, to_diagnostics
from benchhost.azure.names import HostNames, name_in
from benchhost.cloud.machine import ObservedPart
from benchhost.cloud.provider import HostRequest


def to_update(request: HostRequest, machine: Mapping[str, Any], disks: Mapping[int, ObservedPart]) -> Payload:
    """The PATCH of data disks, identities and boot diagnostics; empty when they are as the spec says.

    It names only what differs. A disk that somebody else attached stays, and so do identities of an adopted machine.

    Parameters
    ----------
    request
        The host.
    machine
        The machine's body, just read.
    disks
        This host's own disks by logical unit number, attached or not. One that is there already is attached and not
        made anew, so that nothing on it is lost.
    """
    azure = request.spec.azure
    properties = machine.get("properties") or {}
    changes: Payload = {}
    shown = {disk["lun"]: disk for disk in (properties.get("storageProfile") or {}).get("dataDisks") or ()}
    named = {disk.lun: disk.caching.lower() for disk in azure.data_disks}
    others = {lun: disk for lun, disk in shown.items() if lun not in named and not _is_own(disk, disks)}
    ours = {lun: disk for lun, disk in shown.items() if lun not in others}
    if _caching_by_lun(ours) != named:
        wanted = [_data_disk(request, disk, shown, disks) for disk in azure.data_disks]
        changes["storageProfile"] = {"dataDisks": [*wanted, *others.values()]}
    if _records_console(properties) is not azure.boot_diagnostics:
        changes["diagnosticsProfile"] = to_diagnostics(azure)
    identity = _identity(machine.get("identity") or {}, azure.identity_ids, is_adopted=request.spec.adopt)
    return {
        **({"properties": changes} if changes else {}),
        **({"identity": identity} if identity is not None else {}),
    }


def _is_own(shown: Mapping[str, Any], disks: Mapping[int, ObservedPart]) -> bool:
    own = disks.get(shown["lun"])
    attached = str((shown.get("managedDisk") or {}).get("id") or "")
    return own is not None and own.resource_id.lower() == attached.lower()


def _caching_by_lun(shown: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
    return {lun: str(disk.get("caching") or "None").lower() for lun, disk in shown.items()}


def _data_disk(
    request: HostRequest,
    wanted: DataDisk,
    shown: Mapping[int, Mapping[str, Any]],
    disks: Mapping[int, ObservedPart],
) -> Payload:
    if wanted.lun in shown:
        return {**shown[wanted.lun], "caching": wanted.caching.value}
    there = disks.get(wanted.lun)
    if there is None:
        return to_data_disk(wanted, HostNames.of(request))
    return {
        "lun": wanted.lun,
        "name": name_in(there.resource_id),
        "createOption": "Attach",
        "deleteOption": "Delete",
        "caching": wanted.caching.value,
        "managedDisk": {"id": there.resource_id},
    }


def _records_console(properties: Mapping[str, Any]) -> bool:
    return bool(((properties.get("diagnosticsProfile") or {}).get("bootDiagnostics") or {}).get("enabled"))


def _identity(shown: Mapping[str, Any], wanted: list[str], *, is_adopted: bool) -> Payload | None:
    """The change of user-assigned identities; what else the machine is to Entra stays as it is.

    A removed one is sent as null, under the key that Azure shows: it keeps ids in a case of its own.
    """
    assigned = {key.lower(): key for key in shown.get("userAssignedIdentities") or {}}
    brought = assigned if is_adopted else {}
    named = brought | {identity_id.lower(): identity_id for identity_id in wanted}
    if assigned.keys() == named.keys():
        return None
    is_system_too = "systemassigned" in str(shown.get("type") or "").lower()
    if not named:
        return {"type": "SystemAssigned" if is_system_too else "None"}
    changes: Payload = {assigned.get(key, identity_id): {} for key, identity_id in named.items()}
    changes |= {assigned[key]: None for key in sorted(assigned.keys() - named.keys())}
    return {
        "type": "SystemAssigned, UserAssigned" if is_system_too else "UserAssigned",
        "userAssignedIdentities": changes,
    }
