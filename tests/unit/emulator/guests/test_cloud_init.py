"""Custom data, as far as a guest understands it."""

from __future__ import annotations

import base64

import pytest

from benchhost.emulator.guests.cloud_init import Plan, plan_of


def plan(text: str) -> Plan:
    return plan_of(base64.b64encode(text.encode()).decode())


@pytest.mark.parametrize(
    ("text", "script"),
    [
        pytest.param("#!/bin/bash\necho", "#!/bin/bash\necho", id="a-script"),
        pytest.param("#cloud-config\nruncmd:\n- echo $A\n", "#!/bin/sh\necho $A\n", id="a-line-for-the-shell"),
        pytest.param("#cloud-config\nruncmd:\n- [echo, $A, 1]\n", "#!/bin/sh\necho '$A' 1\n", id="words-as-they-are"),
        pytest.param("#cloud-config\n", None, id="an-empty-config"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_what_is_run(text: str, script: str | None) -> None:
    assert plan(text) == Plan(script=script)


def test_no_custom_data_is_no_plan() -> None:
    assert plan_of(None) == Plan()


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        pytest.param("hello", "begins neither with #! nor with #cloud-config", id="plain-text"),
        pytest.param("#cloud-config\n[", "Failed loading yaml", id="no-yaml"),
        pytest.param("#cloud-config\n- a\n", "it is no mapping", id="a-list"),
        pytest.param("#cloud-config\nusers: []\n", "ignores 'users'", id="a-module-that-is-not-there"),
        pytest.param("#cloud-config\nruncmd: echo\n", "runcmd is not understood: it is no list", id="runcmd-of-text"),
        pytest.param("#cloud-config\nwrite_files:\n- content: a\n", "write_files is not understood", id="no-path"),
        pytest.param("#cloud-config\nwrite_files:\n- path: /a/../../b\n", "no path of a file", id="out-of-the-guest"),
        pytest.param("#cloud-config\nwrite_files:\n- path: /\n", "no path of a file", id="the-root"),
        pytest.param(
            "#cloud-config\nwrite_files:\n- {path: /a, encoding: gzip, content: a}\n", "gzip is not known", id="gzip"
        ),
        pytest.param("#cloud-config\nwrite_files:\n- text\n", "write_files is not understood", id="an-item-of-text"),
        pytest.param("#cloud-config\nwrite_files: 3\n", "write_files is not understood", id="files-of-a-number"),
    ],
)
def test_what_is_not_understood_is_told(text: str, remark: str) -> None:
    (told,) = plan(text).remarks
    assert remark in told
    assert "\n" not in told


def test_custom_data_that_is_no_text_is_told() -> None:
    for data in ("???", base64.b64encode(b"\xff\xfe").decode()):
        (told,) = plan_of(data).remarks
        assert "not text in base64" in told


@pytest.mark.parametrize(
    ("permissions", "mode"),
    [("", 0o644), ("permissions: '0600'", 0o600), ("permissions: 0755", 0o755), ("permissions: '755'", 0o755)],
)
def test_permissions_of_files(permissions: str, mode: int) -> None:
    (file,) = plan(f"#cloud-config\nwrite_files:\n- path: /opt/x/y\n  append: true\n  {permissions}\n").files
    assert (file.path, file.mode, file.appends, file.content) == ("opt/x/y", mode, True, b"")
