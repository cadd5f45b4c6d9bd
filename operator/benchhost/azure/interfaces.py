"""Which interface and which public address are one host's. Pure; called by ``observation``.

What the machine has brought along is called by a name that nobody can foretell, so it is told by the machine that
refers to it, and without a machine by the beginning of its name. Both forms of the name count: a host that was made
part by part has an interface without a suffix.
"""

from benchhost.azure.bodies import Body, each, inside
from benchhost.azure.names import HostNames, name_in
from benchhost.azure.tags import read_owner
from benchhost.cloud.machine import Owner, Part
from benchhost.cloud.provider import HostRequest


def interface_id_of(machine: Body) -> str | None:
    """The machine's primary interface; None while the machine does not name any, as when it is being made."""
    references = [one for one in each(machine, "properties", "networkProfile", "networkInterfaces") if one.get("id")]
    primary = [one for one in references if inside(one, "properties").get("primary")]
    return next((str(one["id"]) for one in (*primary, *references)), None)


def address_id_of(interface: Body) -> str | None:
    """The public address that the interface refers to, or None."""
    for configuration in each(interface, "properties", "ipConfigurations"):
        public = inside(configuration, "properties", "publicIPAddress").get("id")
        if public:
            return str(public)
    return None


def owner_of(request: HostRequest, part: Part, body: Body, machine: Body | None) -> Owner | None:
    """Whose an interface or an address is: by its owner tags, else by its name.

    Parameters
    ----------
    request
        The host.
    part
        Which of the two it is.
    body
        The resource.
    machine
        The machine of this host's name; None when there is none.
    """
    owner = read_owner(body.get("tags"))
    if owner is None and HostNames.of(request).is_called(part, name_in(body["id"])):
        return owner_by_name(request, machine)
    return owner


def is_elsewhere(request: HostRequest, interface: Body) -> bool:
    """Whether an interface is attached to a machine that is not called as this host's is."""
    machine = inside(interface, "properties", "virtualMachine").get("id")
    return bool(machine) and name_in(str(machine)).lower() != HostNames.of(request).machine.lower()


def owner_by_name(request: HostRequest, machine: Body | None) -> Owner | None:
    """Whose something is that carries this host's name and no owner tags.

    A computed name holds the owner's digest, so it is nobody else's; but when the machine itself has been let go, so
    has what belongs to it.
    """
    is_let_go = machine is not None and read_owner(machine.get("tags")) != request.owner
    return request.owner if HostNames.of(request).is_computed and not is_let_go else None
