"""mlos_bench on BenchHosts: the service that an experiment's configuration names, and the command that runs it.

The only importer of mlos_bench. ``BenchHostService`` is loaded when it is asked for, so that the launcher can say in
one sentence that mlos_bench is missing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchhost.mlos.service import BenchHostService

__all__ = ["BenchHostService"]


def __getattr__(name: str) -> Any:
    if name != "BenchHostService":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from benchhost.mlos.service import BenchHostService

    return BenchHostService
