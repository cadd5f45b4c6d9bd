import pytest

from benchhost.api.conditions import Reason
from benchhost.azure import AzureCredentials
from benchhost.cloud import CredentialsError

COMPLETE = {
    "AZURE_TENANT_ID": "tenant-value",
    "AZURE_CLIENT_ID": "client-value",
    "AZURE_CLIENT_SECRET": "secret-value",
}


def test_values_are_read_and_never_shown() -> None:
    credentials = AzureCredentials.from_mapping({**COMPLETE, "AZURE_CLIENT_ID": " client-value\n", "OTHER": "x"})
    assert credentials.client_id == "client-value"
    assert credentials.client_secret == "secret-value"
    assert "value" not in f"{credentials!r} {credentials!s}"


@pytest.mark.parametrize("key", sorted(COMPLETE))
@pytest.mark.parametrize("value", [None, "", "  \n"], ids=["absent", "empty", "blank"])
def test_a_missing_key_is_named_and_no_value_is(key: str, value: str | None) -> None:
    values = {name: text for name, text in COMPLETE.items() if name != key} | ({} if value is None else {key: value})
    with pytest.raises(CredentialsError) as caught:
        AzureCredentials.from_mapping(values)
    assert caught.value.reason is Reason.CREDENTIALS_MISSING
    assert f"lack {key};" in caught.value.message
    assert "-value" not in str(caught.value)
