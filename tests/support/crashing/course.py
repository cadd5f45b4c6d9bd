"""What is asked of a host in its life, one thing after the other, and what must come of it whatever happens meanwhile.

Two courses go through all that a controller does to a cloud. They differ in how the host is made (in one write, or part
by part under a name of its own) and in what is changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SMALL, LARGE = "Standard_D2s_v5", "Standard_D8s_v5"

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Course:
    """Steps between a host's creation and its deletion."""

    changes: Mapping[str, Callable[[], Spec]]
    """By what the host is afterwards: what is merged into its spec."""
    epochs: list[int]
    """After the creation, and after each change."""
    accepted: Mapping[str, int]
    """Changes of the machine that the cloud accepts, and how often."""
    azure: Mapping[str, Any] = field(default_factory=dict)
    """What its ``spec.azure`` has beyond what every host's has."""


def now() -> str:
    """The time as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def disks(*sizes: int) -> Callable[[], Spec]:
    """Data disks of these sizes in GiB."""
    return lambda: {"azure": {"dataDisks": [{"lun": lun, "sizeGiB": size} for lun, size in enumerate(sizes)]}}


AT_ONCE = Course(
    changes={
        "restarted": lambda: {"restartAt": now()},
        "deallocated": lambda: {"powerState": "Deallocated"},
        "started": lambda: {"powerState": "Running"},
        "resized": lambda: {"azure": {"sizes": [LARGE]}},
        "tagged": lambda: {"azure": {"tags": {"trial": "7"}}},
    },
    # The start and the other size brought other hardware.
    epochs=[1, 1, 1, 2, 3, 3],
    # The updates are the size and the tags.
    accepted={"restart": 1, "deallocate": 1, "start": 1, "update": 2},
)
"""Made in one write."""

PART_BY_PART = Course(
    azure={"name": "database"},
    changes={
        "given a disk": disks(32),
        "given a larger disk": disks(64),
        "without the disk": disks(),
        "reallocated": lambda: {"reallocateAt": now()},
    },
    epochs=[1, 1, 1, 1, 2],
    # The updates are the disk's coming and going.
    accepted={"deallocate": 1, "start": 1, "update": 2},
)
"""Made with a write for each part."""
