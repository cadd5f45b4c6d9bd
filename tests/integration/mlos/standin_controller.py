"""A controller without a cloud: it answers specs with the status that the real one would write.

For tests of the client alone. It is a thread with connections of its own, and it can be told to answer otherwise.
"""

import contextlib
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kubernetes.client import ApiClient, CustomObjectsApi
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from urllib3.exceptions import HTTPError

from benchhost.api import BenchHost, PowerState
from benchhost.api.model import to_timestamp
from benchhost.api.names import FINALIZER, GROUP, PLURAL, VERSION
from benchhost.client import BenchHostClient, ClientError, ConnectionSettings, Deadline, EventType, NotFoundError


class Answer(Enum):
    """How a host is answered."""

    OBEY = auto()
    SILENCE = auto()
    STALL = auto()
    FAIL_FINALLY = auto()
    HOLD_DELETION = auto()


class StandInController:
    """Reconciles every BenchHost of one namespace as if the cloud took no time.

    Parameters
    ----------
    kubeconfig
        The cluster.
    namespace
        The namespace.
    """

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._kubeconfig, self._namespace = str(kubeconfig), namespace
        self._answers: dict[str, Answer] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stand-in controller", daemon=True)
        self.failure: BaseException | None = None
        self.ssh_endpoint: Mapping[str, Any] | None = None
        """What every host reports from now on."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(timeout=20)
        if self.failure is not None and error is None:
            raise self.failure

    def answer(self, name: str, answer: Answer) -> None:
        """From now on treat this host so; what has been written stays."""
        self._answers[name] = answer
        now = to_timestamp(datetime.now(UTC))
        with self._client() as client, contextlib.suppress(NotFoundError):
            client.patch(name, {"metadata": {"annotations": {"test/look-again": now}}})

    def _client(self) -> BenchHostClient:
        settings = ConnectionSettings(kubeconfig=self._kubeconfig, namespace=self._namespace, watch_seconds=1)
        return BenchHostClient(settings)

    def _run(self) -> None:
        api: ApiClient = new_client_from_config(config_file=self._kubeconfig)
        try:
            with self._client() as client:
                while not self._stop.is_set():
                    self._watch_for_a_while(CustomObjectsApi(api), client)
        except Exception as error:  # noqa: BLE001 - told to the test in __exit__
            self.failure = error
        finally:
            api.close()

    def _watch_for_a_while(self, api: CustomObjectsApi, client: BenchHostClient) -> None:
        try:
            for event in client.watch(deadline=Deadline.after(1)):
                if event.type is not EventType.DELETED:
                    self._reconcile(api, event.host)
        except ClientError as error:
            if not error.is_transient:
                raise

    def _reconcile(self, api: CustomObjectsApi, host: BenchHost) -> None:
        answer = self._answers.get(host.metadata.name, Answer.OBEY)
        try:
            if host.is_deleting:
                if answer is not Answer.HOLD_DELETION:
                    self._patch(api, host, {"metadata": {"finalizers": []}})
                return
            if not host.has_finalizer:
                self._patch(api, host, {"metadata": {"finalizers": [FINALIZER]}})
            status = to_status(host, answer, self.ssh_endpoint)
            if status is not None and status != host.status.to_dict():
                self._patch(api, host, {"status": status}, is_status=True)
        except HTTPError:
            return  # the next list tells of the object again
        except ApiException as error:
            if error.status not in {404, 409, 429, 500, 503}:
                raise

    def _patch(
        self, api: CustomObjectsApi, host: BenchHost, patch: Mapping[str, Any], *, is_status: bool = False
    ) -> None:
        call = api.patch_namespaced_custom_object_status if is_status else api.patch_namespaced_custom_object
        call(
            GROUP, VERSION, self._namespace, PLURAL, host.metadata.name, dict(patch),
            _content_type="application/merge-patch+json", _request_timeout=10,
        )  # fmt: skip


def to_status(host: BenchHost, answer: Answer, ssh: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The status that the host deserves, or None for none."""
    if answer is Answer.SILENCE:
        return None
    if answer is Answer.STALL:
        message = "QuotaExceeded: 8 of 8 vCPUs are in use; raise the quota"
        return _status(host, {"Ready": "False", "Stalled": "True"}, reason="QuotaExceeded", message=message)
    if answer is Answer.FAIL_FINALLY:
        failure = {"reason": "ImageNotFound", "message": "there is no such image", "class": "Terminal", "count": 1}
        failure |= {"since": _now(), "generation": host.metadata.generation}
        return _status(host, {"Ready": "False"}, reason="ImageNotFound", message="x") | {"failure": failure}
    if host.spec.power_state is PowerState.RUNNING:
        return _running(host, ssh)
    return _off(host)


