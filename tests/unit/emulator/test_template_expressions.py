"""The language of templates: what expressions come to, and how those are refused that come to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from benchhost.emulator.cloud.templates.errors import TemplateError
from benchhost.emulator.cloud.templates.evaluation import Evaluation, Scope

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VNET = "Microsoft.Network/virtualNetworks"
SCOPE = Scope(
    resource_group={"id": GROUP, "name": "rg", "location": "eastus", "tags": {"owner": "me"}},
    subscription={"subscriptionId": SUBSCRIPTION, "tenantId": "t"},
)
PARAMETERS = {"vmName": "Vm1", "ports": ["22", "80"], "count": 3, "on": True, "empty": "", "secret": "pa55"}
VARIABLES = {
    "nic": "[format('{0}-nic', parameters('vmName'))]",
    "twice": "[concat(variables('nic'), variables('nic'))]",
    "disk": {"Type": "Standard_LRS", "sizes": [30, 64]},
    "me": "[variables('you')]",
    "you": "[variables('me')]",
}


def evaluate(value: Any) -> Any:
    return Evaluation(SCOPE, PARAMETERS, VARIABLES).value(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("plain", "plain", id="plain-text-stays"),
        pytest.param("[[not an expression]", "[not an expression]", id="two-brackets-stand-for-one"),
        pytest.param("[open", "[open", id="a-bracket-alone-is-text"),
        pytest.param("['it''s']", "it's", id="two-quotes-stand-for-one"),
        pytest.param("[ parameters( 'vmName' ) ]", "Vm1", id="spaces-do-not-matter"),
        pytest.param("[PARAMETERS('VMNAME')]", "Vm1", id="case-of-functions-and-names-does-not-matter"),
        pytest.param("[parameters('ports')[1]]", "80", id="items-are-taken-by-index"),
        pytest.param("[parameters('ports')]", ["22", "80"], id="a-value-that-is-no-string-stays-what-it-is"),
        pytest.param("[variables('disk').type]", "Standard_LRS", id="properties-are-taken-by-name-in-any-case"),
        pytest.param("[variables('disk')['sizes'][0]]", 30, id="properties-and-items-chain"),
        pytest.param("[variables('twice')]", "Vm1-nicVm1-nic", id="variables-may-use-variables"),
        pytest.param("[resourceGroup().location]", "eastus", id="the-group-has-a-location"),
        pytest.param("[subscription().subscriptionId]", SUBSCRIPTION, id="the-subscription-has-an-id"),
        pytest.param("[toLower(parameters('vmName'))]", "vm1", id="to-lower"),
        pytest.param("[toUpper('a')]", "A", id="to-upper"),
        pytest.param("[concat('a', 1, 'b')]", "a1b", id="concat-of-texts-and-numbers"),
        pytest.param("[concat(createArray(1), createArray(2))]", [1, 2], id="concat-of-lists"),
        pytest.param("[format('{0}/{1}/{0}', 'a', 2)]", "a/2/a", id="format-fills-holes"),
        pytest.param("[format('{{{0}}}', 'a')]", "{a}", id="format-keeps-doubled-braces"),
        pytest.param("[base64('hello')]", "aGVsbG8=", id="base64"),
        pytest.param("[base64('')]", "", id="base64-of-nothing"),
        pytest.param("[base64ToString('aGVsbG8=')]", "hello", id="base64-and-back"),
        pytest.param("[if(equals(1, 1), 'yes', div(1, 0))]", "yes", id="if-does-not-look-at-the-other-branch"),
        pytest.param("[if(parameters('on'), null(), 'x')]", None, id="null"),
        pytest.param("[equals('a', 'A')]", False, id="texts-are-equal-only-in-the-same-case"),
        pytest.param("[equals(1, true())]", False, id="one-is-not-true"),
        pytest.param("[and(true(), not(false()))]", True, id="and-not"),
        pytest.param("[or(false(), parameters('on'))]", True, id="or"),
        pytest.param("[empty(parameters('empty'))]", True, id="empty"),
        pytest.param("[length(parameters('ports'))]", 2, id="length"),
        pytest.param("[contains(parameters('ports'), '22')]", True, id="contains-an-item"),
        pytest.param("[contains(variables('disk'), 'TYPE')]", True, id="contains-a-property-in-any-case"),
        pytest.param("[replace('a-b-c', '-', '')]", "abc", id="replace"),
        pytest.param("[string(7)]", "7", id="a-number-as-text"),
        pytest.param("[string(createArray(1,'a'))]", '[1,"a"]', id="a-list-as-text"),
        pytest.param("[int('5')]", 5, id="a-text-as-number"),
        pytest.param("[add(parameters('count'), -1)]", 2, id="numbers-may-be-negative"),
        pytest.param("[mod(-7, 2)]", -1, id="rests-are-taken-towards-zero"),
        pytest.param("[substring('hello', 1, 3)]", "ell", id="substring"),
        pytest.param("[split('a,b', ',')]", ["a", "b"], id="split"),
        pytest.param("[join(parameters('ports'), '-')]", "22-80", id="join"),
        pytest.param("[first(split('a/b', '/'))]", "a", id="first"),
        pytest.param("[coalesce(null(), 'b')]", "b", id="coalesce"),
        pytest.param("[union(createObject('a', 1), createObject('b', 2))]", {"a": 1, "b": 2}, id="union"),
        pytest.param("[guid('a', 'b')]", "2d796349-8c7e-55ec-9624-54ece82ed031", id="guid"),
        pytest.param(f"[resourceId('{VNET}', 'v')]", f"{GROUP}/providers/{VNET}/v", id="id-in-this-group"),
        pytest.param(
            f"[resourceId('other', '{VNET}/subnets', 'v', 's')]",
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/{VNET}/v/subnets/s",
            id="id-of-a-nested-resource-in-another-group",
        ),
        pytest.param(
            f"[resourceId('sub', 'other', '{VNET}', 'v')]",
            f"/subscriptions/sub/resourceGroups/other/providers/{VNET}/v",
            id="id-in-another-subscription",
        ),
        pytest.param(
            "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
            f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/r",
            id="id-in-the-subscription",
        ),
        pytest.param({"a": ["[string(1)]", {"b": "[null()]"}]}, {"a": ["1", {"b": None}]}, id="in-any-depth"),
    ],
)
def test_expressions_come_to_a_value(text: Any, value: Any) -> None:
    assert evaluate(text) == value


def test_unique_strings_are_13_characters_that_depend_on_their_arguments_only() -> None:
    one, again, other = (evaluate(f"[uniqueString('{text}')]") for text in ("a", "a", "b"))

    assert one == again != other
    assert len(one) == 13
    assert set(one) <= set("abcdefghijklmnopqrstuvwxyz234567")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("[frobnicate(1)]", "does not support the template function 'frobnicate'", id="unknown-function"),
        pytest.param("[copyIndex()]", "does not support copy loops", id="copy-loop"),
        pytest.param("[listKeys('a', 'b')]", "the function 'listKeys'", id="keys"),
        pytest.param("[contoso.name('a')]", "'contoso.', a namespace of functions", id="function-of-the-template"),
        pytest.param("[concat('a'", None, id="an-expression-that-does-not-end-is-text"),
        pytest.param("[concat('a']", "not valid", id="missing-parenthesis"),
        pytest.param("[concat('a') 'b']", "go on with ''b''", id="two-values"),
        pytest.param("[parameters('nobody')]", "The template parameter 'nobody' is not found.", id="no-such-parameter"),
        pytest.param("[variables('nobody')]", "The template variable 'nobody' is not found.", id="no-such-variable"),
        pytest.param("[variables('me')]", "refers to itself", id="variables-in-a-circle"),
        pytest.param("[variables('disk').color]", "'color' doesn't exist", id="no-such-property"),
        pytest.param("[parameters('ports')[2]]", "out of bounds", id="no-such-item"),
        pytest.param("[toLower(1)]", "'toLower' expects a string, not a number", id="wrong-type"),
        pytest.param("[toLower('a', 'b')]", "'toLower' was given 2 arguments", id="too-many-arguments"),
        pytest.param("[if('a', 1, 2)]", "expects true or false", id="condition-that-is-none"),
        pytest.param("[format('{1}', 'a')]", "has nothing to put into {1}", id="format-without-argument"),
        pytest.param("[format('{0:D3}', 1)]", "no form of numbers", id="format-of-numbers"),
        pytest.param("[div(1, 0)]", "divide by 0", id="division-by-zero"),
        pytest.param("[resourceId('a', 'b')]", "expects a resource type", id="id-without-a-type"),
        pytest.param(f"[resourceId('{VNET}/subnets', 'v')]", "has 2 parts", id="id-with-too-few-names"),
        pytest.param("[reference('x')]", "'reference' is not expected at this location", id="nothing-exists-yet"),
        pytest.param("[int(parameters('secret'))]", "a number of a string", id="secrets-are-not-told"),
    ],
)
def test_expressions_that_come_to_nothing_are_refused_in_a_sentence(text: str, sentence: str | None) -> None:
    if sentence is None:
        assert evaluate(text) == text
        return
    with pytest.raises(TemplateError) as refusal:
        evaluate(text)

    assert sentence in str(refusal.value)
    assert "pa55" not in str(refusal.value)
