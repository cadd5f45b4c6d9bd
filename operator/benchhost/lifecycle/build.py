"""Rungs of the ladder that bring a machine into being: its parts in order, and a creation that failed. Pure."""

from benchhost.api.azure import AzureSpec, PublicAddress
from benchhost.api.conditions import Reason
from benchhost.api.host import BenchHost
from benchhost.api.spec import PowerState
from benchhost.api.status import FailureClass, OperationType
from benchhost.cloud.machine import Machine, ObservedPart, Part, PartState
from benchhost.cloud.provider import Step, Verb, makes_interface_with_machine
from benchhost.lifecycle.actions import Action, Do, Hold, Settled, Wait
from benchhost.lifecycle.capacity import choose
from benchhost.lifecycle.view import View


def required_parts(azure: AzureSpec) -> tuple[Part, ...]:
    """What has to exist before the machine can, in the order in which it is made; the machine comes last."""
    network, is_alone = azure.network, not makes_interface_with_machine(azure)
    parts = [
        (Part.NETWORK, network.virtual_network is not None and network.virtual_network.create),
        (Part.ADDRESS, is_alone and network.public_address is PublicAddress.STATIC),
        (Part.INTERFACE, is_alone),
        (Part.MACHINE, True),
    ]
    return tuple(part for part, needed in parts if needed)


def expected_parts(host: BenchHost) -> tuple[Part, ...]:
    """What a machine that is in order has beside itself; what an adopted one has is called as its maker liked."""
    azure = host.spec.azure
    if host.spec.adopt:
        return ()
    parts = [
        (Part.INTERFACE, True),
        (Part.DISK, not azure.os_disk.ephemeral),
        (Part.ADDRESS, azure.network.public_address is PublicAddress.STATIC),
    ]
    return tuple(part for part, needed in parts if needed)


def missing(view: View) -> Action | None:
    """A machine that does not exist: its parts one after the other, then itself."""
    if view.machine is not None:
        return None
    if view.wanted.ended is not None:
        return Settled(f"No machine exists. {_still_paid_for(view)}{view.wanted.message}", view.wanted.ended)
    if view.wanted.power is not PowerState.RUNNING:
        return Settled(
            f"No machine exists, so nothing runs. {_still_paid_for(view)}"
            "A machine is made when spec.powerState becomes Running.",
            Reason.DEALLOCATED,
        )
    for part in required_parts(view.host.spec.azure):
        action = _build(view, part)
        if action is not None:
            return action
    raise AssertionError("unreachable: the machine is a required part and is missing")


def _still_paid_for(view: View) -> str:
    """What is left of an earlier machine and has its price, as a sentence; empty where nothing is."""
    seen = view.observation
    disks = [seen.get(Part.DISK), *seen.data_disks.values()]
    left = [one.resource_id for one in (*disks, seen.get(Part.ADDRESS)) if one is not None and one.owner == view.owner]
    if not left:
        return ""
    return f"An earlier one has left what is still paid for: {', '.join(sorted(left))}. "


def _build(view: View, part: Part) -> Action | None:
    seen = view.observation.get(part)
    if seen is None and part is Part.MACHINE:
        left = _left_behind(view)
        if left is not None:
            return left
    if seen is not None and part is not Part.NETWORK and seen.owner != view.owner:
        return Hold(Reason.NOT_OWNED, not_owned_message(seen), stalled=True)
    if seen is not None and seen.state is PartState.READY:
        return None
    if seen is not None and seen.state in (PartState.PENDING, PartState.DELETING):
        message = f"The cloud is still working on the {part}."
        return Wait(OperationType.PROVISION, message, is_brief=part is not Part.MACHINE)
    return Do(Step(Verb.ENSURE, part), OperationType.PROVISION, write_ahead=_is_first(view))


def _left_behind(view: View) -> Action | None:
    """What an earlier machine of this host has left and the new one brings along.

    A new machine cannot be made over disks, and begins with empty ones; its interface would be the second.
    """
    brought: list[tuple[Part, int | None]] = [(Part.INTERFACE, None), (Part.ADDRESS, None)]
    is_alone = not makes_interface_with_machine(view.host.spec.azure)
    disks = [(Part.DISK, None), *((Part.DATA_DISK, lun) for lun in sorted(view.observation.data_disks))]
    for part, lun in disks if is_alone else [*brought, *disks]:
        seen = view.observation.get(part, lun)
        if seen is None:
            continue
        if seen.owner != view.owner:
            return Hold(Reason.NOT_OWNED, not_owned_message(seen), stalled=True)
        if seen.state is PartState.DELETING:
            return Wait(OperationType.PROVISION, f"The cloud is deleting an earlier {part}.", is_brief=True)
        if seen.in_use:
            return Hold(Reason.NOT_OWNED, _in_use_message(seen), stalled=True)
        return Do(Step(Verb.DELETE, part, lun), OperationType.PROVISION, write_ahead=_is_first(view))
    return None


def _is_first(view: View) -> bool:
    """Whether nothing was asked of the cloud yet: from then on a deletion has to look there."""
    operation = view.host.status.operation
    return operation is None or operation.type is not OperationType.PROVISION


def unmade(view: View) -> Action | None:
    """A machine whose creation failed: taken away, or put again where it may have run.

    It is in the way when another size or zone has its turn. One that brought its interface along is taken away too:
    its creation cannot be sent again, and only its deletion takes along what it has brought for certain.
    """
    machine = view.machine
    if machine is None or not view.is_unmade:
        return None
    is_in_the_way = _is_turn_of_another(view, machine) or makes_interface_with_machine(view.host.spec.azure)
    if view.never_ran and is_in_the_way:
        return Do(Step(Verb.DELETE, Part.MACHINE), OperationType.CLEAN_UP)
    if view.wanted.power is not PowerState.RUNNING:
        return None
    return Do(Step(Verb.ENSURE, Part.MACHINE), OperationType.UPDATE if view.has_run else OperationType.PROVISION)


def _is_turn_of_another(view: View, machine: Machine) -> bool:
    """Whether the size or zone of the machine had no room, and another one is to be asked for."""
    if view.failure is None or view.failure.failure_class is not FailureClass.CAPACITY:
        return False
    turn = choose(view.host, None)
    return turn.size.lower() != machine.size.lower() or turn.zone != machine.zone


def _in_use_message(seen: ObservedPart) -> str:
    return (
        f"{seen.resource_id} is left of an earlier machine of this host and is attached to another machine; "
        "detach it there, and it makes way for the new one."
    )


def not_owned_message(seen: ObservedPart) -> str:
    """Whose it is instead, and what to do."""
    if seen.owner is None:
        return (
            f"{seen.resource_id} exists already and was not made by this controller; "
            "set spec.adopt: true to take it over, or choose another spec.azure.name."
        )
    return (
        f"{seen.resource_id} belongs to BenchHost {seen.owner.namespace}/{seen.owner.name} "
        "(another object or cluster); choose another spec.azure.name."
    )
