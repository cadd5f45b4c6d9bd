"""A template as a whole: what it consists of, and what it comes to with values for its parameters."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchhost.emulator.cloud.templates.errors import TemplateError, not_supported
from benchhost.emulator.cloud.templates.evaluation import Evaluation, References, Scope
from benchhost.emulator.cloud.templates.parameters import Parameters, bind, is_secure, type_name
from benchhost.emulator.cloud.templates.planning import PlannedResource, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTIONS: dict[str, type | tuple[type, ...]] = {
    "$schema": str,
    "contentVersion": str,
    "parameters": dict,
    "variables": dict,
    "resources": list,
    "outputs": dict,
    "metadata": dict,
}
_REQUIRED = ("$schema", "contentVersion", "resources")
_REFUSED = {
    "functions": "functions that a template defines itself ('functions')",
    "languageVersion": "symbolic names ('languageVersion')",
    "definitions": "types that a template defines itself ('definitions')",
    "apiProfile": "API profiles ('apiProfile')",
}


@dataclass(frozen=True, slots=True)
class BoundTemplate:
    """A template with values for its parameters.

    Parameters
    ----------
    content
        The template.
    parameters
        Their values.
    scope
        Where it is deployed to.
    resources
        What it makes, in an order in which it can be made.
    """

    content: Mapping[str, Any]
    parameters: Parameters
    scope: Scope
    resources: list[PlannedResource]

    def evaluation(self, references: References | None = None) -> Evaluation:
        """Return what evaluates its values."""
        return Evaluation(self.scope, self.parameters.values, self.content.get("variables") or {}, references)

    def outputs(self, references: References) -> dict[str, dict[str, Any]]:
        """Return its outputs, ``{"type", "value"}`` each; a secret one has no value.

        Raises
        ------
        TemplateError
            When one of them cannot be evaluated.
        """
        evaluation = self.evaluation(references)
        outputs: dict[str, dict[str, Any]] = {}
        for name, output in (self.content.get("outputs") or {}).items():
            try:
                if evaluation.value(output.get("condition", True)):
                    outputs[name] = _output(output, evaluation)
            except TemplateError as error:
                raise error.within(f"output '{name}'") from error
        return outputs


def bind_template(content: Mapping[str, Any], given: Mapping[str, Any], scope: Scope) -> BoundTemplate:
    """Return a template with the given values for its parameters, checked as far as can be done before it is deployed.

    Raises
    ------
    TemplateError
        For anything that is wrong, or that the emulator cannot do.
    """
    _check_sections(content)
    parameters = bind(content.get("parameters") or {}, given, scope)
    evaluation = Evaluation(scope, parameters.values, content.get("variables") or {})
    return BoundTemplate(content, parameters, scope, plan(content["resources"], evaluation))


def template_hash(content: Mapping[str, Any]) -> str:
    """Return a number that depends on the template only, as digits; not the one that Azure would give."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def _check_sections(content: Mapping[str, Any]) -> None:
    for name, what in _REFUSED.items():
        if content.get(name) is not None:
            raise not_supported(what)
    for name in _REQUIRED:
        if name not in content:
            raise TemplateError(f"Required property '{name}' not found in JSON.")
    for name, value in content.items():
        expected = _SECTIONS.get(name)
        if expected is None:
            raise TemplateError(f"Could not find member '{name}' on object of type 'Template'.")
        if not isinstance(value, expected):
            raise TemplateError(f"The section '{name}' of the template has the wrong type.")
    if (content.get("variables") or {}).get("copy") is not None:
        raise not_supported("copy loops ('copy' in 'variables')")
    _check_outputs(content.get("outputs") or {})


def _check_outputs(outputs: Mapping[str, Any]) -> None:
    for name, output in outputs.items():
        if not isinstance(output, dict):
            raise TemplateError(f"The output '{name}' is no object.")
        if output.get("copy") is not None:
            raise not_supported(f"copy loops ('copy' in output '{name}')")
        type_name(str(output.get("type", "")))


def _output(output: Mapping[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    kind = str(output["type"])
    if is_secure(kind):
        return {"type": type_name(kind)}
    return {"type": type_name(kind), "value": evaluation.value(output.get("value"))}
