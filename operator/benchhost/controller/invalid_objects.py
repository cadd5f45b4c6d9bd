"""Objects that do not fit the API: they got past the CRD of another version, or past none.

Called by the reconciler in place of a pass. Nothing can be decided about such a host, except that it may go when
nothing was ever asked of the cloud for it.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from benchhost.api.conditions import ConditionStatus, ConditionType, Reason, to_condition
from benchhost.api.names import FINALIZER
from benchhost.api.status import BenchHostStatus, Phase
from benchhost.controller.hosts import Hosts
from benchhost.controller.store import key_of
from benchhost.lifecycle import never_reached_cloud

_log = logging.getLogger(__name__)


def may_go(body: Mapping[str, Any]) -> bool:
    """Whether its deletion was asked for and the cloud was never asked for anything, as far as status can be read."""
    if not _is_deleting(body):
        return False
    try:
        return never_reached_cloud(BenchHostStatus.model_validate(body.get("status") or {}))
    except ValidationError:
        return False


async def report_invalid(hosts: Hosts, body: Mapping[str, Any], message: str, *, now: datetime) -> None:
    """Say on the object what is wrong with it and what to do, once."""
    sentence = f"The object does not fit {body.get('apiVersion')}: {message}. {_todo(body)}"
    conditions = (body.get("status") or {}).get("conditions") or []
    known = [condition for condition in conditions if condition.get("type") == ConditionType.STALLED]
    if known and known[0].get("message") == sentence:
        return
    condition = to_condition(
        ConditionType.STALLED,
        ConditionStatus.TRUE,
        reason=Reason.INVALID_OBJECT,
        message=sentence,
        generation=body["metadata"].get("generation", 0),
        now=now,
    )
    _log.warning("%s/%s: %s", *key_of(body), sentence)
    await hosts.write_raw_status(body, {"phase": Phase.FAILED.value, "conditions": [condition.to_dict()]})


def _is_deleting(body: Mapping[str, Any]) -> bool:
    return bool(body["metadata"].get("deletionTimestamp"))


def _todo(body: Mapping[str, Any]) -> str:
    if not _is_deleting(body):
        return "Correct the field and apply it again."
    return (
        "Until then nothing of it is deleted in the cloud. Correct the field (kubectl edit, which works while the "
        f"object is being deleted), or delete the host's cloud resources by hand and remove the finalizer {FINALIZER}."
    )
