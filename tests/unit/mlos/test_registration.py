from typing import Any

import jsonschema
import pytest
from mlos_bench.config.schemas import ConfigSchema
from mlos_bench.config.schemas.config_schemas import SchemaStore

from benchhost.mlos.registration import RegistrationError, load_schema, register_schema


def validate(config: dict[str, Any]) -> None:
    ConfigSchema.SERVICE.validate(config)


@pytest.mark.parametrize("path", ["benchhost.mlos.BenchHostService", "benchhost.mlos.service.BenchHostService"])
def test_both_class_paths_are_accepted_and_a_wrong_key_is_not(path: str) -> None:
    register_schema()
    register_schema()
    validate({"class": path, "config": {"pollTimeout": 5}})
    with pytest.raises(jsonschema.ValidationError):
        validate({"class": path, "config": {"pollInterval": 5}})


def test_other_services_are_checked_as_before() -> None:
    register_schema()
    validate({"class": "mlos_bench.services.local.LocalExecService"})
    with pytest.raises(jsonschema.ValidationError):
        validate({"class": "somebody.elses.Service"})


def test_a_moved_schema_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    register_schema()
    store = {key: value for key, value in SchemaStore._SCHEMA_STORE.items() if key != load_schema()["$id"]}
    store[ConfigSchema.SERVICE.value] = {"$defs": {"renamed": {}}}
    monkeypatch.setattr(SchemaStore, "_SCHEMA_STORE", store)
    with pytest.raises(RegistrationError, match=r"pip install 'benchhost\[mlos\]'"):
        register_schema()
