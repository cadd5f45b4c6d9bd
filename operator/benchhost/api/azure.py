"""``spec.azure``: what the host is on Azure. Field names are ARM's own where ARM has one.

Pure data for the adapter and the CRD; nothing here talks to Azure or decides anything.
"""

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, StringConstraints

from benchhost.api.model import SpecModel
from benchhost.api.names import OWNER_TAG_PREFIX

ARM_ID_PATTERN: Final = r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+$"

_GUID: Final = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
# learn.microsoft.com "Naming rules and restrictions for Azure resources", read as of API 2026-04-01.
_RESOURCE_GROUP: Final = r"^[-\w._()]{0,89}[-\w_()]$"
_RESOURCE_NAME: Final = r"^[a-zA-Z0-9]([-a-zA-Z0-9._]{0,62}[a-zA-Z0-9_])?$"
_VM_NAME: Final = r"^[a-zA-Z0-9]([-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$"
_SIZE: Final = r"^[A-Za-z0-9_]+$"
_STORAGE_TYPE: Final = r"^[A-Za-z0-9]+_[A-Z]+$"
_CIDR: Final = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$"
_SSH_KEY: Final = r"^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,3}( .*)?$"
_SECRET_NAME: Final = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"  # noqa: S105 - a pattern for names
_SECRET_KEY: Final = r"^[-._a-zA-Z0-9]+$"  # noqa: S105 - a pattern for names


def rule(expression: str, message: str) -> dict[str, str]:
    """One CEL rule with the sentence that a user reads when it is broken."""
    return {"rule": expression, "message": message}


def rules(*each: dict[str, str]) -> ConfigDict:
    """The model configuration that puts CEL rules onto a whole object."""
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": [{**each_rule} for each_rule in each]})


def immutable(field: str) -> dict[str, Any]:
    """The CEL rule of a field that ARM cannot change on an existing machine."""
    return {
        "x-kubernetes-validations": [
            rule(
                "self == oldSelf",
                f"spec.azure.{field} is immutable; delete the BenchHost and create it again",
            )
        ]
    }


_TAG_RULES: Final[dict[str, Any]] = {
    "x-kubernetes-validations": [
        rule(
            f"self.all(name, !name.lowerAscii().startsWith('{OWNER_TAG_PREFIX}'))",
            f"tag names that begin with {OWNER_TAG_PREFIX} are the controller's own; choose another name",
        ),
        rule(
            "self.all(name, size(name) >= 1 && size(name) <= 512)",
            "a tag's name has 1 to 512 characters in Azure; choose a shorter name",
        ),
        rule(
            r"self.all(name, !name.matches('[<>%&\\\\?/]'))",
            r"a tag's name holds none of < > % & \ ? / in Azure; choose another name",
        ),
    ]
}
"""What ARM refuses of names, and what would be mistaken for an owner's (learn.microsoft.com "Use tags to organize your
Azure resources": limitations)."""


def fixed_presence(field: str, *, inside: str = "") -> dict[str, str]:
    """The CEL rule that an optional immutable field is neither added nor taken away."""
    return rule(
        f"has(self.{field}) == has(oldSelf.{field})",
        f"spec.azure.{inside}{field} is immutable and cannot be added or removed; "
        "delete the BenchHost and create it again",
    )


class SecretKeyRef(SpecModel):
    """One key of a Secret in the BenchHost's own namespace."""

    name: Annotated[str, StringConstraints(pattern=_SECRET_NAME, max_length=253)]
    """Name of the Secret."""
    key: Annotated[str, StringConstraints(pattern=_SECRET_KEY, max_length=253)]
    """Key inside the Secret."""


