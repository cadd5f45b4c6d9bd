"""The CustomResourceDefinition, generated from the models.

Called by ``benchhost crd`` (``make generate``) and by the check that the committed file is current. It only turns
pydantic's JSON Schema into Kubernetes' structural schema; what a field is, is said in the models.
"""

from collections.abc import Mapping
from typing import Any, Final

from benchhost.api import names
from benchhost.api.host import BenchHost

_DROPPED: Final = frozenset({"title", "$defs", "additionalProperties"})
_RULES: Final = "x-kubernetes-validations"
_PENDING_STATUS: Final[dict[str, Any]] = {
    "conditions": [
        {
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "Waiting for controller",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
            "observedGeneration": 0,
        }
    ]
}
"""A host that no controller has seen must not look finished (as in Gateway API's status default)."""


def _column(name: str, path: str, *, kind: str = "string", wide: bool = False, about: str) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "type": kind, "jsonPath": path, "description": about}
    if wide:
        column["priority"] = 1
    return column


PRINTER_COLUMNS: Final[list[dict[str, Any]]] = [
    _column("Power", ".status.powerState", about="Power state as the cloud reports it"),
    _column("Ready", '.status.conditions[?(@.type=="Ready")].status', about="Whether the host can be used now"),
    _column("Phase", ".status.phase", about="What the controller is doing, in a word"),
    _column("Size", ".status.size", about="The VM size that the host has"),
    _column("Address", ".status.sshEndpoint.host", about="Where SSH answers"),
    _column("Epoch", ".status.placement.epoch", kind="integer", about="Counts the allocations onto hardware"),
    _column("Age", ".metadata.creationTimestamp", kind="date", about="Time since creation"),
    _column("Location", ".spec.azure.location", wide=True, about="Azure region"),
    _column("Zone", ".status.zone", wide=True, about="Availability zone"),
    _column("Reason", '.status.conditions[?(@.type=="Synced")].reason', wide=True, about="Why it is as it is"),
    _column("Provider ID", ".status.providerId", wide=True, about="The machine's id in the cloud"),
]


def to_structural_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Turn one JSON Schema of pydantic into the structural form that the API server takes.

    References are inlined, ``X or null`` becomes an optional X, and what Kubernetes does not know is left out.
    """
    merged = _inline(dict(schema), definitions)
    out = {key: value for key, value in merged.items() if key not in _DROPPED}
    if "properties" in merged:
        out["properties"] = {
            name: to_structural_schema(field, definitions) for name, field in merged["properties"].items()
        }
    elif isinstance(merged.get("additionalProperties"), Mapping):
        out["additionalProperties"] = to_structural_schema(merged["additionalProperties"], definitions)
    if "items" in merged:
        out["items"] = to_structural_schema(merged["items"], definitions)
    if "default" in out:
        out["default"] = _without_none(out["default"])
        if out["default"] is None:
            del out["default"]
    return out


def _inline(schema: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Replace a reference, or a choice between one type and null, by the type; what stands beside it wins."""
    if "$ref" in schema:
        target = definitions[schema.pop("$ref").rsplit("/", 1)[-1]]
        return _inline(_merge(target, schema), definitions)
    if "anyOf" in schema:
        options = [option for option in schema.pop("anyOf") if option.get("type") != "null"]
        if len(options) != 1:
            raise ValueError(f"a structural schema has no union: {options}")
        return _inline(_merge(options[0], schema), definitions)
    return schema


def _merge(target: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside a reference wins, except that CEL rules of both hold."""
    merged = {**target, **beside}
    both = [*target.get(_RULES, []), *beside.get(_RULES, [])]
    return merged | {_RULES: both} if both else merged


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def _object_schema() -> dict[str, Any]:
    source = BenchHost.model_json_schema(by_alias=True, mode="validation")
    properties = source["properties"]
    definitions = source["$defs"]
    spec = to_structural_schema(properties["spec"], definitions)
    status = to_structural_schema(properties["status"], definitions)
    status["default"] = _PENDING_STATUS
    status["properties"]["conditions"] |= {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }
    return {
        "type": "object",
        "description": source["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the schema of this object."},
            "kind": {"type": "string", "description": "The kind of this object: BenchHost."},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }


def custom_resource_definition() -> dict[str, Any]:
    """The whole CRD as ``kubectl apply`` takes it."""
    version = {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": PRINTER_COLUMNS,
        "schema": {"openAPIV3Schema": _object_schema()},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": [names.SHORT_NAME],
                "categories": [names.CATEGORY],
            },
            "versions": [version],
        },
    }
