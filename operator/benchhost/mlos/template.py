"""From a template and an environment's parameters to the BenchHost that shall exist.

Used by ``service``. Reads the template's file when it is made and nothing else.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from benchhost.api import BenchHostSpec, PowerState
from benchhost.api.host import describe_errors
from benchhost.api.names import API_VERSION, KIND, LABEL_MANAGED_BY, LABEL_OWNER
from benchhost.mlos.fields import FieldPath, check_fields, parse_field, set_field
from benchhost.mlos.names import ServiceConfigError, expand, find_variable

MANAGED_BY: Final = "mlos-bench"

_TOP = {"apiVersion", "kind", "metadata", "spec"}
_METADATA = {"name", "labels", "annotations"}


@dataclass(frozen=True, slots=True)
class HostTemplate:
    """What every host of the service has in common, and which parameter goes where."""

    manifest: dict[str, Any]
    """A BenchHost manifest, or a part of one, with ``$variables`` left in."""
    parameters: dict[str, FieldPath]
    """Parameter of the environment -> field of the BenchHost."""
    owner: str
    """Value of the label ``benchhost.dev/owner``."""

    @classmethod
    def load(
        cls, template: Mapping[str, Any] | str | None, parameters: Mapping[str, str] | None, *, owner: str
    ) -> "HostTemplate":
        """Read and check a template (inline, or the path of a YAML file) and the mapping of parameters.

        Raises
        ------
        ServiceConfigError
            If the file cannot be read, or either names a field that a BenchHost does not have.
        """
        manifest = _read(template) if isinstance(template, str) else copy.deepcopy(dict(template or {}))
        _check(manifest)
        fields = {name: _parse(name, text) for name, text in (parameters or {}).items()}
        return cls(manifest, fields, owner)

    def build(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest for these variables (globals and the environment's parameters), without a name.

        Raises
        ------
        ServiceConfigError
            If a variable or parameter is missing, or the result is not a BenchHost.
        """
        manifest: dict[str, Any] = _expand_manifest(self.manifest, variables)
        for name, field in self.parameters.items():
            if name not in variables:
                raise ServiceConfigError(
                    f"the service config maps the parameter {name!r} to {field.text}, but no environment passes it; "
                    "name it in the environment's const_args, required_args or tunable_params"
                )
            if variables[name] is not None:
                set_field(manifest, field, variables[name])
        metadata = manifest.get("metadata") or {}
        labels = (metadata.get("labels") or {}) | {LABEL_OWNER: self.owner, LABEL_MANAGED_BY: MANAGED_BY}
        kept = {"annotations": metadata["annotations"]} if metadata.get("annotations") else {}
        return {"metadata": {"labels": labels, **kept}, "spec": _to_spec(manifest.get("spec") or {})}

    @property
    def name(self) -> str | None:
        """``metadata.name`` of the template, if it has one."""
        return (self.manifest.get("metadata") or {}).get("name")


def _read(path: str) -> dict[str, Any]:
    try:
        manifest = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ServiceConfigError(f"the template {path} cannot be read: {reason}; check the key 'template'") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ServiceConfigError(f"the template {path} is not YAML: {reason}") from error
    if not isinstance(manifest, dict):
        raise ServiceConfigError(f"the template {path} is not a BenchHost manifest: it must be a mapping with 'spec'")
    return manifest


def _check(manifest: Mapping[str, Any]) -> None:
    for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if manifest.get(key, wanted) != wanted:
            raise ServiceConfigError(f"the template's {key} is {manifest[key]!r}; it must be {wanted}")
    metadata = manifest.get("metadata") or {}
    _check_keys(manifest, _TOP, "the template")
    if not isinstance(metadata, Mapping):
        raise ServiceConfigError("the template's metadata is not a mapping")
    if "namespace" in metadata:
        raise ServiceConfigError("the template sets metadata.namespace; use the service's config key 'namespace'")
    _check_keys(metadata, _METADATA, "the template's metadata")
    check_fields(manifest.get("spec") or {})


def _check_keys(value: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in value:
        if key not in known:
            raise ServiceConfigError(f"{where} has an unknown key {key!r}; it may have {', '.join(sorted(known))}")


def _parse(name: str, text: Any) -> FieldPath:
    try:
        return parse_field(str(text))
    except ServiceConfigError as error:
        raise ServiceConfigError(f"the key 'parameters' maps {name!r} to {text!r}: {error}") from error


def _expand_manifest(manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Replace variables everywhere but in ``customData``: a start-up script has shell variables of its own."""
    azure = (manifest.get("spec") or {}).get("azure") or {}
    custom_data = azure.get("customData") if isinstance(azure, Mapping) else None
    expanded: dict[str, Any] = expand(manifest, variables)
    if custom_data is not None:
        expanded["spec"]["azure"]["customData"] = None
    left = find_variable({key: value for key, value in expanded.items() if key != "metadata"} | _labels(expanded))
    if left is not None:
        raise ServiceConfigError(
            f"the template still holds ${left}: define {left} in the globals, or name it in the environment's "
            "required_args"
        )
    if custom_data is not None:
        expanded["spec"]["azure"]["customData"] = custom_data
    return expanded


def _labels(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that is sent; the name is made elsewhere."""
    metadata = manifest.get("metadata") or {}
    return {"metadata": {key: metadata.get(key) for key in ("labels", "annotations")}}


def _to_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Typed, checked, and without what nobody asked for, so that others' fields are left alone."""
    try:
        model = BenchHostSpec.model_validate({**spec, "powerState": PowerState.RUNNING})
    except ValidationError as error:
        raise ServiceConfigError(
            f"template and parameters do not make a BenchHost: spec.{describe_errors(error)}"
        ) from error
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