class Image(SpecModel):
    """The image the machine is made from: a marketplace image, or any image by its ARM id."""

    model_config = rules(
        rule(
            "has(self.id) ? !(has(self.publisher) || has(self.offer) || has(self.sku) || has(self.version))"
            " : has(self.publisher) && has(self.offer) && has(self.sku) && has(self.version)",
            "give publisher, offer, sku and version, or id alone",
        )
    )

    publisher: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Publisher of a marketplace image, for example Canonical."""
    offer: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """Offer of a marketplace image, for example ubuntu-24_04-lts."""
    sku: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    """SKU of a marketplace image, for example server."""
    version: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """Version of a marketplace image; latest, or a number so that repeated runs use the same image."""
    id: Annotated[str, StringConstraints(pattern=r"^/.+", max_length=2048)] | None = None
    """ARM id of a managed or gallery image, in place of the four fields above."""


class OsDisk(SpecModel):
    """The disk the machine boots from. It is deleted with the host."""

    size_gib: int | None = Field(default=None, ge=1, le=4095, alias="sizeGiB")
    """Size in GiB (ARM's diskSizeGB, which counts GiB too); the image's own size when absent."""
    storage_account_type: Annotated[str, StringConstraints(pattern=_STORAGE_TYPE, max_length=32)] = "Premium_LRS"
    """ARM's storage account type: Standard_LRS, StandardSSD_LRS, Premium_LRS, and others; not used when ephemeral."""
    ephemeral: bool = False
    """Keep the disk on the hardware the host runs on: fast and free, but gone with it, so that such a host can be
    neither stopped nor deallocated, and a change of size begins with an empty disk."""


class Caching(StrEnum):
    """What the hypervisor caches of a disk."""

    NONE = "None"
    READ_ONLY = "ReadOnly"
    READ_WRITE = "ReadWrite"


class DataDisk(SpecModel):
    """An empty disk that is made with the host, or added to it, and deleted with it or when it leaves the list."""

    model_config = rules(
        rule("self.sizeGiB >= oldSelf.sizeGiB", "a disk can grow and not shrink; remove it and add one at another lun"),
        rule(
            "self.storageAccountType == oldSelf.storageAccountType",
            "storageAccountType of a disk is immutable; remove the disk and add one at another lun",
        ),
    )

    lun: int = Field(ge=0, le=63)
    """Logical unit number, unique in the host: under Linux /dev/disk/azure/data/by-lun/<lun>."""
    size_gib: int = Field(ge=1, le=65536, alias="sizeGiB")
    """Size in GiB (ARM's diskSizeGB, which counts GiB too). It may grow later."""
    storage_account_type: Annotated[str, StringConstraints(pattern=_STORAGE_TYPE, max_length=32)] = "Premium_LRS"
    """ARM's storage account type: Standard_LRS, StandardSSD_LRS, Premium_LRS, PremiumV2_LRS, UltraSSD_LRS."""
    caching: Caching = Caching.NONE
    """What the hypervisor caches; None, so that what is measured is the disk."""


class EvictionPolicy(StrEnum):
    """What Azure does with a spot machine whose capacity it takes back."""

    DEALLOCATE = "Deallocate"
    DELETE = "Delete"


class Spot(SpecModel):
    """Capacity that Azure sells for less and may take back at any moment."""

    max_price: Annotated[str, StringConstraints(pattern=r"^(-1|[0-9]+(\.[0-9]{1,5})?)$", max_length=16)] = "-1"
    """Most that an hour may cost, in US dollars with up to 5 decimals; -1 means up to the normal price."""
    eviction_policy: EvictionPolicy = EvictionPolicy.DEALLOCATE
    """Deallocate keeps the disk for the next start; Delete takes everything."""


class HostPlacement(SpecModel):
    """On which hardware the host shall be, by what exists already."""

    model_config = rules(
        rule(
            "!(has(self.dedicatedHostId) && has(self.capacityReservationGroupId))",
            "give dedicatedHostId or capacityReservationGroupId, not both",
        )
    )

    proximity_placement_group_id: Annotated[str, StringConstraints(pattern=ARM_ID_PATTERN, max_length=2048)] | None = (
        None
    )
    """ARM id of a proximity placement group: near the other machines of the group."""
    dedicated_host_id: Annotated[str, StringConstraints(pattern=ARM_ID_PATTERN, max_length=2048)] | None = None
    """ARM id of a dedicated host: hardware with no other tenant."""
    capacity_reservation_group_id: Annotated[str, StringConstraints(pattern=ARM_ID_PATTERN, max_length=2048)] | None = (
        None
    )
    """ARM id of a capacity reservation group: capacity that is paid for already."""


class VirtualNetwork(SpecModel):
    """A virtual network in the host's resource group, with one subnet named default."""

    name: Annotated[str, StringConstraints(pattern=_RESOURCE_NAME, max_length=64)]
    """Name of the virtual network."""
    address_prefix: Annotated[str, StringConstraints(pattern=_CIDR)] = "10.0.0.0/16"
    """Address range of the network and of its subnet, in CIDR notation, used when it is created."""
    create: bool = False
    """Create the network if it is missing, and delete it when the last host in it is deleted."""


class PublicAddress(StrEnum):
    """Whether the host gets an address that is reachable from outside its virtual network."""

    NONE = "None"
    STATIC = "Static"


class Network(SpecModel):
    """Where the host is attached: an existing subnet, or a virtual network in its own resource group."""

    model_config = rules(
        rule(
            "has(self.subnetId) != has(self.virtualNetwork)",
            "give exactly one of subnetId and virtualNetwork",
        )
    )

    subnet_id: Annotated[str, StringConstraints(pattern=ARM_ID_PATTERN, max_length=2048)] | None = None
    """ARM id of an existing subnet."""
    virtual_network: VirtualNetwork | None = None
    """A virtual network in the same resource group."""
    public_address: PublicAddress = PublicAddress.NONE
    """Static gives the host a public IP address of its own (Standard SKU), deleted with the host."""
    accelerated_networking: bool = False
    """Let the guest talk to the network card directly (SR-IOV); every size in the list must support it."""
    security_group_id: Annotated[str, StringConstraints(pattern=ARM_ID_PATTERN, max_length=2048)] | None = None
    """ARM id of an existing network security group for the host's network interface."""


class Admin(SpecModel):
    """The account that can log in over SSH, and where. Passwords are not offered."""

    model_config = rules(
        rule(
            "has(self.sshPublicKeysRef) || (has(self.sshPublicKeys) && size(self.sshPublicKeys) > 0)",
            "give sshPublicKeys or sshPublicKeysRef; password logins are not offered",
        ),
        fixed_presence("sshPublicKeysRef", inside="admin."),
    )

    username: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z_][a-z0-9_-]{0,31}$"),
        Field(json_schema_extra=immutable("admin.username")),
    ] = "bench"
    """User name; ARM refuses reserved names such as root and admin."""
    ssh_public_keys: Annotated[
        list[Annotated[str, StringConstraints(pattern=_SSH_KEY, max_length=8192)]],
        Field(max_length=32, json_schema_extra=immutable("admin.sshPublicKeys")),
    ] = []
    """OpenSSH public keys that may log in."""
    ssh_public_keys_ref: (
        Annotated[SecretKeyRef, Field(json_schema_extra=immutable("admin.sshPublicKeysRef"))] | None
    ) = None
    """A Secret key that holds OpenSSH public keys, one a line."""
    ssh_port: int = Field(default=22, ge=1, le=65535)
    """Port on which the image's SSH server listens. It is told to clients, and changes nothing in the cloud."""


