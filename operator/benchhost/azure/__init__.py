"""Azure behind the cloud port, through Microsoft's SDK. The only package that imports ``azure``.

Used by the composition root. It decides nothing: what to do and when is the controller's.
"""

from benchhost.azure.budget import Budget
from benchhost.azure.credential_keys import credentials_from_environment, credentials_from_secret, token_file_of
from benchhost.azure.provider import AzureProvider
from benchhost.azure.settings import AzureCloudSettings, AzureSettingsError

__all__ = [
    "AzureCloudSettings",
    "AzureProvider",
    "AzureSettingsError",
    "Budget",
    "credentials_from_environment",
    "credentials_from_secret",
    "token_file_of",
]
