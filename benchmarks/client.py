"""The client's figure: how soon ``wait_host_deployment`` returns once status says Ready.

The bench writes the status itself, in the controller's place, so that nothing but the way from the API server to the
caller is in the figure. The clock starts before the write is sent: what is shown is an upper bound.
"""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config

from benchhost.api.names import GROUP, PLURAL, VERSION
from benchhost.mlos import BenchHostService
from benchmarks.figures import Figure, percentile
from support.builders import azure_spec
from support.stack import Kubectl

_ROUNDS = 50
_TEMPLATE: dict[str, Any] = {"spec": {"azure": azure_spec()}}


def wait_return(kubectl: Kubectl) -> list[Figure]:
    """Fifty hosts, one after the other."""
    api = kubernetes_client.CustomObjectsApi(
        kubernetes_config.new_client_from_config(config_file=str(kubectl.kubeconfig))
    )
    delays = [_round(api, kubectl, number) for number in range(_ROUNDS)]
    return [
        Figure("status Ready -> wait_host_deployment returns, p50", percentile(delays, 50) * 1000, "ms", 20),
        Figure("status Ready -> wait_host_deployment returns, p99", percentile(delays, 99) * 1000, "ms"),
    ]


def _round(api: Any, kubectl: Kubectl, number: int) -> float:
    name = f"wait-{number:03d}"
    service = BenchHostService(
        {
            "kubeconfig": str(kubectl.kubeconfig),
            "namespace": kubectl.namespace,
            "name": name,
            "template": json.loads(json.dumps(_TEMPLATE)),
            "owner": "bench",
            "pollTimeout": 60,
        }
    )
    _, handle = service.provision_host({})
    returned: list[float] = []
    waiting = threading.Thread(
        target=lambda: (service.wait_host_deployment(handle, is_setup=True), returned.append(time.perf_counter()))
    )
    waiting.start()
    # Let the watch be open before the status changes; a wait that begins later returns at once and proves nothing.
    time.sleep(0.1)
    sent = time.perf_counter()
    _write_ready(api, kubectl.namespace, name)
    waiting.join(60)
    service.deprovision_host({})
    return returned[0] - sent


def _write_ready(api: Any, namespace: str, name: str) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Running",
        "message": "",
        "observedGeneration": 1,
        "lastTransitionTime": now,
    }
    synced = condition | {"type": "Synced"}
    status = {"observedGeneration": 1, "powerState": "Running", "conditions": [condition, synced]}
    api.patch_namespaced_custom_object_status(
        GROUP,
        VERSION,
        namespace,
        PLURAL,
        name,
        {"status": status},
        _content_type="application/merge-patch+json",
    )
