"""The generated CRD is a structural schema that says what the models say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchhost.api import BenchHost, InvalidBenchHostError
from benchhost.api.crd import custom_resource_definition
from benchhost.api.model import parse_duration
from benchhost.api.names import OWNER_TAG_PREFIX
from benchhost.azure.tags import owner_tags, shared_tags
from support.builders import OWNER, host_dict

ROOT = Path(__file__).parents[3]


def fields(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{where}.{name}", field
        yield from fields(field, f"{where}.{name}")
    if "items" in schema:
        yield from fields(schema["items"], f"{where}[]")


def version() -> dict[str, Any]:
    served: dict[str, Any] = custom_resource_definition()["spec"]["versions"][0]
    return served


def test_every_field_tells_what_it_is() -> None:
    schema = version()["schema"]["openAPIV3Schema"]
    without = [name for name, field in fields(schema) if not field.get("description") and name != ".metadata"]
    assert without == []


def test_nothing_is_left_that_a_structural_schema_forbids() -> None:
    text = yaml.safe_dump(custom_resource_definition())
    for word in ("$ref", "$defs", "anyOf", "title:", "const:", "additionalProperties: false"):
        assert word not in text


def test_rules_of_a_model_and_of_its_field_both_hold() -> None:
    azure = version()["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["azure"]
    image = [rule["rule"] for rule in azure["properties"]["image"]["x-kubernetes-validations"]]
    assert len(image) == 2
    assert "self == oldSelf" in image


def test_no_tag_of_a_user_can_be_taken_for_an_owner_s() -> None:
    own = [*owner_tags(OWNER), *shared_tags(OWNER)]
    assert all(name.startswith(OWNER_TAG_PREFIX) for name in own)


def test_every_sample_is_a_valid_object() -> None:
    samples = sorted((ROOT / "manifests" / "samples").glob("*.yaml"))
    assert samples
    for sample in samples:
        for document in yaml.safe_load_all(sample.read_text()):
            if document["kind"] == "BenchHost":
                BenchHost.from_dict(document)


def test_a_bad_object_is_refused_with_the_names_of_the_fields_and_without_their_values() -> None:
    body = host_dict(spec={"powerState": "On", "customDta": "s3cret"}, azure={"sizes": []})
    with pytest.raises(InvalidBenchHostError) as refused:
        BenchHost.from_dict(body)
    message = str(refused.value)
    assert "spec.powerState" in message
    assert "spec.customDta" in message
    assert "spec.azure.sizes" in message
    assert "s3cret" not in message


@pytest.mark.parametrize(("text", "seconds"), [("20m", 1200), ("1h30m", 5400), ("45s", 45), ("1h2m3s", 3723)])
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "20", "m", "1d", "-5m", "5m 3s", "5m\n", "1000000h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)
