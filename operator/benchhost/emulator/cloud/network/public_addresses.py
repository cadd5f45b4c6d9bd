"""Public IP addresses.

The SKU Basic is taken, though Azure has made no new addresses of it since 31 March 2025: what clients make that still
ask for it, such as the template of mlos_bench 0.6.2, is to be seen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.context import Body, Context, new_resource, properties_of, tags_of, touch
from benchhost.emulator.cloud.network import writes
from benchhost.emulator.cloud.network.addresses import PublicAddressPool
from benchhost.emulator.cloud.network.domain_names import DNS, dns_settings, full_name_of
from benchhost.emulator.cloud.resources import Resource

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from benchhost.emulator.cloud.identifiers import ResourceId
    from benchhost.emulator.cloud.operations import Operation
    from benchhost.emulator.cloud.quotas import Quotas

ADDRESS = "ipAddress"
_KIND = "microsoft.network/publicipaddresses"
_METHOD = "publicIPAllocationMethod"
_READ_ONLY = (ADDRESS, "ipConfiguration", "resourceGuid", "provisioningState")


class PublicAddresses:
    """Public IP addresses of a subscription."""

    def __init__(self, context: Context, quotas: Quotas) -> None:
        self._context = context
        self._quotas = quotas
        self._pool = PublicAddressPool()

    def renumber(self) -> None:
        """Change addresses that an earlier run gave from another range than this one does."""
        for address in self._context.store:
            if address.id.kind.lower() == _KIND and ADDRESS in address.properties:
                address.properties[ADDRESS] = self._pool.renumbered(address.properties[ADDRESS])

    def give_from(self, network: IPv4Network) -> None:
        """Give loopback addresses of one range from now on, and change those that have been given."""
        self._pool.give_from(network)
        self.renumber()

    def put(self, address_id: ResourceId, body: Body, *, now: float) -> tuple[Resource, Operation, bool]:
        """Create or replace a public address; a static one has its address from the start."""
        context = self._context
        context.groups.get_for_write(address_id.group)
        existing = context.store.find(address_id)
        if existing is not None:
            draft = new_resource(context, address_id, body, now=now)
            draft.properties = self._properties(draft, body)
            return self._replace(existing, draft, body, now)
        made = self.make(address_id, body, now=now)
        return made, writes.begin_write(context, made, now), True

    def make(self, address_id: ResourceId, body: Body, *, now: float) -> Resource:
        """Create a public address at once, as the create of a machine does for itself."""
        draft = new_resource(self._context, address_id, body, now=now)
        self._quotas.require_address(draft.location)
        draft.properties = self._properties(draft, body)
        sku = draft.extras.get("sku") or {}
        draft.extras["sku"] = {"name": sku.get("name") or "Basic", "tier": sku.get("tier") or "Regional"}
        if draft.extras["sku"]["name"] == "Standard" and draft.properties[_METHOD] != "Static":
            raise errors.network_error(
                "StandardSkuPublicIPAddressesMustBeStatic",
                f"Standard sku publicIp {address_id} must have AllocationMethod set to Static.",
            )
        if draft.properties[_METHOD] == "Static":
            draft.properties[ADDRESS] = self._pool.allocate()
        self._context.store.add(draft)
        return draft

    def delete(self, address_id: ResourceId, *, now: float) -> Operation | None:
        """Begin the deletion of a public address; None when there is none."""
        address = self._context.store.find(address_id)
        if address is None:
            return None
        if address.used_by:
            raise errors.network_error(
                "PublicIPAddressCannotBeDeleted",
                f"Public IP address {address_id} can not be deleted since it is still allocated to resource "
                f"{address.first_user}. In order to delete the public IP, disassociate/detach the Public IP "
                "address from the resource.  To learn how to do this, see aka.ms/deletepublicip.",
            )
        return writes.begin_delete(self._context, address, now)

    def remove(self, address: Resource) -> None:
        """Take an address out of the subscription and give it back to the pool."""
        self.release_dynamic(address, always=True)
        self._context.store.remove(address.id)

    def ensure_allocated(self, address: Resource) -> None:
        """Give a dynamic address its number, as happens when its machine is allocated."""
        if ADDRESS not in address.properties:
            address.properties[ADDRESS] = self._pool.allocate()

    def release_dynamic(self, address: Resource, *, always: bool = False) -> None:
        """Take the number of a dynamic address back, as happens when its machine is deallocated."""
        if ADDRESS not in address.properties:
            return
        if always or address.properties[_METHOD] == "Dynamic":
            self._pool.free(address.properties.pop(ADDRESS))

    def _replace(self, existing: Resource, draft: Resource, body: Body, now: float) -> tuple[Resource, Operation, bool]:
        context = self._context
        writes.require_idle(context, existing)
        if ADDRESS in existing.properties:
            draft.properties[ADDRESS] = existing.properties[ADDRESS]
        existing.properties = draft.properties
        existing.tags = tags_of(body)
        touch(context, existing)
        return existing, writes.begin_write(context, existing, now), False

    def _properties(self, draft: Resource, body: Body) -> Body:
        given = {key: value for key, value in properties_of(body).items() if key not in _READ_ONLY}
        properties = {
            "publicIPAddressVersion": "IPv4",
            _METHOD: "Dynamic",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
            "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
            **given,
        }
        settings = dns_settings(properties.get(DNS), draft.location)
        if settings is not None:
            properties[DNS] = settings
            self._require_free_name(draft, settings)
        return properties

    def _require_free_name(self, draft: Resource, settings: Body) -> None:
        """Refuse a name that another address has.

        Raises
        ------
        ArmError
            ``DnsRecordInUse``.
        """
        name = settings.get("fqdn")
        if name is None:
            return
        for other in self._context.store.list_of_kind(draft.id.kind):
            if other.id.key != draft.id.key and full_name_of(other.properties) == name:
                raise errors.network_error("DnsRecordInUse", f"DNS record {name} is already used by another public IP.")
