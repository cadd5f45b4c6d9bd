"""Network interfaces and public addresses that one PUT of a machine makes: ``networkInterfaceConfigurations``.

Called by `machines` for new machines. What exported templates and public projects show (azure-lifecycle.md, A): the
resources get the configurations' names with a dash and eight hexadecimal digits that nobody can foretell, interface
and address the same ones; the machine shows only references to them; a platform tag is on the interface.

Nobody has recorded the rest, so the emulator does what is hardest for a client:

- neither the answer to the PUT nor a GET names the interfaces before the create has ended (a hand-written example of
  the specification does, from the start);
- an absent ``deleteOption`` means Detach, for the interface as for the address, and leaves them behind;
- a second PUT or a PATCH with configurations is refused, even with the same ones and on a failed machine;
- a create that fails or is cancelled leaves both, and only the machine's deletion takes them along.

A PUT that is refused at once has made nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.compute.interface_rules import require_accelerated_if_asked, require_interface_count
from benchhost.emulator.cloud.context import Body, Context, properties_of, reference_id

if TYPE_CHECKING:
    from benchhost.emulator.cloud.compute.machine import VirtualMachine
    from benchhost.emulator.cloud.network.interfaces import Interfaces
    from benchhost.emulator.cloud.network.public_addresses import PublicAddresses
    from benchhost.emulator.cloud.resources import Resource

FIELD = "networkInterfaceConfigurations"
TARGET = f"networkProfile.{FIELD}"
PLATFORM_TAGS = {"fastpathenabled": "True"}
"""What Azure puts on such an interface (exported template)."""

FIRST_NETWORK_VERSION = "2020-11-01"
"""The lowest ``networkApiVersion`` that the SDK's models know."""

SUFFIX_DIGITS = 8
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")
_NOT_THE_INTERFACES = frozenset({"primary", "deleteOption", "ipConfigurations"})


def has_configurations(profile: Body) -> bool:
    """Tell whether a network profile describes interfaces that are to be made."""
    return bool(profile.get(FIELD))


def check_configurations(profile: Body) -> None:
    """Refuse configurations that are incomplete, or stand beside references to existing interfaces.

    Raises
    ------
    ArmError
        ``InvalidParameter``.
    """
    if profile.get("networkInterfaces"):
        raise errors.invalid_parameter(
            f"The parameters 'networkProfile.networkInterfaces' and '{TARGET}' cannot both be specified.", TARGET
        )
    version = profile.get("networkApiVersion")
    if not version:
        raise errors.missing_parameter("networkProfile.networkApiVersion")
    if _VERSION.fullmatch(str(version)) is None or str(version) < FIRST_NETWORK_VERSION:
        raise errors.invalid_parameter(
            f"The value '{version}' of parameter 'networkProfile.networkApiVersion' is invalid.",
            "networkProfile.networkApiVersion",
        )
    for configuration in profile[FIELD]:
        _check_configuration(configuration)


def refuse_configurations() -> errors.ArmError:
    """Return the refusal of configurations for a machine that exists."""
    return errors.invalid_parameter(f"The value of parameter {TARGET} is invalid.", TARGET)


