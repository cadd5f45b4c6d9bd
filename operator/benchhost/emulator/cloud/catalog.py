"""What the emulated regions offer: virtual machine sizes and marketplace images.

A size's cores follow from its name and its memory from its family, so the catalogue is made from families rather
than written out. It is plausible, not complete: local disks are rounded, and exact image versions are made up. A
name that no family has is refused as Azure refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_LOCATIONS = ("eastus", "eastus2", "westus2", "westus3", "northeurope", "westeurope")


@dataclass(frozen=True, slots=True)
class MachineSize:
    """One virtual machine size.

    Parameters
    ----------
    name
        For instance ``Standard_D2s_v5``.
    family
        Azure's quota family.
    cores
        vCPUs.
    memory_mib
        Memory.
    resource_disk_mib
        Local temporary disk; 0 where the size has none.
    max_data_disks
        How many data disks can be attached.
    """

    name: str
    family: str
    cores: int
    memory_mib: int
    resource_disk_mib: int
    max_data_disks: int


@dataclass(frozen=True, slots=True)
class _Family:
    pattern: str
    quota: str
    cores: tuple[int, ...]
    gib_per_core: float
    local_gib_per_core: float = 0.0


_D = (2, 4, 8, 16, 32, 48, 64, 96)
_E = (2, 4, 8, 16, 20, 32, 48, 64, 96)
_F = (2, 4, 8, 16, 32, 48, 64, 72)

_FAMILIES = (
    _Family("Standard_D{}_v3", "standardDv3Family", (2, 4, 8, 16, 32, 48, 64), 4, 25),
    _Family("Standard_D{}s_v3", "standardDSv3Family", (2, 4, 8, 16, 32, 48, 64), 4, 8),
    _Family("Standard_D{}_v4", "standardDv4Family", (2, 4, 8, 16, 32, 48, 64), 4),
    _Family("Standard_D{}s_v4", "standardDSv4Family", (2, 4, 8, 16, 32, 48, 64), 4),
    _Family("Standard_D{}d_v4", "standardDDv4Family", (2, 4, 8, 16, 32, 48, 64), 4, 37.5),
    _Family("Standard_D{}ds_v4", "standardDDSv4Family", (2, 4, 8, 16, 32, 48, 64), 4, 37.5),
    _Family("Standard_D{}_v5", "standardDv5Family", _D, 4),
    _Family("Standard_D{}s_v5", "standardDSv5Family", _D, 4),
    _Family("Standard_D{}d_v5", "standardDDv5Family", _D, 4, 37.5),
    _Family("Standard_D{}ds_v5", "standardDDSv5Family", _D, 4, 37.5),
    _Family("Standard_D{}as_v5", "standardDASv5Family", _D, 4),
    _Family("Standard_D{}ads_v5", "standardDADSv5Family", _D, 4, 37.5),
    _Family("Standard_D{}ps_v5", "standardDPSv5Family", (2, 4, 8, 16, 32, 48, 64), 4),
    _Family("Standard_D{}pds_v5", "standardDPDSv5Family", (2, 4, 8, 16, 32, 48, 64), 4, 37.5),
    _Family("Standard_D{}ls_v5", "standardDLSv5Family", _D, 2),
    _Family("Standard_D{}s_v6", "standardDsv6Family", (*_D, 128), 4),
    _Family("Standard_D{}ds_v6", "standardDdsv6Family", (*_D, 128), 4, 55),
    _Family("Standard_D{}as_v6", "standardDasv6Family", _D, 4),
    _Family("Standard_D{}ads_v6", "standardDadsv6Family", _D, 4, 55),
    _Family("Standard_D{}as_v7", "standardDasv7Family", (*_D, 128, 160), 4),
    _Family("Standard_E{}_v3", "standardEv3Family", (2, 4, 8, 16, 20, 32, 48, 64), 8, 25),
    _Family("Standard_E{}s_v3", "standardESv3Family", (2, 4, 8, 16, 20, 32, 48, 64), 8, 16),
    _Family("Standard_E{}s_v4", "standardESv4Family", (2, 4, 8, 16, 20, 32, 48, 64), 8),
    _Family("Standard_E{}ds_v4", "standardEDSv4Family", (2, 4, 8, 16, 20, 32, 48, 64), 8, 37.5),
    _Family("Standard_E{}_v5", "standardEv5Family", _E, 8),
    _Family("Standard_E{}s_v5", "standardESv5Family", _E, 8),
    _Family("Standard_E{}ds_v5", "standardEDSv5Family", _E, 8, 37.5),
    _Family("Standard_E{}as_v5", "standardEASv5Family", _E, 8),
    _Family("Standard_E{}ads_v5", "standardEADSv5Family", _E, 8, 37.5),
    _Family("Standard_E{}s_v6", "standardEsv6Family", (*_E, 128), 8),
    _Family("Standard_E{}ds_v6", "standardEdsv6Family", (*_E, 128), 8, 55),
    _Family("Standard_E{}ads_v6", "standardEadsv6Family", _E, 8, 55),
    _Family("Standard_F{}s_v2", "standardFSv2Family", _F, 2, 8),
    _Family("Standard_F{}as_v6", "standardFasv6Family", (2, 4, 8, 16, 32, 48, 64), 4),
    _Family("Standard_L{}s_v2", "standardLSv2Family", (8, 16, 32, 48, 64, 80), 8, 10),
    _Family("Standard_L{}s_v3", "standardLSv3Family", (8, 16, 32, 48, 64, 80), 8, 10),
    _Family("Standard_L{}as_v3", "standardLASv3Family", (8, 16, 32, 48, 64, 80), 8, 10),
    _Family("Standard_FX{}mds", "standardFXMDVSFamily", (4, 12, 24, 36, 48), 21, 42),
    _Family("Standard_HB120-{}rs_v3", "standardHBv3Family", (16, 32, 64, 96), 4, 4),
    _Family("Standard_NC{}as_T4_v3", "standardNCASv3_T4Family", (4, 8, 16, 64), 7, 44),
)

_SINGLES = (
    MachineSize("Standard_A1_v2", "standardAv2Family", 1, 2048, 10240, 2),
    MachineSize("Standard_A2_v2", "standardAv2Family", 2, 4096, 20480, 4),
    MachineSize("Standard_A4_v2", "standardAv2Family", 4, 8192, 40960, 8),
    MachineSize("Standard_A8_v2", "standardAv2Family", 8, 16384, 81920, 16),
    MachineSize("Standard_B1ls", "standardBSFamily", 1, 512, 4096, 2),
    MachineSize("Standard_B1s", "standardBSFamily", 1, 1024, 4096, 2),
    MachineSize("Standard_B1ms", "standardBSFamily", 1, 2048, 4096, 2),
    MachineSize("Standard_B2s", "standardBSFamily", 2, 4096, 8192, 4),
    MachineSize("Standard_B2ms", "standardBSFamily", 2, 8192, 16384, 4),
    MachineSize("Standard_B4ms", "standardBSFamily", 4, 16384, 32768, 8),
    MachineSize("Standard_B8ms", "standardBSFamily", 8, 32768, 65536, 16),
    MachineSize("Standard_B12ms", "standardBSFamily", 12, 49152, 98304, 16),
    MachineSize("Standard_B16ms", "standardBSFamily", 16, 65536, 131072, 32),
    MachineSize("Standard_B20ms", "standardBSFamily", 20, 81920, 163840, 32),
    MachineSize("Standard_B2ts_v2", "standardBsv2Family", 2, 1024, 0, 4),
    MachineSize("Standard_B2ls_v2", "standardBsv2Family", 2, 4096, 0, 4),
    MachineSize("Standard_B2s_v2", "standardBsv2Family", 2, 8192, 0, 4),
    MachineSize("Standard_B4ls_v2", "standardBsv2Family", 4, 8192, 0, 8),
    MachineSize("Standard_B4s_v2", "standardBsv2Family", 4, 16384, 0, 8),
    MachineSize("Standard_B8s_v2", "standardBsv2Family", 8, 32768, 0, 16),
    MachineSize("Standard_B2as_v2", "standardBasv2Family", 2, 8192, 0, 4),
    MachineSize("Standard_B4as_v2", "standardBasv2Family", 4, 16384, 0, 8),
    MachineSize("Standard_B8as_v2", "standardBasv2Family", 8, 32768, 0, 16),
    MachineSize("Standard_D1_v2", "standardDv2Family", 1, 3584, 51200, 4),
    MachineSize("Standard_D2_v2", "standardDv2Family", 2, 7168, 102400, 8),
    MachineSize("Standard_D3_v2", "standardDv2Family", 4, 14336, 204800, 16),
    MachineSize("Standard_D4_v2", "standardDv2Family", 8, 28672, 409600, 32),
    MachineSize("Standard_D5_v2", "standardDv2Family", 16, 57344, 819200, 64),
    MachineSize("Standard_DS1_v2", "standardDSv2Family", 1, 3584, 7168, 4),
    MachineSize("Standard_DS2_v2", "standardDSv2Family", 2, 7168, 14336, 8),
    MachineSize("Standard_DS3_v2", "standardDSv2Family", 4, 14336, 28672, 16),
    MachineSize("Standard_DS4_v2", "standardDSv2Family", 8, 28672, 57344, 32),
    MachineSize("Standard_DS5_v2", "standardDSv2Family", 16, 57344, 114688, 64),
)


def _sizes_of(family: _Family) -> list[MachineSize]:
    return [
        MachineSize(
            name=family.pattern.format(cores),
            family=family.quota,
            cores=cores,
            memory_mib=int(cores * family.gib_per_core * 1024),
            resource_disk_mib=int(cores * family.local_gib_per_core * 1024),
            max_data_disks=min(32, 2 * cores),
        )
        for cores in family.cores
    ]


MACHINE_SIZES: dict[str, MachineSize] = {
    size.name.lower(): size for size in (*_SINGLES, *(size for family in _FAMILIES for size in _sizes_of(family)))
}
"""Every size, by its name in lower case."""


def find_size(name: str) -> MachineSize | None:
    """Return the size of that name, in any case, or None."""
    return MACHINE_SIZES.get(name.lower())


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who offers marketplace images.

    Parameters
    ----------
    name
        Its name.
    os_type
        ``Linux`` or ``Windows``.
    exact_version
        The newest version of each of its images.
    offer, sku
        The image that lists show. Every other offer of the publisher exists too, and is in no list.
    """

    name: str
    os_type: str
    exact_version: str
    offer: str
    sku: str


