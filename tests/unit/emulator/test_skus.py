"""What the list of SKUs says of sizes is what machines of that size are held to."""

from __future__ import annotations

import pytest

from benchhost.emulator.arm.sku_bodies import sku_body
from benchhost.emulator.cloud.catalog import MACHINE_SIZES
from benchhost.emulator.cloud.compute.capacity import Capacity
from benchhost.emulator.cloud.resources import ResourceStore


def capabilities_of(size: str) -> dict[str, str]:
    found = sku_body(MACHINE_SIZES[size.lower()], "eastus", Capacity(ResourceStore()))
    return {item["name"]: item["value"] for item in found["capabilities"]}


@pytest.mark.parametrize(
    ("size", "name", "value"),
    [
        pytest.param("Standard_D2s_v5", "PremiumIO", "True", id="s-is-premium-storage"),
        pytest.param("Standard_D2_v5", "PremiumIO", "False", id="no-s-is-none"),
        pytest.param("Standard_D2s_v3", "AcceleratedNetworkingEnabled", "False", id="two-hyperthreads-not-accelerated"),
        pytest.param("Standard_D4s_v3", "AcceleratedNetworkingEnabled", "True", id="four-are"),
        pytest.param("Standard_D2s_v5", "EphemeralOSDiskSupported", "False", id="no-local-disk"),
        pytest.param("Standard_D2s_v3", "EphemeralOSDiskSupported", "True", id="on-the-cache"),
        pytest.param("Standard_D2ds_v6", "EphemeralOSDiskSupported", "True", id="on-nvme"),
        pytest.param("Standard_D2d_v5", "EphemeralOSDiskSupported", "False", id="not-without-premium-storage"),
        pytest.param("Standard_D2s_v5", "HibernationSupported", "True", id="hibernates"),
        pytest.param("Standard_D2s_v3", "HibernationSupported", "False", id="does-not-hibernate"),
        pytest.param("Standard_D2s_v5", "MaxNetworkInterfaces", "2", id="interfaces"),
    ],
)
def test_a_size_is_said_to_have_what_it_has(size: str, name: str, value: str) -> None:
    assert capabilities_of(size)[name] == value
