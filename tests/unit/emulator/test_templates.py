"""Templates as a whole: values of parameters, the order of resources, and what is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from benchhost.emulator.cloud.templates.errors import TemplateError
from benchhost.emulator.cloud.templates.evaluation import Scope
from benchhost.emulator.cloud.templates.template import BoundTemplate, bind_template

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ADDRESS, INTERFACE, MACHINE = (
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/networkInterfaces",
    "Microsoft.Compute/virtualMachines",
)


def bound(given: dict[str, Any] | None = None, **sections: Any) -> BoundTemplate:
    scope = Scope(
        resource_group={"id": GROUP, "name": "rg", "location": "eastus"}, subscription={"subscriptionId": SUBSCRIPTION}
    )
    template = {"$schema": "s", "contentVersion": "1.0.0.0", "resources": [], **sections}
    return bind_template(template, {name: {"value": value} for name, value in (given or {}).items()}, scope)


def resource(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "apiVersion": "2024-05-01", "name": name, "location": "eastus", **more}


def names(template: BoundTemplate) -> list[str]:
    return [one.name for one in template.resources]


def refusal(given: dict[str, Any] | None = None, **sections: Any) -> str:
    with pytest.raises(TemplateError) as refused:
        bound(given, **sections)
    return str(refused.value)


def test_parameters_are_what_is_given_and_else_their_default() -> None:
    declared = {
        "name": {"type": "string"},
        "label": {"type": "string", "defaultValue": "[concat(parameters('name'), '-', resourceGroup().location)]"},
    }

    parameters = bound({"NAME": "vm"}, parameters=declared).parameters

    assert parameters.values == {"name": "vm", "label": "vm-eastus"}
    assert parameters.shown["label"] == {"type": "String", "value": "vm-eastus"}


def test_values_of_secrets_are_not_shown() -> None:
    declared = {"key": {"type": "securestring"}, "more": {"type": "secureObject", "defaultValue": {"a": 1}}}

    parameters = bound({"key": "pa55"}, parameters=declared).parameters

    assert parameters.values["key"] == "pa55"
    assert parameters.shown == {"key": {"type": "SecureString"}, "more": {"type": "SecureObject"}}


@pytest.mark.parametrize(
    ("declaration", "given", "sentence"),
    [
        pytest.param({"type": "string"}, {}, "template parameter 'p' is not provided", id="missing"),
        pytest.param(
            {"type": "string"}, {"p": "a", "q": "b"}, "'q' in the parameters file are not valid", id="unknown"
        ),
        pytest.param({"type": "int"}, {"p": "a"}, "Expected 'Int'", id="of-the-wrong-type"),
        pytest.param({"type": "int"}, {"p": True}, "Expected 'Int'", id="true-is-no-number"),
        pytest.param({"type": "text"}, {"p": "a"}, "The type 'text'", id="of-an-unknown-type"),
        pytest.param({"type": "string", "allowedValues": ["a", "b"]}, {"p": "c"}, "'a,b'", id="not-allowed"),
        pytest.param({"type": "int", "maxValue": 5}, {"p": 6}, "between None and 5", id="too-large"),
        pytest.param({"type": "string", "minLength": 2}, {"p": "a"}, "length 1", id="too-short"),
        pytest.param(
            {"type": "string", "defaultValue": "[f()]"}, {}, "default value of parameter 'p'", id="bad-default"
        ),
    ],
)
def test_wrong_values_are_refused_by_the_parameters_name(
    declaration: dict[str, Any], given: dict[str, Any], sentence: str
) -> None:
    told = refusal(given, parameters={"p": declaration})

    assert sentence in told
    assert "'p'" in told or "'q'" in told


def test_a_refused_secret_is_not_told() -> None:
    declared = {"p": {"type": "securestring", "allowedValues": ["a"]}}

    assert "pa55" not in refusal({"p": "pa55"}, parameters=declared)


@pytest.mark.parametrize(
    "depends_on",
    [
        pytest.param(f"[resourceId('{ADDRESS}', 'ip')]", id="by-id"),
        pytest.param(f"{ADDRESS}/ip", id="by-type-and-name"),
        pytest.param("ip", id="by-name"),
    ],
)
def test_resources_come_after_those_that_they_depend_on(depends_on: str) -> None:
    template = bound(resources=[resource(INTERFACE, "nic", dependsOn=[depends_on]), resource(ADDRESS, "ip")])

    assert names(template) == ["ip", "nic"]
    assert template.resources[1].depends_on == (f"{GROUP}/providers/{ADDRESS}/ip",)


def test_a_reference_is_a_dependency_too() -> None:
    properties = {"label": f"[reference(resourceId('{ADDRESS}', 'ip')).dnsSettings.fqdn]"}

    assert names(bound(resources=[resource(INTERFACE, "nic", properties=properties), resource(ADDRESS, "ip")])) == [
        "ip",
        "nic",
    ]


def test_what_is_not_wanted_is_waited_for_by_nobody() -> None:
    template = bound(
        resources=[resource(INTERFACE, "nic", dependsOn=["ip"]), resource(ADDRESS, "ip", condition="[false()]")]
    )

    assert {one.name: one.is_wanted for one in template.resources} == {"ip": False, "nic": True}
    assert [one.depends_on for one in template.resources if one.name == "nic"] == [()]


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        pytest.param(
            [resource(ADDRESS, "a", dependsOn=["b"]), resource(ADDRESS, "b", dependsOn=["a"])],
            "Circular dependency detected",
            id="two-that-wait-for-each-other",
        ),
        pytest.param([resource(ADDRESS, "a", dependsOn=["a"])], "Circular dependency", id="one-that-waits-for-itself"),
        pytest.param([resource(ADDRESS, "a", dependsOn=["b"])], "'b' is not defined in the template", id="nobody"),
        pytest.param([resource(ADDRESS, "a"), resource(ADDRESS, "A")], "more than once", id="one-name-twice"),
        pytest.param([resource(ADDRESS, "a/b")], "1 parts after its namespace, and 2 names", id="too-many-names"),
        pytest.param([{"type": ADDRESS, "name": "a"}], "'apiVersion' is not found", id="no-version"),
        pytest.param([resource(ADDRESS, "a", copy={"count": 2})], "copy loops ('copy' in", id="copy"),
        pytest.param([resource(ADDRESS, "a", resources=[{}])], "nested in another's 'resources'", id="nested"),
        pytest.param(
            [resource("Microsoft.Resources/deployments", "d")], "nested deployments", id="a-deployment-in-a-deployment"
        ),
        pytest.param([resource(ADDRESS, "a", resourceGroup="x")], "another resource group", id="other-group"),
        pytest.param(
            [resource(ADDRESS, "a", properties={"x": ["[if(true(), 1, frob())]"]})],
            f"a resource of type '{ADDRESS}': The emulator does not support the template function 'frob'",
            id="an-unknown-function-in-a-branch-that-is-not-taken",
        ),
        pytest.param(
            [resource(ADDRESS, "a", properties={"x": "[variables('v')]"})],
            f"resource 'a' of type '{ADDRESS}': The template variable 'v' is not found.",
            id="an-unknown-variable",
        ),
    ],
)
def test_resources_that_cannot_be_made_are_refused_before_anything_is(
    resources: list[dict[str, Any]], sentence: str
) -> None:
    assert sentence in refusal(resources=resources)


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        pytest.param({"contentVersion": 1}, "'contentVersion' of the template has the wrong type", id="wrong-type"),
        pytest.param({"resource": []}, "Could not find member 'resource'", id="unknown-section"),
        pytest.param({"functions": [{}]}, "('functions')", id="functions"),
        pytest.param({"languageVersion": "2.0"}, "('languageVersion')", id="symbolic-names"),
        pytest.param({"variables": {"copy": []}}, "copy loops", id="copied-variables"),
        pytest.param({"outputs": {"o": {"type": "array", "copy": {}}}}, "copy loops", id="copied-outputs"),
        pytest.param({"outputs": {"o": {"value": 1}}}, "The type '' of an output", id="output-without-a-type"),
    ],
)
def test_sections_that_cannot_be_understood_are_refused(sections: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(**sections)


def test_outputs_are_evaluated_when_everything_exists_and_secrets_are_left_out() -> None:
    outputs = {
        "name": {"type": "string", "value": f"[reference(resourceId('{ADDRESS}', 'ip')).dnsSettings.fqdn]"},
        "whole": {"type": "object", "value": "[reference('ip', '2024-05-01', 'Full')]"},
        "key": {"type": "securestring", "value": "pa55"},
        "absent": {"type": "string", "value": "x", "condition": "[equals(1, 2)]"},
    }
    found = {"properties": {"dnsSettings": {"fqdn": "a.b"}}}

    def references(_target: str, _api_version: str | None, *, full: bool) -> Any:
        return found if full else found["properties"]

    assert bound(outputs=outputs, resources=[resource(ADDRESS, "ip")]).outputs(references) == {
        "name": {"type": "String", "value": "a.b"},
        "whole": {"type": "Object", "value": found},
        "key": {"type": "SecureString"},
    }


def test_what_only_says_how_to_deploy_is_not_sent_to_the_provider() -> None:
    template = bound(
        resources=[
            resource(ADDRESS, "ip", comments="x", condition=True, dependsOn=[], sku={"name": "Basic"}, tags=None)
        ]
    )

    assert template.resources[0].body(template.evaluation()) == {"location": "eastus", "sku": {"name": "Basic"}}
