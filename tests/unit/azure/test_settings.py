from pathlib import Path

import pytest

from benchhost.azure import AzureCloudSettings, AzureSettingsError
from benchhost.emulator.certificates import make_certificate

STACK = "https://management.local.azurestack.external"


def test_without_variables_it_is_the_public_cloud() -> None:
    settings = AzureCloudSettings.from_environment({})
    assert settings.resource_manager_endpoint == "https://management.azure.com"
    assert settings.scope == "https://management.azure.com/.default"
    assert settings.authority_host == "https://login.microsoftonline.com"
    assert settings.ca_bundle is None
    assert not settings.disable_instance_discovery


def test_a_private_cloud_is_read_from_the_names_that_azure_service_operator_uses(tmp_path: Path) -> None:
    bundle = make_certificate(tmp_path, ("localhost",)).ca_bundle
    settings = AzureCloudSettings.from_environment(
        {
            "AZURE_RESOURCE_MANAGER_ENDPOINT": f"{STACK}/",
            "AZURE_RESOURCE_MANAGER_AUDIENCE": "https://management.stack.onmicrosoft.com/guid/",
            "AZURE_AUTHORITY_HOST": "https://login.local.azurestack.external:8443",
            "AZURE_CA_BUNDLE": str(bundle),
        }
    )
    assert settings.resource_manager_endpoint == STACK
    assert settings.scope == "https://management.stack.onmicrosoft.com/guid//.default"
    assert settings.authority_host == "https://login.local.azurestack.external:8443"
    assert settings.ca_bundle == bundle
    assert settings.disable_instance_discovery


def test_a_cloud_without_an_audience_of_its_own_has_its_endpoint_as_audience() -> None:
    settings = AzureCloudSettings.from_environment({"AZURE_RESOURCE_MANAGER_ENDPOINT": STACK})
    assert settings.scope == f"{STACK}/.default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "http://localhost:8080", id="endpoint-without-tls"),
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "management.azure.com", id="endpoint-without-scheme"),
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://", id="endpoint-without-host"),
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://host:port", id="endpoint-with-a-word-as-port"),
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://host:99999", id="endpoint-with-a-port-too-high"),
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://user@host", id="endpoint-with-a-user"),
        pytest.param("AZURE_RESOURCE_MANAGER_ENDPOINT", "https://host?x=1", id="endpoint-with-a-query"),
        pytest.param("AZURE_RESOURCE_MANAGER_AUDIENCE", "two words", id="audience-with-a-space"),
        pytest.param("AZURE_AUTHORITY_HOST", "http://login.example", id="authority-without-tls"),
        pytest.param("AZURE_CA_BUNDLE", "/no/such/file.pem", id="ca-bundle-that-is-missing"),
        pytest.param("AZURE_CA_BUNDLE", "/", id="ca-bundle-that-is-a-folder"),
        pytest.param("AZURE_CA_BUNDLE", __file__, id="ca-bundle-without-a-certificate"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence_that_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(AzureSettingsError) as caught:
        AzureCloudSettings.from_environment({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} is {value!r}, ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        pytest.param("https://localhost:8443/subscriptions/x?t=1", True, id="the-endpoint-itself"),
        pytest.param("https://LOCALHOST:8443/x", True, id="the-endpoint-in-capitals"),
        pytest.param("http://localhost:8443/x", False, id="without-tls"),
        pytest.param("https://localhost:8444/x", False, id="another-port"),
        pytest.param("https://localhost/x", False, id="the-default-port"),
        pytest.param("https://evil.example:8443/x", False, id="another-host"),
        pytest.param("https://localhost:8443@evil.example/x", False, id="the-endpoint-as-user-name"),
        pytest.param("https://evil@localhost:8443/x", False, id="with-a-user-name"),
        pytest.param("https://localhost:8443.evil.example/x", False, id="the-endpoint-as-prefix"),
        pytest.param("https://localhost:word/x", False, id="a-word-as-port"),
        pytest.param("/subscriptions/x", False, id="a-path-alone"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_token_goes_to_the_endpoint_only(url: str, allowed: bool) -> None:
    settings = AzureCloudSettings(resource_manager_endpoint="https://localhost:8443")
    assert settings.is_at_endpoint(url) is allowed
