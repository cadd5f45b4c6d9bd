"""When something happened last, by key, for a while: what is older is forgotten with whatever happens next.

Used by the inventory and by the lists, which remember changes of hosts that may never be looked at again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class Lately:
    """The last moment of each key, no further back than ``span``."""

    span: timedelta
    _moments: OrderedDict[str, datetime] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        """How many keys are kept in memory."""
        return len(self._moments)

    def note(self, key: str) -> None:
        """It has happened now."""
        now = datetime.now(UTC)
        self.forget([key])
        self._moments[key] = now
        while next(iter(self._moments.values())) < now - self.span:
            self._moments.popitem(last=False)

    def get(self, key: str) -> datetime | None:
        """When it happened, if that was lately."""
        moment = self._moments.get(key)
        return moment if moment is not None and moment >= datetime.now(UTC) - self.span else None

    def forget(self, keys: Iterable[str]) -> None:
        """It does not matter any more."""
        for key in keys:
            self._moments.pop(key, None)
