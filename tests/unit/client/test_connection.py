from pathlib import Path

import pytest
import yaml

from benchhost.client import ConfigurationError, ConnectionSettings
from benchhost.client.connection import connect


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's kubeconfig nor a pod."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def kubeconfig(path: Path, *, current: str = "one") -> Path:
    contexts = [
        {"name": "one", "context": {"cluster": "c", "user": "u", "namespace": "first"}},
        {"name": "two", "context": {"cluster": "c", "user": "u"}},
    ]
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": contexts,
        "current-context": current,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def test_namespace_of_the_current_context_is_used(tmp_path: Path) -> None:
    connection = connect(ConnectionSettings(kubeconfig=str(kubeconfig(tmp_path / "k"))))
    assert connection.namespace == "first"
    assert "context 'one'" in connection.where


def test_named_context_and_namespace_win(tmp_path: Path) -> None:
    path = str(kubeconfig(tmp_path / "k"))
    assert connect(ConnectionSettings(kubeconfig=path, context="two")).namespace == "default"
    assert connect(ConnectionSettings(kubeconfig=path, namespace="mine")).namespace == "mine"


def test_kubeconfig_variable_is_read_at_call_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{kubeconfig(tmp_path / 'k')}")
    assert connect(ConnectionSettings()).namespace == "first"


def test_home_is_the_last_place(tmp_path: Path) -> None:
    kubeconfig(tmp_path / ".kube" / "config")
    assert connect(ConnectionSettings()).namespace == "first"


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "context", "words"),
    [
        pytest.param(None, None, "no cluster is configured", id="nothing-is-configured"),
        pytest.param(None, "two", "no kubeconfig", id="a-context-without-a-kubeconfig"),
        pytest.param("", None, "cannot be used", id="empty-file"),
        pytest.param("{", None, "cannot be used", id="no-yaml"),
        pytest.param("[]", None, "cannot be used", id="no-mapping"),
        pytest.param("a: b", None, "cannot be used", id="no-kubeconfig"),
        pytest.param("good", "three", "it has: one, two", id="unknown-context-lists-the-known"),
    ],
)
def test_bad_configuration_is_one_sentence(tmp_path: Path, text: str | None, context: str | None, words: str) -> None:
    path = tmp_path / "k"
    if text == "good":
        kubeconfig(path)
    elif text is not None:
        path.write_text(text)
    settings = ConnectionSettings(kubeconfig=str(path) if text is not None else None, context=context)
    with pytest.raises(ConfigurationError, match=words) as caught:
        connect(settings)
    assert "\n" not in str(caught.value)


def test_missing_file_that_was_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no kubeconfig"):
        connect(ConnectionSettings(kubeconfig=str(tmp_path / "absent")))
