"""``benchhost operator run``: the controller, in a cluster or beside one.

Puts the Azure adapter behind the controller's port; everything else is in ``benchhost.controller``.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchhost.cli.errors import USAGE, fail, missing_extra

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration

    from benchhost.controller.app import Login, ProvidersFactory
    from benchhost.controller.settings import ControllerSettings

app = typer.Typer(help="The controller that keeps the cloud in agreement with BenchHosts.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``run`` a subcommand though it is the only one."""


@app.command()
def run(
    *,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="kubeconfig to use; in a pod the ServiceAccount is used.", envvar="KUBECONFIG"),
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context in the kubeconfig.")] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Namespace to watch; all when absent. Repeatable.")
    ] = None,
    identity_namespace: Annotated[
        list[str] | None,
        typer.Option(
            help="Namespace whose hosts may use the controller's own credentials or service account token; * for all. "
            "Repeatable."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=1000, help="Hosts that are worked on at once.")] = 32,
    poll_interval: Annotated[
        float,
        typer.Option(min=0.01, help="Seconds between two looks at an operation when the cloud does not say."),
    ] = 5.0,
    resync_interval: Annotated[
        float, typer.Option(min=1.0, help="Seconds between two looks at a host that nothing happened to.")
    ] = 600.0,
    liveness: Annotated[
        str | None, typer.Option(help="Where to serve /healthz, for example http://127.0.0.1:8080/healthz.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run the controller until it is stopped by SIGINT or SIGTERM.

    The cloud is chosen by AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_RESOURCE_MANAGER_AUDIENCE, AZURE_AUTHORITY_HOST and
    AZURE_CA_BUNDLE; without them it is Azure's public cloud.
    """
    try:
        from benchhost.controller.settings import ControllerSettings
    except ImportError as error:
        missing_extra("operator", error)
    _configure_logging(log_level)
    _run(
        ControllerSettings(
            namespaces=tuple(namespace or ()),
            identity_namespaces=tuple(identity_namespace or ()),
            workers=workers,
            poll_interval=timedelta(seconds=poll_interval),
            resync_interval=timedelta(seconds=resync_interval),
            liveness_endpoint=liveness,
        ),
        kubeconfig,
        context,
    )


def _run(settings: "ControllerSettings", kubeconfig: Path | None, context: str | None) -> None:
    try:
        from kubernetes.aio.config import ConfigException

        from benchhost.azure import AzureSettingsError
        from benchhost.controller.app import InstallationError
        from benchhost.controller.app import run as run_controller
    except ImportError as error:
        missing_extra("operator", error)
    try:
        asyncio.run(run_controller(settings, make_login(kubeconfig, context), azure_providers(os.environ, settings)))
    except (InstallationError, AzureSettingsError) as error:
        fail(str(error))
    except ConfigException as error:
        fail(f"the kubeconfig cannot be used: {error}; pass --kubeconfig or --context.", code=USAGE)


def make_login(kubeconfig: Path | None, context: str | None) -> "Login":
    """How to reach the API server: what the user names, else the pod's ServiceAccount, never a guess."""
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.config import ConfigException, load_incluster_config

    async def login() -> "Configuration":
        configuration = Configuration()
        if kubeconfig is not None or context is not None:
            await _load(configuration, kubeconfig, context)
        elif "KUBERNETES_SERVICE_HOST" in os.environ:
            load_incluster_config(client_configuration=configuration)
        else:
            raise ConfigException("no cluster is named, and this is not a pod")
        return configuration

    return login


async def _load(configuration: "Configuration", kubeconfig: Path | None, context: str | None) -> None:
    from kubernetes.aio.config import ConfigException, load_kube_config

    try:
        await load_kube_config(
            config_file=str(kubeconfig) if kubeconfig else None,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except ConfigException:
        raise
    except Exception as error:  # the package meets a malformed file with whatever its code happens to raise
        raise ConfigException(f"{kubeconfig or 'the default file'} is not a kubeconfig ({error})") from error


def azure_providers(environment: Mapping[str, str], settings: "ControllerSettings") -> "ProvidersFactory":
    """Azure behind the controller's port, with the cloud and the own credentials of this environment."""
    from benchhost.azure import (
        AzureCloudSettings,
        AzureProvider,
        credentials_from_environment,
        credentials_from_secret,
        token_file_of,
    )
    from benchhost.controller.hosts import Hosts
    from benchhost.controller.providers import Providers

    cloud = AzureCloudSettings.from_environment(environment)
    token_file = token_file_of(environment)

    def from_secret(values: Mapping[str, str], may_use_own: bool) -> AzureProvider:
        own_token = token_file if may_use_own else None
        return AzureProvider(cloud, credentials_from_secret(values, token_file=own_token))

    def make(hosts: Hosts) -> Providers:
        return Providers(
            hosts,
            from_secret,
            own=lambda: AzureProvider(cloud, credentials_from_environment(environment)),
            own_namespaces=settings.identity_namespaces,
        )

    return make


def _configure_logging(level: str) -> None:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        fail(f"--log-level {level} is not a level; use debug, info, warning or error.", code=USAGE)
    logging.basicConfig(level=number, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    # kopf says one line for each event of each object, and the SDK one for each request.
    logging.getLogger("kopf").setLevel(max(number, logging.WARNING))
    logging.getLogger("azure").setLevel(max(number, logging.WARNING))
