"""What a new virtual machine's body must say, and what Azure fills in.

Wording and codes are those of Microsoft.Compute; each check stands for one that its real API makes at once,
before anything is created.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import MACHINE_SIZES, find_image, find_size
from benchhost.emulator.cloud.compute.boot_diagnostics import check_diagnostics
from benchhost.emulator.cloud.compute.data_disks import (
    check_os_disk,
    data_disks,
    default_account_type,
    require_disks_fit,
)
from benchhost.emulator.cloud.compute.ephemeral import check_ephemeral, with_placement
from benchhost.emulator.cloud.compute.hibernation import check_hibernation
from benchhost.emulator.cloud.compute.interface_configurations import check_configurations, has_configurations
from benchhost.emulator.cloud.context import Body, reference_id

DEFAULT_OS_DISK_GB = 30
"""What recorded Ubuntu images have (ASO-2026)."""

MAX_LINUX_NAME = 64
_COMPUTER_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?")
_PUBLIC_KEY = re.compile(r"(ssh-rsa|ssh-ed25519|ecdsa-sha2-\S+) [A-Za-z0-9+/]+={0,3}(\s.*)?", re.DOTALL)
_FORBIDDEN_ADMINS = frozenset(
    (
        *("administrator", "admin", "admin1", "admin2", "adm", "root", "owner", "sys", "sql", "server", "support"),
        *("support_388945a0", "user", "user1", "user2", "user3", "user4", "user5", "test", "test1", "test2"),
        *("test3", "1", "123", "a", "actuser", "aspnet", "backup", "console", "david", "guest", "john"),
    )
)
"""Names that Azure refuses (doc: Linux virtual machine FAQ)."""


def machine_properties(given: Body) -> Body:
    """Return the properties of a new machine with defaults; secrets are left out.

    Raises
    ------
    ArmError
        When something is missing or wrong.
    """
    image = _image_of(given)
    properties = {key: value for key, value in given.items() if key not in ("provisioningState", "instanceView")}
    properties["hardwareProfile"] = hardware_profile(given)
    size = properties["hardwareProfile"]["vmSize"]
    properties["storageProfile"] = _storage_profile(given, image, size)
    if given.get("osProfile") is not None or _needs_os_profile(given):
        properties["osProfile"] = _os_profile(given.get("osProfile"))
    properties["networkProfile"] = network_profile(given)
    require_compatible(properties)
    return properties


def require_compatible(properties: Body) -> None:
    """Refuse properties that do not go together, or that the size does not bear.

    Raises
    ------
    ArmError
        As `data_disks`, `ephemeral` and `hibernation` refuse.
    """
    size = properties["hardwareProfile"]["vmSize"]
    require_disks_fit(size, properties["storageProfile"])
    if properties.get("availabilitySet"):
        raise errors.not_supported("availability sets", target="availabilitySet")
    check_diagnostics(properties)
    check_ephemeral(size, properties)
    check_hibernation(size, properties)


def hardware_profile(given: Body) -> Body:
    """Return the hardware profile with the size as the catalogue spells it.

    Raises
    ------
    ArmError
        ``InvalidParameter`` for a size that there is not.
    """
    profile = given.get("hardwareProfile") or {}
    name = profile.get("vmSize")
    if not name:
        raise errors.missing_parameter("hardwareProfile.vmSize")
    size = find_size(str(name))
    if size is None:
        valid = ", ".join(size.name for size in MACHINE_SIZES.values())
        raise errors.invalid_parameter(
            f"The value {name} provided for the VM size is not valid. The valid sizes in the current region "
            f"are: {valid}. Find out more on the valid VM sizes in each region at "
            "https://aka.ms/azure-regions.",
            "vmSize",
        )
    return {**profile, "vmSize": size.name}


def network_profile(given: Body) -> Body:
    """Return the network profile.

    Raises
    ------
    ArmError
        When it names no interface, or not exactly one primary of several, or configurations are incomplete.
    """
    profile = given.get("networkProfile")
    if isinstance(profile, dict) and has_configurations(profile):
        check_configurations(profile)
        _require_one_primary(profile["networkInterfaceConfigurations"])
        return {**profile, "networkInterfaces": []}
    references = profile.get("networkInterfaces") if isinstance(profile, dict) else None
    if not profile or not references:
        raise errors.missing_parameter("networkProfile")
    for reference in references:
        if reference_id(reference) is None:
            raise errors.missing_parameter("networkInterfaces.id")
    _require_one_primary(references)
    return {**profile, "networkInterfaces": references}


def _require_one_primary(items: list[Body]) -> None:
    primaries = [item for item in items if (item.get("properties") or {}).get("primary")]
    if len(items) > 1 and len(primaries) != 1:
        raise errors.bad_request(
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            "Virtual machine must have one network interface set as the primary.",
            target="networkInterfaces",
        )


def _needs_os_profile(given: Body) -> bool:
    storage = given.get("storageProfile") or {}
    return bool((storage.get("osDisk") or {}).get("createOption", "FromImage") == "FromImage")


def _image_of(given: Body) -> Body:
    storage = given.get("storageProfile")
    if not isinstance(storage, dict):
        raise errors.missing_parameter("storageProfile")
    reference = storage.get("imageReference")
    if not _needs_os_profile(given):
        return {}
    if not isinstance(reference, dict):
        raise errors.missing_parameter("imageReference")
    if reference.get("id") or reference.get("communityGalleryImageId") or reference.get("sharedGalleryImageId"):
        return {"reference": dict(reference), "osType": "Linux"}
    for field_name in ("publisher", "offer", "sku", "version"):
        if not reference.get(field_name):
            raise errors.missing_parameter(f"imageReference.{field_name}")
    image = find_image(str(reference["publisher"]), str(reference["version"]))
    if image is None:
        wanted = ":".join(str(reference[key]) for key in ("publisher", "offer", "sku", "version"))
        raise errors.ArmError(
            HTTPStatus.NOT_FOUND,
            "PlatformImageNotFound",
            f"The platform image '{wanted}' is not available. Verify that all fields in the storage profile "
            "are correct. For more details about storage profile information, please refer to "
            "https://aka.ms/storageprofile",
            target="imageReference",
        )
    return {"reference": {**reference, "exactVersion": image.exact_version}, "osType": image.os_type}


def _storage_profile(given: Body, image: Body, size: str) -> Body:
    storage = given["storageProfile"]
    wanted = storage.get("osDisk") or {}
    check_os_disk(wanted, image_gb=DEFAULT_OS_DISK_GB if image else None)
    managed = wanted.get("managedDisk") or {}
    disk = {
        "osType": image.get("osType", wanted.get("osType", "Linux")),
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "deleteOption": "Detach",
        **wanted,
        "managedDisk": {"storageAccountType": default_account_type(size), **managed},
    }
    if image:
        disk["diskSizeGB"] = wanted.get("diskSizeGB") or DEFAULT_OS_DISK_GB
    profile = {**storage, "osDisk": with_placement(size, disk), "dataDisks": data_disks(given)}
    profile.setdefault("diskControllerType", "SCSI")
    if image:
        profile["imageReference"] = image["reference"]
    return profile


def _os_profile(profile: Any) -> Body:
    if not isinstance(profile, dict):
        raise errors.missing_parameter("osProfile")
    for field_name in ("computerName", "adminUsername"):
        if not profile.get(field_name):
            raise errors.missing_parameter(f"osProfile.{field_name}")
    _check_names(str(profile["computerName"]), str(profile["adminUsername"]))
    shown = {key: value for key, value in profile.items() if key not in ("adminPassword", "customData")}
    if "windowsConfiguration" not in profile:
        shown["linuxConfiguration"] = _linux_configuration(profile)
    defaults = {"secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True}
    return {**defaults, **shown}


def _check_names(computer_name: str, admin: str) -> None:
    if len(computer_name) > MAX_LINUX_NAME or _COMPUTER_NAME.fullmatch(computer_name) is None:
        raise errors.invalid_parameter(
            f"Linux host name '{computer_name}' cannot exceed {MAX_LINUX_NAME} characters in length or contain "
            "characters that are not allowed.",
            "computerName",
        )
    if admin.lower() in _FORBIDDEN_ADMINS:
        raise errors.invalid_parameter(
            "The Admin Username specified is not allowed. For more information about disallowed usernames, see "
            "https://aka.ms/vmosprofile",
            "adminUsername",
        )


def _linux_configuration(profile: Body) -> Body:
    given = profile.get("linuxConfiguration") or {}
    keys = (given.get("ssh") or {}).get("publicKeys") or []
    if given.get("disablePasswordAuthentication") and not keys:
        raise errors.invalid_parameter(
            "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
            "linuxConfiguration",
        )
    if not given.get("disablePasswordAuthentication") and not profile.get("adminPassword"):
        raise errors.missing_parameter("adminPassword")
    for key in keys:
        _check_key(key, str(profile["adminUsername"]))
    patching = {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}
    return {
        "disablePasswordAuthentication": False,
        "provisionVMAgent": True,
        **given,
        "patchSettings": {**patching, **(given.get("patchSettings") or {})},
    }


def _check_key(key: Body, admin: str) -> None:
    expected = f"/home/{admin}/.ssh/authorized_keys"
    if key.get("path") != expected:
        raise errors.invalid_parameter(
            f"Destination path for SSH public keys is currently limited to its default value {expected} due to "
            "a known issue in Linux provisioning agent.",
            "linuxConfiguration.ssh.publicKeys.path",
        )
    if _PUBLIC_KEY.fullmatch(str(key.get("keyData") or "").strip()) is None:
        raise errors.invalid_parameter(
            "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.",
            "linuxConfiguration.ssh.publicKeys.keyData",
        )
