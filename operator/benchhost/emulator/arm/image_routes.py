"""Marketplace images: what a client looks up before it names one in a machine.

The answers are bare arrays, as in Azure, not pages. Lists show one offer and SKU of each publisher and the newest
version; every other one that a machine may be made of can be asked for by its name. ``$top`` and ``$orderby`` change
nothing in lists of at most one item, ``$filter`` is not honoured.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from benchhost.emulator.arm.locations import offered_location
from benchhost.emulator.arm.messages import ArmRequest, ArmResponse
from benchhost.emulator.cloud import errors
from benchhost.emulator.cloud.catalog import Publisher, find_image, find_publisher, list_publishers
from benchhost.emulator.cloud.compute.profile import DEFAULT_OS_DISK_GB

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import Routes
    from benchhost.emulator.cloud.context import Body
    from benchhost.emulator.cloud.subscription import Subscription

_PUBLISHERS = "subscriptions/*/providers/microsoft.compute/locations/*/publishers"
_OFFERS = f"{_PUBLISHERS}/*/artifacttypes/*/offers"
_SKUS = f"{_OFFERS}/*/skus"
_VERSIONS = f"{_SKUS}/*/versions"

_KIND = "VMImage"
_LEVELS = ("Publishers", f"ArtifactTypes/{_KIND}/Offers", "Skus", "Versions")
"""How the ids of images are written."""


class ImageRoutes:
    """Handlers of marketplace images."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def routes(self) -> Routes:
        """Return the handlers."""
        return {
            ("GET", _PUBLISHERS): self._list_publishers,
            ("GET", _OFFERS): lambda request: self._list(request, self._publisher(request).offer),
            ("GET", _SKUS): lambda request: self._list(request, self._publisher(request).sku),
            ("GET", _VERSIONS): lambda request: self._list(request, self._publisher(request).exact_version),
            ("GET", f"{_VERSIONS}/*"): self._get_version,
        }

    def _list_publishers(self, request: ArmRequest) -> ArmResponse:
        self._location(request)
        return ArmResponse(body=[self._body(request, publisher.name) for publisher in list_publishers()])

    def _list(self, request: ArmRequest, name: str) -> ArmResponse:
        return ArmResponse(body=[self._body(request, name)])

    def _get_version(self, request: ArmRequest) -> ArmResponse:
        publisher = self._publisher(request)
        image = find_image(publisher.name, request.name)
        if image is None or request.name.lower() == "latest":  # a word for machines only
            raise _not_found()
        properties = {
            "hyperVGeneration": "V2",
            "architecture": "x64",
            "osDiskImage": {"operatingSystem": image.os_type, "sizeInGb": DEFAULT_OS_DISK_GB},
            "dataDiskImages": [],
            "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": False},
        }
        return ArmResponse(body={**self._body(request, None), "properties": properties})

    def _publisher(self, request: ArmRequest) -> Publisher:
        self._location(request)
        found = find_publisher(request.path.names[2])
        if found is None or request.path.names[3].lower() != _KIND.lower():
            raise _not_found()
        return found

    def _location(self, request: ArmRequest) -> str:
        return offered_location(request, self._subscription.context.locations)

    def _body(self, request: ArmRequest, child: str | None) -> Body:
        """Return what is at a path, or, with a name, what is below it."""
        _, _, *names = request.path.names
        below = [*names[:1], *names[2:], *([] if child is None else [child])]
        location = self._location(request)
        base = f"/Subscriptions/{self._subscription.id}/Providers/Microsoft.Compute/Locations/{location}"
        path = "".join(f"/{level}/{name}" for level, name in zip(_LEVELS, below, strict=False))
        return {"location": location, "name": below[-1], "id": f"{base}{path}"}


def _not_found() -> errors.ArmError:
    """Return Microsoft.Compute's 404 for images (body quoted in vagrant-azure#147)."""
    return errors.ArmError(HTTPStatus.NOT_FOUND, "NotFound", "Artifact: VMImage was not found.")
