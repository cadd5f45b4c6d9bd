"""Parameters of a template: what it declares, what a deployment gives, and what may be told to others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.templates.errors import TemplateError, not_supported
from benchhost.emulator.cloud.templates.evaluation import Evaluation, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECURE = frozenset(("securestring", "secureobject"))
_TYPES: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "string": ("String", str),
    "securestring": ("SecureString", str),
    "int": ("Int", int),
    "bool": ("Bool", bool),
    "array": ("Array", list),
    "object": ("Object", dict),
    "secureobject": ("SecureObject", dict),
}
"""How ARM writes a type, and what its values are."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values of a template's parameters.

    Parameters
    ----------
    values
        By name, secrets too.
    shown
        As an answer may show them: ``{"type", "value"}``, and no value of a secret.
    """

    values: dict[str, Any]
    shown: dict[str, dict[str, Any]]


def is_secure(kind: str) -> bool:
    """Tell whether values of a type are never told."""
    return kind.lower() in _SECURE


def type_name(kind: str) -> str:
    """Return a type as ARM writes it in answers."""
    return _known(kind, "an output")[0]


def bind(declared: Mapping[str, Any], given: Mapping[str, Any], scope: Scope) -> Parameters:
    """Return the value of each parameter: the given one, or the default.

    Raises
    ------
    TemplateError
        For values that are missing, not declared, of the wrong type or not allowed.
    """
    values = _given_values(declared, given)
    shown: dict[str, dict[str, Any]] = {}
    for name, declaration in declared.items():
        if not isinstance(declaration, dict):
            raise TemplateError(f"The template parameter '{name}' is no object.")
        if name not in values:
            values[name] = _default(name, declaration, Evaluation(scope, values, {}))
        kind = str(declaration.get("type", ""))
        _check(name, declaration, values[name])
        shown[name] = {"type": _known(kind, f"the template parameter '{name}'")[0]}
        if not is_secure(kind):
            shown[name]["value"] = values[name]
    return Parameters(values, shown)


def _given_values(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    spelled = {name.lower(): name for name in declared}
    values: dict[str, Any] = {}
    for name, item in given.items():
        if name.lower() not in spelled:
            raise TemplateError(
                f"The template parameters '{name}' in the parameters file are not valid; they are not present in the "
                "original template and can therefore not be provided at deployment time. The only supported "
                f"parameters for this template are '{', '.join(declared)}'."
            )
        if not isinstance(item, dict) or not {"value", "reference"} & set(item):
            raise TemplateError(f"The template parameter '{name}' has to be given as an object with 'value'.")
        if "reference" in item:
            raise not_supported(f"the reference to a key vault in the parameter '{name}'")
        values[spelled[name.lower()]] = item["value"]
    return values


def _default(name: str, declaration: Mapping[str, Any], evaluation: Evaluation) -> Any:
    if "defaultValue" not in declaration:
        raise TemplateError(f"The value for the template parameter '{name}' is not provided.")
    try:
        return evaluation.value(declaration["defaultValue"])
    except TemplateError as error:
        raise error.within(f"the default value of parameter '{name}'") from error


def _check(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    kind = str(declaration.get("type", ""))
    shown, python = _known(kind, f"the template parameter '{name}'")
    is_of_type = isinstance(value, python) and (python is bool or not isinstance(value, bool))
    if not is_of_type:
        raise TemplateError(
            f"Template parameter JToken type is not valid. Expected '{shown}', and the value of the template parameter "
            f"'{name}' is a {type(value).__name__}."
        )
    allowed = declaration.get("allowedValues")
    if allowed is not None and value not in allowed:
        given = "" if is_secure(kind) else f" '{value}'"
        raise TemplateError(
            f"The provided value{given} for the template parameter '{name}' is not valid. It is not part of the "
            f"allowed value(s): '{','.join(map(str, allowed))}'."
        )
    _check_bounds(name, declaration, value)


def _check_bounds(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    measured, suffix = (value, "Value") if isinstance(value, int) else (len(value), "Length")
    least, most = declaration.get(f"min{suffix}"), declaration.get(f"max{suffix}")
    if (least is None or measured >= least) and (most is None or measured <= most):
        return
    raise TemplateError(
        f"The provided value for the template parameter '{name}' is not valid: its {suffix.lower()} {measured} is not "
        f"between {least} and {most}."
    )


def _known(kind: str, where: str) -> tuple[str, type | tuple[type, ...]]:
    found = _TYPES.get(kind.lower())
    if found is None:
        raise TemplateError(f"The type '{kind}' of {where} is not one of '{', '.join(_TYPES)}'.")
    return found
