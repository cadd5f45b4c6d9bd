import logging
import re
import subprocess
from typing import Any

import pytest
from mlos_bench.config.schemas import ConfigSchema
from mlos_bench.services.config_persistence import ConfigPersistenceService

from benchhost.client import UnreachableError
from benchhost.mlos.explanation import explain, explain_end
from benchhost.mlos.registration import register_schema
from benchhost.mlos.troubles import IS_LEFT, HostTroubles, listen


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
        pytest.param(
            AssertionError("LocalEnv requires a service that supports file upload/download operations"),
            ["file upload/download", "fileShare: true"],
            id="no-file-share",
        ),
        pytest.param(
            AssertionError("HostEnv requires a service that supports host provisioning operations"),
            ["host provisioning", "add BenchHostService"],
            id="no-service",
        ),
        pytest.param(
            AssertionError("LocalEnv requires a service that supports local execution"),
            ["local execution", "add one that does"],
            id="no-service-of-another-kind",
        ),
        pytest.param(KeyError("a\nb"), ["KeyError"], id="anything-else"),
    ],
)
def test_failures_become_one_sentence(error: BaseException, words: list[str]) -> None:
    sentence = explain(error)
    assert all(word in sentence for word in words), sentence
    assert "\n" not in sentence


FAILED_TRIALS = RuntimeWarning(
    "Too many trials failed: 2 out of 2. Check configuration, scripts, and logs for details."
)
RELEASED = "was released as 'onSetupFailure' says"


@pytest.mark.parametrize(
    ("end", "last", "left", "sentence"),
    [
        pytest.param(None, None, None, None, id="a-success-says-nothing"),
        pytest.param(None, "not up", None, None, id="nor-with-a-trial-that-failed"),
        pytest.param(None, "x", "x; kubectl", "has succeeded, but a host is left: x; kubectl", id="but-of-a-host-left"),
        pytest.param(FAILED_TRIALS, None, None, "2 out of 2. Check", id="failed-trials-as-mlos-bench-says"),
        pytest.param(
            FAILED_TRIALS, "not\nup", None, "2 out of 2; the last trouble with a host was: not up", id="and-why"
        ),
        pytest.param(KeyboardInterrupt(), "not up", None, f"interrupted; what .* {RELEASED}", id="ctrl-c"),
        pytest.param(SystemExit(143), None, None, f"terminated; what .* {RELEASED}", id="sigterm"),
        pytest.param(KeyboardInterrupt(), "x", "x is there", "interrupted; x is there", id="ctrl-c-with-a-host-left"),
        pytest.param(RuntimeError("away"), "x", "x is there", "away; the last trouble .*: x is there", id="host-left"),
        pytest.param(RuntimeError("away: x"), "x", "x", "away: x$", id="what-is-said-is-not-said-again"),
    ],
)
def test_the_end_is_one_sentence(
    end: BaseException | None, last: str | None, left: str | None, sentence: str | None
) -> None:
    troubles = HostTroubles()
    troubles.last, troubles.left = last, left
    said = explain_end(end, troubles)
    assert (said is None) == (sentence is None)
    if said is not None and sentence is not None:
        assert re.search(sentence, said), said
        assert "\n" not in said


def test_the_last_errors_about_hosts_are_remembered() -> None:
    troubles = listen()
    log = logging.getLogger("benchhost.mlos.test_explanation")
    try:
        log.error("%s is left", "pg", extra=IS_LEFT)
        log.error("%s is not up", "pg")
        log.warning("pg is slow")
    finally:
        logging.getLogger("benchhost.mlos").removeHandler(troubles)
    assert (troubles.last, troubles.left) == ("pg is not up", "pg is left")
