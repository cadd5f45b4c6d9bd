"""The limits that Azure documents, and which of them a request counts against. Pure; asked by the budget.

Numbers: Microsoft.Compute's from ``compute-throttling-limits.md`` (azure-compute-docs), those of ARM's front door and
of Microsoft.Network from ``request-limits-and-throttling.md``. Names are those of the headers that tell what remains;
Microsoft.Network tells nothing, so its two names are ours.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from benchhost.azure.buckets import Limit

_ACROSS_PRINCIPALS: Final = 15
"""Times what one principal may do is what all of a subscription may."""
_MINUTE: Final = 60.0
_FRONT_DOOR: Final = {
    "reads": Limit(250, 25, 1.0),
    "writes": Limit(200, 10, 1.0),
    "deletes": Limit(200, 10, 1.0),
}
_COMPUTE: Final = {
    "PutVM": (Limit(1500, 500, _MINUTE), Limit(12, 4, _MINUTE)),
    "UpdateVM": (Limit(1500, 500, _MINUTE), Limit(12, 4, _MINUTE)),
    "DeleteVM": (Limit(1500, 500, _MINUTE), Limit(12, 4, _MINUTE)),
    "LowCostGet": (Limit(24000, 8000, _MINUTE), Limit(36, 12, _MINUTE)),
    "HighCostGet": (Limit(900, 300, _MINUTE), None),
    "GetOperation": (Limit(15000, 5000, _MINUTE), Limit(45, 15, _MINUTE)),
}
"""Policy: for a subscription in a region, and for one machine or operation."""
_NETWORK: Final = {"reads": Limit(10_000, 10_000, 300.0, is_window=True)} | dict.fromkeys(
    ("writes", "deletes"), Limit(1_000, 1_000, 300.0, is_window=True)
)
"""Writes and deletions are one limit."""
_KINDS: Final = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_DELETING_ACTIONS: Final = frozenset({"deallocate", "simulateeviction"})
_SUBSCRIPTION_HEADER: Final = "x-ms-ratelimit-remaining-"
_RESOURCE_HEADER: Final = "x-ms-ratelimit-remaining-resource"


class Claim(NamedTuple):
    """One bucket that a request takes a token from."""

    name: str
    scope: str
    """Subscription, with the region or the resource where the limit is for one."""
    is_shared: bool
    """Requests of several hosts meet here."""
    principal: str = ""
    """Whose it is, of limits that every principal has for itself."""

    def describe(self) -> str:
        """The limit in words, for messages."""
        return f"{self.name} of {self.scope}"


def claims(method: str, url: str, location: str, principal: str = "") -> tuple[tuple[Claim, Limit], ...]:
    """What a request counts against.

    Parameters
    ----------
    method
        Its verb.
    url
        Its URL, or the path of it.
    location
        The region of the host that it is for; a URL that names one goes before.
    principal
        Who sends it.
    """
    segments = urlsplit(url).path.strip("/").lower().split("/")
    subscription = segments[1] if len(segments) > 1 and segments[0] == "subscriptions" else ""
    kind = _KINDS.get(method.upper(), "writes")
    door = _FRONT_DOOR[kind]
    everybody = Limit(_ACROSS_PRINCIPALS * door.capacity, _ACROSS_PRINCIPALS * door.refill, door.period)
    return (
        (Claim(f"subscription-{kind}", subscription, is_shared=True, principal=principal), door),
        (Claim(f"subscription-global-{kind}", subscription, is_shared=True), everybody),
        *_of_provider(method.upper(), kind, segments, f"{subscription}/{_region(segments, location)}"),
    )


def remaining(headers: Mapping[str, str], names: Iterable[str]) -> dict[str, int]:
    """What an answer says is left of these limits; those that it does not tell are absent."""
    told = {name: headers.get(f"{_SUBSCRIPTION_HEADER}{name}") for name in names if name.startswith("subscription-")}
    pairs = (entry.partition(";") for entry in (headers.get(_RESOURCE_HEADER) or "").split(","))
    told |= {name.strip(): value for name, _, value in pairs}
    return {name: int(value) for name in names if (value := told.get(name)) and value.strip().isdecimal()}


def _region(segments: list[str], location: str) -> str:
    at = segments.index("locations") + 1 if "locations" in segments else len(segments)
    return segments[at] if at < len(segments) else location.replace(" ", "").lower()


def _of_provider(method: str, kind: str, segments: list[str], region: str) -> tuple[tuple[Claim, Limit], ...]:
    if "microsoft.network" in segments:
        name = "Microsoft.Network/reads" if kind == "reads" else "Microsoft.Network/changes"
        return ((Claim(name, region, is_shared=True), _NETWORK[kind]),)
    policy = (
        _compute_policy(method, segments[segments.index("microsoft.compute") + 1 :])
        if ("microsoft.compute" in segments)
        else None
    )
    if policy is None:
        return ()
    regional, single = _COMPUTE[policy]
    found = [(Claim(f"Microsoft.Compute/{policy}SubscriptionMaximum", region, is_shared=True), regional)]
    if single is not None:
        resource = "/".join(segments[: segments.index("microsoft.compute") + (5 if "operations" in segments else 3)])
        found.append((Claim(f"Microsoft.Compute/{policy}Resource", resource, is_shared=False), single))
    return tuple(found)


def _compute_policy(method: str, rest: list[str]) -> str | None:
    """The policy of a request, from what follows the provider's name in its path; None where none is documented."""
    match method, rest:
        case "GET", ["locations", _, "operations", *_]:
            return "GetOperation"
        case "GET", ["virtualmachines"] | ["locations", _, "virtualmachines"]:
            return "HighCostGet"
        case "GET", ["virtualmachines", _, *_]:
            return "LowCostGet"
        case "PUT", ["virtualmachines", _]:
            return "PutVM"
        case "DELETE", ["virtualmachines", _]:
            return "DeleteVM"
        case "POST", ["virtualmachines", _, action] if action in _DELETING_ACTIONS:
            return "DeleteVM"
        case _, ["virtualmachines", _, *_]:
            return "UpdateVM"
        case _:
            return None
