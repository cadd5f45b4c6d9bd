"""``benchhost operator run``: the controller, in a cluster or beside one.

Puts the Azure adapter behind the controller's port; everything else is in ``benchhost.controller``.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from benchhost.cli.errors import USAGE, fail, missing_extra

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration

    from benchhost.cloud import CloudProvider, Scope
    from benchhost.controller.connection import Login
    from benchhost.controller.providers import ProvidersFactory
    from benchhost.controller.settings import ControllerSettings

app = typer.Typer(help="The controller that keeps the cloud in agreement with BenchHosts.", no_args_is_help=True)

Kubeconfig = Annotated[
    Path | None, typer.Option(help="kubeconfig to use; in a pod the ServiceAccount is used.", envvar="KUBECONFIG")
]
Context = Annotated[str | None, typer.Option(help="Context in the kubeconfig.")]
SweepScopes = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SUBSCRIPTION/GROUP",
        help="Where to look for orphans beside the places that BenchHosts name, with the AZURE_* credentials of this "
        "process. Repeatable.",
    ),
]
OrphanAge = Annotated[float, typer.Option(min=0.0, help="Seconds that an orphan must have been there to count.")]

T = TypeVar("T")


@app.command()
def run(
    *,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
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
    workers: Annotated[int, typer.Option(min=1, max=1000, help="Hosts that are worked on at once.")] = 128,
    poll_interval: Annotated[
        float,
        typer.Option(
            min=0.01,
            help="Seconds between two looks at an operation when the cloud does not say; a few operations are looked "
            "at five times as often.",
        ),
    ] = 5.0,
    resync_interval: Annotated[
        float, typer.Option(min=1.0, help="Seconds between two looks at a host that nothing happened to.")
    ] = 600.0,
    liveness: Annotated[
        str | None, typer.Option(help="Where to serve /healthz, for example http://127.0.0.1:8080/healthz.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Where to serve metrics, for example http://127.0.0.1:8081/metrics.")
    ] = None,
    sweep_interval: Annotated[
        float, typer.Option(min=1.0, help="Seconds between two looks for cloud resources without a BenchHost.")
    ] = 600.0,
    sweep_scope: SweepScopes = None,
    orphan_age: OrphanAge = 900.0,
    delete_orphans: Annotated[bool, typer.Option(help="Delete such resources; else they are only reported.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run the controller until it is stopped by SIGINT or SIGTERM.

    The cloud is chosen by AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_RESOURCE_MANAGER_AUDIENCE, AZURE_AUTHORITY_HOST and
    AZURE_CA_BUNDLE; without them it is Azure's public cloud.
    """
    try:
        from benchhost.controller.app import run as run_controller
        from benchhost.controller.settings import ControllerSettings
    except ImportError as error:
        missing_extra("operator", error)
    _configure_logging(log_level)
    settings = ControllerSettings(
        namespaces=tuple(namespace or ()),
        identity_namespaces=tuple(identity_namespace or ()),
        workers=workers,
        poll_interval=timedelta(seconds=poll_interval),
        resync_interval=timedelta(seconds=resync_interval),
        liveness_endpoint=liveness,
        metrics_endpoint=metrics,
        sweep_interval=timedelta(seconds=sweep_interval),
        sweep_scopes=to_scopes(sweep_scope or ()),
        orphan_age=timedelta(seconds=orphan_age),
        delete_orphans=delete_orphans,
    )
    run_in_cluster(run_controller, settings, kubeconfig, context=context)


def run_in_cluster(
    work: "Callable[[ControllerSettings, Login, ProvidersFactory], Coroutine[Any, Any, T]]",
    settings: "ControllerSettings",
    kubeconfig: Path | None,
    *,
    context: str | None,
) -> T:
    """Run a piece of the controller to its end; what an administrator has to mend ends as one sentence."""
    try:
        from kubernetes.aio.config import ConfigException

        from benchhost.azure import AzureSettingsError
        from benchhost.controller.connection import InstallationError
        from benchhost.controller.metrics_server import MetricsServerError
    except ImportError as error:
        missing_extra("operator", error)
    try:
        return asyncio.run(work(settings, make_login(kubeconfig, context), azure_providers(os.environ, settings)))
    except (InstallationError, AzureSettingsError, MetricsServerError) as error:
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
        Budget,
        credentials_from_environment,
        credentials_from_secret,
        token_file_of,
    )
    from benchhost.controller.hosts import Hosts
    from benchhost.controller.providers import Providers, Wrap

    cloud = AzureCloudSettings.from_environment(environment)
    token_file = token_file_of(environment)
    budget = Budget()

    def make(hosts: Hosts, wrap: Wrap) -> Providers:
        def from_secret(values: Mapping[str, str], may_use_own: bool) -> "CloudProvider":
            own_token = token_file if may_use_own else None
            return wrap(AzureProvider(cloud, credentials_from_secret(values, token_file=own_token), budget))

        return Providers(
            hosts,
            from_secret,
            own=lambda: wrap(AzureProvider(cloud, credentials_from_environment(environment), budget)),
            own_namespaces=settings.identity_namespaces,
        )

    return make


def to_scopes(texts: Iterable[str]) -> "tuple[Scope, ...]":
    """Read SUBSCRIPTION/GROUP; another form ends the command."""
    from benchhost.cloud import Scope

    pairs = [text.split("/") for text in texts]
    for pair in pairs:
        if len(pair) != 2 or not all(pair):  # noqa: PLR2004 - two words and a slash
            fail(f"--sweep-scope {'/'.join(pair)} is no scope; write SUBSCRIPTION/GROUP.", code=USAGE)
    return tuple(Scope(subscription.lower(), group.lower()) for subscription, group in pairs)


def _configure_logging(level: str) -> None:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        fail(f"--log-level {level} is not a level; use debug, info, warning or error.", code=USAGE)
    logging.basicConfig(level=number, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    # kopf says one line for each event of each object, and the SDK one for each request.
    logging.getLogger("kopf").setLevel(max(number, logging.WARNING))
    logging.getLogger("azure").setLevel(max(number, logging.WARNING))