_PUBLISHERS = {
    publisher.name.lower(): publisher
    for publisher in (
        Publisher("Canonical", "Linux", "24.04.202611120", "ubuntu-24_04-lts", "server"),
        Publisher("Debian", "Linux", "0.20261110.2293", "debian-13", "13-gen2"),
        Publisher("RedHat", "Linux", "9.6.2026110613", "RHEL", "9-lvm-gen2"),
        Publisher("SUSE", "Linux", "2026.11.04", "sles-15-sp7", "gen2"),
        Publisher("AlmaLinux", "Linux", "9.6.202611070", "almalinux-x86_64", "9-gen2"),
        Publisher("OpenLogic", "Linux", "7.9.2024112900", "CentOS", "7_9-gen2"),
        Publisher("MicrosoftCBLMariner", "Linux", "3.20261107.01", "azure-linux-3", "azure-linux-3-gen2"),
        Publisher("microsoft-dsvm", "Linux", "24.11.06", "ubuntu-2204", "2204-gen2"),
        Publisher(
            "MicrosoftWindowsServer", "Windows", "20348.4405.261105", "WindowsServer", "2022-datacenter-azure-edition"
        ),
    )
}


def list_publishers() -> list[Publisher]:
    """Return every publisher, in the order of their names."""
    return sorted(_PUBLISHERS.values(), key=lambda publisher: publisher.name.lower())


def find_publisher(name: str) -> Publisher | None:
    """Return the publisher of that name, in any case, or None."""
    return _PUBLISHERS.get(name.lower())


@dataclass(frozen=True, slots=True)
class Image:
    """A marketplace image.

    Parameters
    ----------
    exact_version
        What ``latest`` stands for today.
    os_type
        ``Linux`` or ``Windows``.
    """

    exact_version: str
    os_type: str


def find_image(publisher: str, version: str) -> Image | None:
    """Return the image that a publisher gives under a version, or None for an unknown publisher.

    Offers and SKUs are not looked at: every one of a known publisher exists.
    """
    found = find_publisher(publisher)
    if found is None:
        return None
    exact = found.exact_version if version.lower() == "latest" else version
    return Image(exact_version=exact, os_type=found.os_type)
