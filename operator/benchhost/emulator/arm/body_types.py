"""Refuses bodies whose fields have the wrong JSON type, before anything looks at their values.

A field has the same type wherever it stands in the bodies that are served here, so that one table by name is
enough; names that it does not have are passed on unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from benchhost.emulator.cloud.context import Body

_OBJECTS = frozenset(
    (
        *("properties", "plan", "identity", "tags", "hardwareProfile", "storageProfile", "osDisk"),
        *("managedDisk", "imageReference", "osProfile", "linuxConfiguration", "ssh", "patchSettings"),
        *("networkProfile", "diagnosticsProfile", "bootDiagnostics", "securityProfile", "creationData"),
        *("addressSpace", "subnet", "publicIPAddress", "networkSecurityGroup", "dnsSettings"),
        *("publicIPAddressConfiguration", "diffDiskSettings", "additionalCapabilities"),
        "userAssignedIdentities",
    )
)
_LISTS_OF_OBJECTS = frozenset(
    (
        *("networkInterfaces", "networkInterfaceConfigurations", "dataDisks", "publicKeys"),
        *("subnets", "ipConfigurations", "securityRules"),
    )
)
_LISTS_OF_STRINGS = frozenset(("addressPrefixes", "zones", "dnsServers"))
_STRINGS = frozenset(
    (
        *("id", "name", "location", "vmSize", "publisher", "offer", "version", "computerName", "adminUsername"),
        *("adminPassword", "customData", "path", "keyData", "createOption", "deleteOption", "addressPrefix"),
        *("storageAccountType", "privateIPAddress", "privateIPAllocationMethod", "publicIPAllocationMethod"),
    )
)
_INTEGERS = frozenset(("diskSizeGB", "lun"))
_BOOLEANS = frozenset(("enableAcceleratedNetworking", "hibernationEnabled", "toBeDetached"))


def check_types(body: Body, path: str = "") -> None:
    """Refuse a body in which a known field has the wrong type; null is taken for absent.

    Raises
    ------
    ArmError
        ``InvalidRequestContent`` with the path of the field.
    """
    for name, value in body.items():
        here = f"{path}.{name}" if path else name
        if value is None:
            continue
        _check(name, value, here)
        if name == "tags":
            continue
        if isinstance(value, dict):
            check_types(value, here)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    check_types(item, f"{here}[{index}]")


def _check(name: str, value: Any, path: str) -> None:
    # An image's sku is a string; a resource's, at the top of the body, is an object.
    if name in _OBJECTS or path == "sku":
        _require(isinstance(value, dict), value, "an object", path)
    elif name in _LISTS_OF_OBJECTS:
        is_list = isinstance(value, list) and all(isinstance(item, dict) for item in value)
        _require(is_list, value, "a list of objects", path)
    elif name in _LISTS_OF_STRINGS:
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        _require(is_list, value, "a list of strings", path)
    elif name in _STRINGS:
        _require(isinstance(value, str), value, "a string", path)
    elif name in _INTEGERS:
        _require(isinstance(value, int) and not isinstance(value, bool), value, "an integer", path)
    elif name in _BOOLEANS:
        _require(isinstance(value, bool), value, "a boolean", path)


def _require(holds: bool, value: Any, expected: str, path: str) -> None:
    if holds:
        return
    raise errors.bad_request(
        "InvalidRequestContent",
        "The request content was invalid and could not be deserialized: 'Error converting a value of type "
        f"{type(value).__name__} to {expected}. Path '{path}'.'.",
        target=path,
    )