class ConfiguredInterfaces:
    """Makes what a new machine's configurations describe.

    Parameters
    ----------
    context, interfaces, addresses
        The subscription's state, and who makes interfaces and public addresses.
    """

    def __init__(self, context: Context, interfaces: Interfaces, addresses: PublicAddresses) -> None:
        self._context = context
        self._interfaces = interfaces
        self._addresses = addresses

    def make(self, machine: VirtualMachine, now: float) -> None:
        """Make the interfaces and addresses of a machine that is not stored yet, and let it refer to them.

        Raises
        ------
        ArmError
            As Microsoft.Network refuses an interface or address; nothing has been made then.
        """
        configurations = machine.properties["networkProfile"].get(FIELD)
        if not configurations:
            return
        require_interface_count(machine.id.name, machine.size, len(configurations))
        made: list[Resource] = []
        try:
            references = [self._make_one(machine, configuration, made, now) for configuration in configurations]
        except errors.ArmError:
            self._undo(made)
            raise
        if len(references) == 1:
            references[0]["properties"]["primary"] = True
        machine.properties["networkProfile"] = {"networkInterfaces": references}
        machine.shows_interfaces = False

    def _make_one(self, machine: VirtualMachine, configuration: Body, made: list[Resource], now: float) -> Body:
        suffix = self._context.identifiers.hexadecimal(SUFFIX_DIGITS)
        given = properties_of(configuration)
        interface_id = machine.id.elsewhere(
            "Microsoft.Network", "networkInterfaces", f"{configuration['name']}-{suffix}"
        )
        ip_configurations = [
            self._ip_configuration(machine, item, suffix=suffix, made=made, now=now)
            for item in given["ipConfigurations"]
        ]
        kept = {key: value for key, value in given.items() if key not in _NOT_THE_INTERFACES}
        body = {
            "location": machine.location,
            "tags": {**(configuration.get("tags") or {}), **PLATFORM_TAGS},
            "properties": {**kept, "ipConfigurations": ip_configurations},
        }
        interface, _ = self._interfaces.put(interface_id, body, now=now)
        made.append(interface)
        require_accelerated_if_asked(machine.size, interface)
        properties = {"primary": bool(given.get("primary")), "deleteOption": given.get("deleteOption") or "Detach"}
        return {"id": str(interface_id), "properties": properties}

    def _ip_configuration(
        self, machine: VirtualMachine, given: Body, *, suffix: str, made: list[Resource], now: float
    ) -> Body:
        properties = properties_of(given)
        wanted = properties.get("publicIPAddressConfiguration")
        kept = {key: value for key, value in properties.items() if key != "publicIPAddressConfiguration"}
        if wanted is None:
            return {"name": given["name"], "properties": kept}
        address_id = machine.id.elsewhere("Microsoft.Network", "publicIPAddresses", f"{wanted['name']}-{suffix}")
        described = properties_of(wanted)
        option = described.get("deleteOption") or "Detach"
        body = {
            "location": machine.location,
            "tags": wanted.get("tags") or {},
            "sku": {"name": "Standard", "tier": "Regional", **(wanted.get("sku") or {})},
            **({"zones": machine.extras["zones"]} if machine.extras.get("zones") else {}),
            "properties": {
                "publicIPAllocationMethod": "Static",
                **{key: value for key, value in described.items() if key != "deleteOption"},
            },
        }
        made.append(self._addresses.make(address_id, body, now=now))
        reference = {"id": str(address_id), "properties": {"deleteOption": option}}
        return {"name": given["name"], "properties": {**kept, "publicIPAddress": reference}}

    def _undo(self, made: list[Resource]) -> None:
        for resource in reversed(made):
            if resource.id.types == ("publicIPAddresses",):
                self._addresses.remove(resource)
            else:
                self._interfaces.remove(resource)


def _check_configuration(configuration: Body) -> None:
    if not configuration.get("name"):
        raise errors.missing_parameter(f"{TARGET}.name")
    given = properties_of(configuration)
    _check_option(given, TARGET)
    if not given.get("ipConfigurations"):
        raise errors.missing_parameter(f"{TARGET}.ipConfigurations")
    for item in given["ipConfigurations"]:
        _check_ip_configuration(item)


def _check_ip_configuration(item: Body) -> None:
    target = f"{TARGET}.ipConfigurations"
    if not item.get("name"):
        raise errors.missing_parameter(f"{target}.name")
    properties = properties_of(item)
    if "privateIPAddress" in properties:
        raise errors.unknown_member("privateIPAddress", f"{target}.properties.privateIPAddress")
    if reference_id(properties.get("subnet")) is None:
        raise errors.missing_parameter(f"{target}.subnet")
    address = properties.get("publicIPAddressConfiguration")
    if address is None:
        return
    if not address.get("name"):
        raise errors.missing_parameter(f"{target}.publicIPAddressConfiguration.name")
    _check_option(properties_of(address), f"{target}.publicIPAddressConfiguration")


def _check_option(given: Body, target: str) -> None:
    option = given.get("deleteOption")
    if option not in (None, "Delete", "Detach"):
        raise errors.invalid_parameter(
            f"The value '{option}' of parameter '{target}.deleteOption' is invalid.", f"{target}.deleteOption"
        )