class AzureSpec(SpecModel):
    """A virtual machine in Azure."""

    model_config = rules(
        rule("!(has(self.customData) && has(self.customDataRef))", "give customData or customDataRef, not both"),
        fixed_presence("name"),
        fixed_presence("customData"),
        fixed_presence("customDataRef"),
        fixed_presence("zones"),
        fixed_presence("spot"),
        fixed_presence("placement"),
    )

    subscription_id: Annotated[
        str, StringConstraints(pattern=_GUID), Field(json_schema_extra=immutable("subscriptionId"))
    ]
    """Subscription that pays for the host."""
    resource_group: Annotated[
        str,
        StringConstraints(pattern=_RESOURCE_GROUP, max_length=90),
        Field(json_schema_extra=immutable("resourceGroup")),
    ]
    """Existing resource group that the host's resources go into."""
    location: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9]+$", max_length=64),
        Field(json_schema_extra=immutable("location")),
    ]
    """Azure region, for example eastus."""
    name: (
        Annotated[
            str,
            StringConstraints(pattern=_VM_NAME, max_length=63),
            Field(json_schema_extra=immutable("name")),
        ]
        | None
    ) = None
    """Name of the virtual machine; computed from the BenchHost's name and uid when absent."""
    sizes: Annotated[
        list[Annotated[str, StringConstraints(pattern=_SIZE, min_length=2, max_length=64)]],
        Field(min_length=1, max_length=16),
    ]
    """VM sizes in order of preference: the first that has capacity is used. Changing it resizes the host."""
    zones: (
        Annotated[
            list[Annotated[str, StringConstraints(pattern=r"^[1-9]$")]],
            Field(min_length=1, max_length=9, json_schema_extra=immutable("zones")),
        ]
        | None
    ) = None
    """Availability zones in order of preference: a size is tried in each before the next size. Absent: Azure chooses
    hardware anywhere in the region and does not say where."""
    image: Annotated[Image, Field(json_schema_extra=immutable("image"))]
    """Image the host is made from."""
    os_disk: Annotated[OsDisk, Field(json_schema_extra=immutable("osDisk"))] = OsDisk()
    """The disk the host boots from."""
    data_disks: Annotated[
        list[DataDisk],
        Field(
            max_length=64,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["lun"]},
        ),
    ] = []
    """Disks beside the one it boots from."""
    network: Annotated[Network, Field(json_schema_extra=immutable("network"))]
    """Network the host is attached to."""
    admin: Admin
    """The account that can log in over SSH, and where."""
    custom_data: (
        Annotated[str, StringConstraints(max_length=48 * 1024), Field(json_schema_extra=immutable("customData"))] | None
    ) = None
    """What cloud-init runs at first boot, as plain text; use customDataRef for anything secret."""
    custom_data_ref: Annotated[SecretKeyRef, Field(json_schema_extra=immutable("customDataRef"))] | None = None
    """A Secret key that holds what cloud-init runs at first boot."""
    identity_ids: Annotated[
        list[Annotated[str, StringConstraints(pattern=ARM_ID_PATTERN, max_length=2048)]], Field(max_length=32)
    ] = []
    """ARM ids of user-assigned managed identities that programs on the host may use."""
    spot: Annotated[Spot, Field(json_schema_extra=immutable("spot"))] | None = None
    """Use spot capacity; absent: capacity that stays."""
    placement: Annotated[HostPlacement, Field(json_schema_extra=immutable("placement"))] | None = None
    """Hardware that the host shall be on."""
    hibernation: Annotated[bool, Field(json_schema_extra=immutable("hibernation"))] = False
    """Keep the memory when the host is deallocated because of powerState, and resume it at the next start."""
    boot_diagnostics: bool = True
    """Record the serial console, whose last lines are shown when the host does not come up."""
    tags: Annotated[
        dict[str, Annotated[str, StringConstraints(max_length=256)]],
        Field(max_length=40, json_schema_extra=_TAG_RULES),
    ] = {}
    """ARM tags (ARM allows 50; ten are kept for the controller): set on every resource of the host when it is made, and
    kept on the machine. A tag that is removed here stays where it is, and tags that others set are left alone."""
