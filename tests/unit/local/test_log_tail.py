"""The line of a log that says why."""

from pathlib import Path

import pytest

from benchhost.local.log_tail import last_meaningful_line, mentions_taken_port

KLOG = """I1122 10:00:00.000000   12 server.go:1] "starting"
E1122 10:00:01.000000   12 run.go:72] "command failed" err="failed to listen on 127.0.0.1:1: permission denied"
I1122 10:00:02.000000   12 tlsconfig.go:255] "Shutting down"
"""
ETCD = """{"level":"warn","msg":"not recommended"}
{"level":"fatal","ts":"2026","msg":"discovery failed","error":"listen tcp: bind: address already in use","stacktrace":"x"}
"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            KLOG,
            '"command failed" err="failed to listen on 127.0.0.1:1: permission denied"',
            id="klog-error-wins-over-later-information",
        ),
        pytest.param(ETCD, "discovery failed: listen tcp: bind: address already in use", id="etcd-json"),
        pytest.param("Usage:\nError: unknown flag: --x\nmore\n", "Error: unknown flag: --x", id="flag-error"),
        pytest.param("panic: no\n\ngoroutine 1 [running]:\n", "panic: no", id="go-panic"),
        pytest.param("one\ntwo\n\n", "two", id="else-the-last-line"),
        pytest.param("{broken json\n", "{broken json", id="what-looks-like-json-but-is-not"),
        pytest.param("", None, id="an-empty-log-says-nothing"),
    ],
)
def test_last_meaningful_line(text: str, line: str | None, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert last_meaningful_line(log) == line


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert last_meaningful_line(tmp_path / "absent") is None


def test_a_long_line_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Error: " + "x" * 5000)
    line = last_meaningful_line(log)
    assert line is not None
    assert len(line) == 301


@pytest.mark.parametrize(("text", "taken"), [(ETCD, True), (KLOG, False)])
def test_taken_port(text: str, taken: bool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert mentions_taken_port(log) is taken
