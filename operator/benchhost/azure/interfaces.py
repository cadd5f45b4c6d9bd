"""Which interface and which public address are one host's. Pure; called by ``observation``.

What the machine has brought along is called by a name that nobody can foretell, so it is told by the machine that
refers to it, and without a machine by the beginning of its name. Both forms of the name count: a host that was made
part by part has an interface without a suffix.
"""

from typing import Any

from benchhost.azure.names import HostNames, name_in
from benchhost.azure.tags import read_owner
from benchhost.cloud.machine import Owner, Part
from benchhost.cloud.provider import HostRequest


def interface_id_of(machine: Any) -> str | None:
    """The machine's primary interface; None while the machine does not name any, as when it is being made."""
    profile = machine.properties.network_profile
    references = [one for one in (profile.network_interfaces or [] if profile is not None else []) if one.id]
    primary = [one for one in references if one.properties is not None and one.properties.primary]
    return next((one.id for one in (*primary, *references)), None)


def address_id_of(interface: Any) -> str | None:
    """The public address that the interface refers to, or None."""
    for configuration in interface.properties.ip_configurations or []:
        public = configuration.properties.public_ip_address if configuration.properties is not None else None
        if public is not None and public.id:
            return str(public.id)
    return None


def owner_of(request: HostRequest, part: Part, model: Any, machine: Any | None) -> Owner | None:
    """Whose an interface or an address is: by its owner tags, else by its name.

    Parameters
    ----------
    request
        The host.
    part
        Which of the two it is.
    model
        The SDK's model of it.
    machine
        The SDK's model of the machine of this host's name; None when there is none.
    """
    names = HostNames.of(request)
    if read_owner(model.tags) is None and names.is_called(part, name_in(model.id)):
        return owner_by_name(request, machine)
    return read_owner(model.tags)


def is_elsewhere(request: HostRequest, part: Part, model: Any) -> bool:
    """Whether an interface is attached to a machine that is not called as this host's is."""
    machine = model.properties.virtual_machine if part is Part.INTERFACE else None
    return bool(machine and machine.id) and name_in(machine.id).lower() != HostNames.of(request).machine.lower()


def owner_by_name(request: HostRequest, machine: Any | None) -> Owner | None:
    """Whose something is that carries this host's name and no owner tags.

    A computed name holds the owner's digest, so it is nobody else's; but when the machine itself has been let go, so
    has what belongs to it.
    """
    is_let_go = machine is not None and read_owner(machine.tags) != request.owner
    return request.owner if HostNames.of(request).is_computed and not is_let_go else None