def _off(host: BenchHost) -> dict[str, Any]:
    power = host.spec.power_state
    status = _status(host, {"Synced": "True"}, reason=power) | {"powerState": power}
    if host.status.power_state != power:
        epoch = host.status.placement.epoch if host.status.placement else 0
        kind = "Stop" if power is PowerState.STOPPED else "Deallocate"
        status["history"] = [*status.get("history", []), _entry(kind, epoch)]
    return status


def _entry(kind: str, epoch: int) -> dict[str, Any]:
    now = _now()
    return {"type": kind, "startTime": now, "endTime": now, "seconds": 1.5, "result": "Succeeded", "epoch": epoch}


def _running(host: BenchHost, ssh: Mapping[str, Any] | None) -> dict[str, Any]:
    status = _status(host, {"Ready": "True", "Synced": "True"}, reason="Running")
    old = host.status
    asked = host.spec.reallocate_at
    must_move = asked is not None and (old.last_reallocate_time is None or old.last_reallocate_time < asked)
    epoch = old.placement.epoch if old.placement else 0
    kind = "Provision" if epoch == 0 else "Reallocate" if must_move else "Start"
    history = [entry.to_dict() for entry in old.history]
    if epoch == 0 or must_move or old.power_state != "Running":
        epoch += 0 if old.power_state == "Stopped" else 1
        history.append(_entry(kind, epoch))
    restart = host.spec.restart_at
    if restart is not None and (old.last_restart_time is None or old.last_restart_time < restart):
        history.append(_entry("Restart", epoch))
        status["lastRestartTime"] = to_timestamp(restart)
    place = {"epoch": epoch, "since": _now(), "vmId": f"vm-{epoch}"}
    if old.placement and old.placement.epoch == epoch:
        place = old.placement.to_dict()
    status |= {
        "powerState": "Running",
        "size": host.spec.azure.sizes[0],
        "providerId": f"azure:///subscriptions/x/{host.metadata.name}",
        "placement": place,
        "history": history,
        "addresses": [{"type": "ExternalIP", "address": "203.0.113.7"}],
    }
    if ssh is not None:
        status["sshEndpoint"] = dict(ssh)
    if host.spec.observe_at is not None:
        status["lastObserveTime"] = to_timestamp(host.spec.observe_at)
    if must_move and asked is not None:
        status["lastReallocateTime"] = to_timestamp(asked)
    return status


def _status(host: BenchHost, conditions: Mapping[str, str], *, reason: str, message: str = "") -> dict[str, Any]:
    old = {condition.type: condition for condition in host.status.conditions}
    generation = host.metadata.generation
    rows = []
    for kind, value in conditions.items():
        same = kind in old and old[kind].status == value
        moment = to_timestamp(old[kind].last_transition_time) if same else _now()
        row = {"type": kind, "status": value, "reason": reason, "message": message, "lastTransitionTime": moment}
        rows.append(row | {"observedGeneration": generation})
    kept = {
        key: value
        for key, value in host.status.to_dict().items()
        if key in {"history", "placement", "lastReallocateTime", "lastRestartTime"}
    }
    return {**kept, "conditions": rows, "observedGeneration": generation}


def _now() -> str:
    return to_timestamp(datetime.now(UTC).replace(microsecond=0))
