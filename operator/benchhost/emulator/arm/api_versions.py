"""Which API versions each resource type is served under.

Stable versions, the newest of each list being what the Python SDK sends (azure-mgmt-compute 39, azure-mgmt-network
33), and the one preview that a released tool insists on (azure-cli 2.91, identities). The lists were not compared
with a real subscription: Azure may serve more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchhost.emulator.cloud import errors

if TYPE_CHECKING:
    from benchhost.emulator.arm.messages import ArmPath


def _versions(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MACHINES = _versions(
    """2016-03-30 2017-03-30 2017-12-01 2018-04-01 2018-06-01 2018-10-01 2019-03-01 2019-07-01 2019-12-01
    2020-06-01 2020-12-01 2021-03-01 2021-04-01 2021-07-01 2021-11-01 2022-03-01 2022-08-01 2022-11-01 2023-03-01
    2023-07-01 2023-09-01 2024-03-01 2024-07-01 2024-11-01 2025-04-01 2025-11-01 2026-03-01 2026-04-01"""
)
DISKS = _versions(
    """2017-03-30 2018-04-01 2018-06-01 2018-09-30 2019-03-01 2019-07-01 2019-11-01 2020-05-01 2020-06-30
    2020-09-30 2020-12-01 2021-04-01 2021-08-01 2021-12-01 2022-03-02 2022-07-02 2023-01-02 2023-04-02 2023-10-02
    2024-03-02 2025-01-02 2026-03-02"""
)
SKUS = _versions("2017-03-30 2017-09-01 2019-04-01 2021-07-01")
NETWORK = _versions(
    """2017-09-01 2017-10-01 2017-11-01 2018-01-01 2018-02-01 2018-04-01 2018-06-01 2018-07-01 2018-08-01 2018-10-01
    2018-11-01 2018-12-01 2019-02-01 2019-04-01 2019-06-01 2019-07-01 2019-08-01 2019-09-01 2019-11-01 2019-12-01
    2020-03-01 2020-04-01 2020-05-01 2020-06-01 2020-07-01 2020-08-01 2020-11-01 2021-02-01 2021-03-01 2021-05-01
    2021-08-01 2021-12-01 2022-01-01 2022-05-01 2022-07-01 2022-09-01 2022-11-01 2023-02-01 2023-04-01 2023-05-01
    2023-06-01 2023-09-01 2023-11-01 2024-01-01 2024-03-01 2024-05-01 2024-07-01 2024-10-01 2025-01-01 2025-03-01
    2025-05-01 2025-07-01 2025-09-01 2026-01-01 2026-03-01"""
)
RESOURCES = _versions(
    """2016-02-01 2016-06-01 2016-09-01 2017-05-10 2018-01-01 2018-02-01 2018-05-01 2019-03-01 2019-05-01
    2019-05-10 2019-06-01 2019-07-01 2019-08-01 2019-10-01 2019-11-01 2020-01-01 2020-06-01 2020-08-01 2020-10-01
    2021-01-01 2021-04-01 2022-01-01 2022-06-01 2022-09-01 2022-12-01 2023-07-01 2024-03-01 2024-07-01 2024-11-01
    2025-03-01 2025-04-01"""
)
DEPLOYMENTS = tuple(sorted({*RESOURCES, "2022-05-01"}))
"""One more than of groups: mlos_bench 0.6.2 sends it."""

IDENTITIES = _versions("2018-11-30 2023-01-31 2024-11-30 2025-05-31-preview")
LOCKS = _versions("2015-01-01 2016-09-01 2017-04-01 2020-05-01")

_MACHINE_TYPES = (
    *("virtualMachines", "virtualMachines/extensions", "proximityPlacementGroups", "hostGroups", "hostGroups/hosts"),
    *("capacityReservationGroups", "capacityReservationGroups/capacityReservations"),
)
_NETWORK_TYPES = (
    *("virtualNetworks", "virtualNetworks/subnets", "publicIPAddresses", "networkInterfaces"),
    *("networkSecurityGroups", "networkSecurityGroups/securityRules", "locations"),
)
RESOURCE_TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "Microsoft.Compute": {
        **dict.fromkeys(_MACHINE_TYPES, MACHINES),
        "disks": DISKS,
        "skus": SKUS,
        "locations": tuple(sorted({*MACHINES, *DISKS})),
    },
    "Microsoft.Network": dict.fromkeys(_NETWORK_TYPES, NETWORK),
    "Microsoft.ManagedIdentity": {"userAssignedIdentities": IDENTITIES},
    "Microsoft.Authorization": {"locks": LOCKS},
    "Microsoft.Resources": {"resourceGroups": RESOURCES, "deployments": DEPLOYMENTS},
}
"""Versions, oldest first, by resource provider and type."""

_BY_TYPE = {
    namespace.lower(): {kind.lower(): versions for kind, versions in types.items()}
    for namespace, types in RESOURCE_TYPES.items()
}

PROVIDERS = {name.lower(): name for name in RESOURCE_TYPES}
"""Registered resource providers, by their names in lower case."""

_ABOUT_A_PROVIDER = ((), ("register",))
"""What follows the namespace where ARM itself is asked, and no provider."""


def check_api_version(path: ArmPath, version: str | None, *, method: str, locations: tuple[str, ...]) -> str:
    """Return the API version of a request.

    Raises
    ------
    ArmError
        ``MissingApiVersionParameter``, ``InvalidResourceNamespace``, ``InvalidResourceType``,
        ``NoRegisteredProviderFound`` or ``InvalidApiVersionParameter``, as ARM's front door answers.
    """
    if not version:
        raise errors.bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if path.provider is None or path.types in _ABOUT_A_PROVIDER:
        _check_front_door(version)
        return version
    supported = _versions_of(path, version)
    if version.lower() in supported:
        return version.lower()
    kind = path.types[0]
    if method == "PUT":
        raise errors.bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{locations[0]}' and API version '{version}' "
            f"for type '{kind}'. The supported api-versions are '{', '.join(supported)}'. "
            f"The supported locations are '{', '.join(locations)}'.",
        )
    raise _invalid_type(path, version, supported)


def _check_front_door(version: str) -> None:
    if version.lower() in RESOURCES:
        return
    raise errors.bad_request(
        "InvalidApiVersionParameter",
        f"The api-version '{version}' is invalid. The supported versions are '{','.join(reversed(RESOURCES))}'.",
    )


def _versions_of(path: ArmPath, version: str) -> tuple[str, ...]:
    namespace = (path.provider or "").lower()
    types = _BY_TYPE.get(namespace)
    if types is None:
        raise errors.ArmError(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{path.provider}' is invalid.",
            from_gateway=True,
        )
    supported = types.get(path.types[0].lower())
    if supported is None:
        raise errors.ArmError(
            404,
            "InvalidResourceType",
            f"The resource type '{path.types[0]}' could not be found in the namespace '{path.provider}' for api "
            f"version '{version}'.",
            from_gateway=True,
        )
    return supported


def _invalid_type(path: ArmPath, version: str, supported: tuple[str, ...]) -> errors.ArmError:
    return errors.bad_request(
        "InvalidResourceType",
        f"The resource type '{path.types[0]}' could not be found in the namespace '{path.provider}' for api "
        f"version '{version}'. The supported api-versions are '{','.join(supported)}'.",
    )
