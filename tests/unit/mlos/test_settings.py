from pathlib import Path
from typing import Any

import pytest
import yaml

from benchhost.api.names import LABEL_OWNER
from benchhost.mlos.names import ServiceConfigError
from benchhost.mlos.registration import load_schema
from benchhost.mlos.settings import KEYS, OnSetupFailure, PlacementPolicy, ServiceSettings
from support.builders import SSH_KEY, azure_spec

TEMPLATE = {"spec": {"azure": azure_spec()}}


def read(config: dict[str, Any], **globals_: Any) -> ServiceSettings:
    return ServiceSettings.from_config(config, globals_, lambda path: path)


def build(config: dict[str, Any], **variables: Any) -> dict[str, Any]:
    return read({"owner": "me", **config}).template.build(variables)


def test_defaults() -> None:
    settings = read({"template": TEMPLATE})
    assert settings.poll_timeout_seconds == 1800
    assert settings.connection.request_timeout_seconds == 10
    assert settings.on_setup_failure is OnSetupFailure.DELETE
    assert settings.placement_policy is PlacementPolicy.KEEP


def test_shipped_schema_has_the_same_keys_and_defaults() -> None:
    keys = load_schema()["properties"]["config"]["properties"]
    assert set(keys) == KEYS
    defaults = {key: value["default"] for key, value in keys.items() if "default" in value}
    assert read(defaults) == read({})


BAD = [
    pytest.param({"pollTimout": 1}, "'pollTimout'", id="unknown-key"),
    pytest.param({"pollTimeout": 0}, "'pollTimeout'", id="no-time"),
    pytest.param({"pollTimeout": "soon"}, "'pollTimeout'", id="words-for-a-time"),
    pytest.param({"requestTimeout": True}, "'requestTimeout'", id="bool-for-a-time"),
    pytest.param({"pollTimeout": float("nan")}, "'pollTimeout'", id="not-a-number"),
    pytest.param({"onSetupFailure": "Explode"}, "Delete, Deallocate, Keep", id="unknown-choice-lists-the-known"),
    pytest.param({"placementPolicy": "keep"}, "'placementPolicy'", id="choices-are-case-sensitive"),
    pytest.param({"namespace": "$team"}, r"\$team", id="variable-nobody-defined"),
    pytest.param({"template": 5}, "'template'", id="template-of-a-wrong-type"),
    pytest.param({"template": "/nowhere/x.yaml"}, "cannot be read", id="template-file-missing"),
    pytest.param({"template": {"spec": {"azure": {"locaton": "x"}}}}, "locaton", id="template-with-an-unknown-field"),
    pytest.param({"template": {"kind": "Pod"}}, "kind", id="template-of-another-kind"),
    pytest.param({"template": {"spce": {}}}, "'spce'", id="template-with-an-unknown-key"),
    pytest.param({"template": {"metadata": {"namespace": "x"}}}, "config key 'namespace'", id="template-namespace"),
    pytest.param({"parameters": {"vmSize": "spec.azure.size"}}, "sizes", id="mapping-to-an-unknown-field"),
    pytest.param({"parameters": {"vmSize": "azure.sizes"}}, "not a field of spec", id="mapping-outside-spec"),
    pytest.param({"parameters": {"vmSize": "spec..x"}}, "not a field of spec", id="mapping-that-is-no-path"),
    pytest.param({"parameters": {"vmSize": "spec.azure.location[0]"}}, "location", id="index-into-text"),
]


@pytest.mark.parametrize(("config", "words"), BAD)
def test_bad_configuration_is_refused_early_and_names_the_key(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceConfigError, match=words) as caught:
        read(config)
    assert "\n" not in str(caught.value)


def test_template_file_and_inline_template_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "host.yaml"
    file.write_text(yaml.safe_dump(TEMPLATE))
    assert build({"template": str(file)}) == build({"template": TEMPLATE})


def test_manifest_carries_owner_and_only_what_was_asked_for() -> None:
    manifest = build({"template": TEMPLATE})
    assert manifest["metadata"]["labels"][LABEL_OWNER] == "me"
    assert set(manifest["spec"]) == {"powerState", "azure"}
    assert manifest["spec"]["powerState"] == "Running"


