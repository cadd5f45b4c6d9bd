"""Tell mlos_bench's configuration schema of ``BenchHostService``.

mlos_bench accepts only service classes that its own schema lists, and offers no way to add one; this adds ours to the
schema in memory. Used by the launcher, before any configuration is read, and by ``service`` for programs that make it
themselves. It must fail with one sentence when mlos_bench is not as it was.
"""

import json
from importlib.resources import files
from typing import Any, Final

SCHEMA_FILE: Final = "benchhost-service-subschema.json"
_KNOWN_NEIGHBOUR: Final = "azure-vm-service-subschema.json"


class RegistrationError(RuntimeError):
    """mlos_bench is missing, or its schema is no longer where version 0.6.2 has it."""


def load_schema() -> dict[str, Any]:
    """The JSON schema of the service's configuration, as shipped."""
    schema: dict[str, Any] = json.loads(files("benchhost.mlos").joinpath(SCHEMA_FILE).read_text(encoding="utf-8"))
    return schema


def register_schema() -> None:
    """Make ``benchhost.mlos.BenchHostService`` a class that mlos_bench accepts; repeating it changes nothing.

    Raises
    ------
    RegistrationError
        If mlos_bench is missing or keeps its schema elsewhere.
    """
    try:
        from mlos_bench.config.schemas.config_schemas import ConfigSchema, SchemaStore
    except ImportError as error:
        raise RegistrationError(
            f"mlos_bench cannot be imported ({error}); install it with: pip install 'benchhost[mlos]'"
        ) from error
    schema = load_schema()
    try:
        SchemaStore._load_schemas()  # noqa: SLF001 - there is no public way
        store = SchemaStore._SCHEMA_STORE  # noqa: SLF001 - there is no public way
        choices = _find_choices(store[ConfigSchema.SERVICE.value])
        if not any(choice["$ref"] == schema["$id"] for choice in choices):
            choices.append({"$ref": schema["$id"]})
        store[schema["$id"]] = schema
        SchemaStore._load_registry()  # noqa: SLF001 - there is no public way
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise RegistrationError(
            f"this version of mlos_bench keeps its configuration schema elsewhere ({error!r}); "
            "install the one that benchhost works with: pip install 'benchhost[mlos]'"
        ) from error


def _find_choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of service classes, recognised by a class that has always been in it."""
    choices: list[dict[str, Any]] = schema["$defs"]["service_config"]["allOf"][0]["oneOf"]
    if not any(_KNOWN_NEIGHBOUR in choice["$ref"] for choice in choices):
        raise KeyError(_KNOWN_NEIGHBOUR)
    return choices
