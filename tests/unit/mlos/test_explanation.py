import subprocess
from typing import Any

import pytest
from mlos_bench.config.schemas import ConfigSchema
from mlos_bench.services.config_persistence import ConfigPersistenceService

from benchhost.client import UnreachableError
from benchhost.mlos.explanation import explain
from benchhost.mlos.registration import register_schema


def raised_by(config: str) -> BaseException:
    register_schema()
    with pytest.raises(ValueError, match="Failed to validate") as caught:
        ConfigPersistenceService().load_config(config, ConfigSchema.SERVICE)
    return caught.value


def of_service(**config: Any) -> BaseException:
    text = str({"class": "benchhost.mlos.BenchHostService", "config": config}).replace("'", '"')
    return raised_by(text)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(of_service(pollTimout=5), ["pollTimout"], id="unknown-service-key"),
        pytest.param(of_service(pollTimeout=0), ["config.pollTimeout", "minimum"], id="service-key-with-a-bad-value"),
        pytest.param(of_service(onSetupFailure="X"), ["config.onSetupFailure", "Delete"], id="service-key-choice"),
        pytest.param(raised_by('{"class": "no.such.Service"}'), ["class", "no.such.Service"], id="unknown-class"),
        pytest.param(
            subprocess.CalledProcessError(128, ["git", "-C", "x", "remote"]),
            ["benchhost.mlos.workspace"],
            id="no-git-tree",
        ),
        pytest.param(UnreachableError("https://x cannot be reached"), ["cannot be reached"], id="client-error"),
        pytest.param(FileNotFoundError(2, "No such file", "x.jsonc"), ["x.jsonc", "--config_path"], id="missing-file"),
        pytest.param(ModuleNotFoundError("No module named 'x'"), ["No module named 'x'"], id="missing-module"),
        pytest.param(RuntimeWarning("Too many trials failed: 2"), ["Too many trials failed"], id="failed-trials"),
        pytest.param(ValueError("Missing required parameter: vmName"), ["vmName", "configuration"], id="parameter"),
        pytest.param(AssertionError(), ["AssertionError", "DEBUG"], id="an-internal-check-without-words"),
        pytest.param(KeyError("a\nb"), ["KeyError"], id="anything-else"),
    ],
)
def test_failures_become_one_sentence(error: BaseException, words: list[str]) -> None:
    sentence = explain(error)
    assert all(word in sentence for word in words), sentence
    assert "\n" not in sentence