MAPPED = [
    pytest.param("spec.azure.sizes[0]", "A1", ("sizes", ["A1", "Standard_D4s_v5"]), id="one-element-of-a-list"),
    pytest.param("spec.azure.sizes", "A1", ("sizes", ["A1"]), id="a-scalar-becomes-a-list-of-one"),
    pytest.param("spec.azure.sizes", ["A1", "B2"], ("sizes", ["A1", "B2"]), id="a-list-stays-a-list"),
    pytest.param("spec.azure.resourceGroup", 123, ("resourceGroup", "123"), id="a-number-where-text-is-meant"),
    pytest.param("spec.azure.osDisk.sizeGiB", "64", ("osDisk", {"sizeGiB": 64}), id="text-where-a-number-is-meant"),
    pytest.param("spec.azure.osDisk.sizeGiB", 64.0, ("osDisk", {"sizeGiB": 64}), id="a-whole-float"),
    pytest.param("spec.azure.tags.team", "x", ("tags", {"team": "x"}), id="a-key-of-a-map"),
    pytest.param("spec.azure.location", None, ("location", "eastus"), id="none-leaves-the-template-alone"),
]


@pytest.mark.parametrize(("path", "value", "expected"), MAPPED)
def test_parameters_reach_their_field(path: str, value: Any, expected: tuple[str, Any]) -> None:
    manifest = build({"template": TEMPLATE, "parameters": {"p": path}}, p=value)
    assert manifest["spec"]["azure"][expected[0]] == expected[1]


def test_parameters_do_not_leak_into_the_next_manifest() -> None:
    template = read({"template": TEMPLATE, "parameters": {"p": "spec.azure.sizes[0]"}}).template
    first = template.build({"p": "A1"})
    second = template.build({"p": None})
    assert first["spec"]["azure"]["sizes"][0] == "A1"
    assert second["spec"]["azure"]["sizes"][0] == "Standard_D2s_v5"


@pytest.mark.parametrize(
    ("config", "variables", "words"),
    [
        pytest.param({"parameters": {"p": "spec.azure.sizes[0]"}}, {}, "no environment passes it", id="never-passed"),
        pytest.param({"parameters": {"p": "spec.azure.sizes[5]"}}, {"p": "A"}, "skips elements", id="index-too-high"),
        pytest.param({"parameters": {"p": "spec.azure.location"}}, {"p": "East US"}, "location", id="value-refused"),
        pytest.param({"template": {"spec": {"azure": {"location": "$where"}}}}, {}, r"\$where", id="variable-left"),
        pytest.param({"template": {}}, {}, "azure", id="nothing-but-defaults"),
    ],
)
def test_bad_values_are_refused_before_anything_is_sent(
    config: dict[str, Any], variables: dict[str, Any], words: str
) -> None:
    with pytest.raises(ServiceConfigError, match=words):
        build({"template": TEMPLATE, **config}, **variables)


def test_secret_values_are_not_repeated_in_messages() -> None:
    admin = {"username": "bench", "sshPublicKeys": ["hunter2"]}
    with pytest.raises(ServiceConfigError) as caught:
        build({"template": {"spec": {"azure": azure_spec(admin=admin)}}})
    assert "hunter2" not in str(caught.value)


def test_start_up_script_keeps_its_shell_variables() -> None:
    script = "#!/bin/sh\necho $HOME ${location}\n"
    manifest = build({"template": {"spec": {"azure": azure_spec(customData=script)}}}, location="here")
    assert manifest["spec"]["azure"]["customData"] == script


def test_variables_are_replaced_with_their_own_type() -> None:
    admin = {"username": "bench", "sshPublicKeys": "$keys"}
    manifest = build({"template": {"spec": {"azure": azure_spec(admin=admin)}}}, keys=[SSH_KEY])
    assert manifest["spec"]["azure"]["admin"]["sshPublicKeys"] == [SSH_KEY]
