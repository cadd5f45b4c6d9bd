"""mlos_bench's own services for Azure, unmodified, against an emulator: what BenchHost's are compared with.

Their URLs are class attributes with the public cloud's address; those are set to the emulator's for as long as a block
lasts. Nothing else of them is touched, and they ask through ``requests`` as ever.
"""

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from mlos_bench.environments.remote import HostEnv
from mlos_bench.services.base_service import Service
from mlos_bench.services.config_persistence import ConfigPersistenceService
from mlos_bench.tunables.tunable_groups import TunableGroups

_PACKAGE = "mlos_bench.services.remote.azure"


def _service_class(module: str, name: str) -> Any:
    """A class of mlos_bench's package for Azure.

    The package's ``__init__`` wants packages for key vaults and file shares, which hosts have no need of: where they are
    not installed it is passed over, and the module itself is imported as it is.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if _PACKAGE not in sys.modules and importlib.util.find_spec("azure.keyvault") is None and spec is not None:
        sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
    return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)


AzureVMService: Any = _service_class("azure_vm_services", "AzureVMService")
AzureNetworkService: Any = _service_class("azure_network_services", "AzureNetworkService")

PUBLIC_CLOUD = "https://management.azure.com"
TEMPLATE = "services/remote/azure/arm-templates/azuredeploy-ubuntu-vm.jsonc"
NETWORK_TEMPLATE = "services/remote/azure/arm-templates/ARM-virtual-network.jsonc"
NETWORK, SUBNET = "peer-vnet", "default"
_EARLY_SECONDS = 300
"""How long before its end a token is not used any more (mlos_bench's AzureAuthService)."""


@dataclass
class EmulatorTokens:
    """What mlos_bench's ``SupportsAuth`` wants, with tokens of the emulator.

    Parameters
    ----------
    connection
        ``connection.json`` of the emulator.
    """

    connection: Mapping[str, str]
    _token: str = ""
    _ends: float = field(default=0.0)

    def get_access_token(self) -> str:
        """A token that is still good."""
        if time.time() > self._ends - _EARLY_SECONDS:
            url = f"{self.connection['authority']}/{self.connection['tenantId']}/oauth2/v2.0/token"
            form = {
                "grant_type": "client_credentials",
                "client_id": self.connection["clientId"],
                "client_secret": self.connection["clientSecret"],
                "scope": f"{self.connection['audience']}/.default",
            }
            answer = requests.post(url, data=form, timeout=30).json()
            self._token, self._ends = answer["access_token"], time.time() + answer["expires_in"]
        return self._token

    def get_auth_headers(self) -> dict[str, str]:
        """The header of every request."""
        return {"Authorization": f"Bearer {self.get_access_token()}"}

    def get_credential(self) -> Any:
        """No service that is used here asks for it."""
        raise NotImplementedError


@contextlib.contextmanager
def pointed_at(connection: Mapping[str, str]) -> Iterator[None]:
    """Let mlos_bench's services ask the emulator instead of the public cloud, and trust its certificate."""
    with contextlib.ExitStack() as stack:
        for owner in {base for service in (AzureVMService, AzureNetworkService) for base in service.__mro__}:
            for name, value in list(vars(owner).items()):
                if name.startswith("_URL_") and isinstance(value, str):
                    stack.callback(setattr, owner, name, value)
                    setattr(owner, name, value.replace(PUBLIC_CLOUD, connection["endpoint"]))
        before = os.environ.get("REQUESTS_CA_BUNDLE")
        os.environ["REQUESTS_CA_BUNDLE"] = connection["caBundle"]
        stack.callback(_restore, "REQUESTS_CA_BUNDLE", before)
        yield


def services(connection: Mapping[str, str]) -> Service:
    """What other services build upon: configuration files, and tokens."""
    mixin = Service(parent=ConfigPersistenceService())
    tokens = EmulatorTokens(connection)
    mixin.register([tokens.get_access_token, tokens.get_auth_headers, tokens.get_credential])
    return mixin


def machine_service(connection: Mapping[str, str], group: str, *, poll_interval: float, **config: Any) -> Any:
    """``AzureVMService`` with the template that it ships.

    Its configuration takes no polling interval below a second, which would be ten in a cloud at a tenth of Azure's
    times; so ``poll_interval`` is set past the configuration.
    """
    service = AzureVMService(
        {
            "subscription": connection["subscriptionId"],
            "resourceGroup": group,
            "deploymentTemplatePath": TEMPLATE,
            "deploymentTemplateParameters": {
                "location": "eastus",
                "virtualNetworkName": NETWORK,
                "subnetName": SUBNET,
                "vmName": "PLACEHOLDER",
                "vmSize": "Standard_B2s",
                "ubuntuOSVersion": "22.04-LTS",
            },
            **config,
        },
        {},
        services(connection),
    )
    service._poll_interval = poll_interval
    return service


def make_network(connection: Mapping[str, str], group: str, *, poll_interval: float) -> None:
    """Deploy the network that the machines' template needs, with mlos_bench's own service and template."""
    service = AzureNetworkService(
        {
            "subscription": connection["subscriptionId"],
            "resourceGroup": group,
            "deploymentTemplatePath": NETWORK_TEMPLATE,
            "deploymentTemplateParameters": {"location": "eastus", "vnetName": NETWORK, "subnetName": SUBNET},
        },
        {},
        services(connection),
    )
    service._poll_interval = poll_interval
    status, params = service.provision_network({"vnetName": NETWORK})
    if status.is_pending():
        status, _ = service.wait_network_deployment(params, is_setup=True)
    if not status.is_succeeded():
        raise RuntimeError(f"The network was not deployed: {status}")


def host_environment(service: Service, name: str, **arguments: Any) -> HostEnv:
    """mlos_bench's own environment of a host, with one tunable: the size."""
    tunables = TunableGroups(
        {
            "azure-vm": {
                "cost": 1,
                "params": {
                    "vmSize": {
                        "type": "categorical",
                        "default": "Standard_B2s",
                        "values": ["Standard_B2s", "Standard_B4ms"],
                    }
                },
            }
        }
    )
    mixin = Service(parent=service)
    return HostEnv(
        name=name,
        config={"tunable_params": ["azure-vm"], "const_args": {"vmName": name, **arguments}},
        global_config={},
        tunables=tunables,
        service=mixin,
    )


def run_setup(environment: HostEnv) -> bool:
    """What the scheduler does before a trial: tell whether the host is there."""
    return bool(environment.setup(environment.tunable_params, {}))


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
