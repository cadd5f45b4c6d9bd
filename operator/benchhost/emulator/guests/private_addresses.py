"""Which address each machine without a public one has, so that its guest can be reached.

Azure has nothing of the kind: it is how a laptop stands in for the network that such a machine would be reached from.
Kept by `guests`, and saved with the cloud.
"""

from __future__ import annotations


class PrivateAddresses:
    """Which address each machine without a public one has; saved with the cloud."""

    def __init__(self) -> None:
        self.offsets: dict[str, int] = {}

    def offset_of(self, machine: str) -> int:
        """Return the place of a machine's address in the range; it is the machine's for good."""
        if machine not in self.offsets:
            taken = set(self.offsets.values())
            self.offsets[machine] = next(number for number in range(1, len(taken) + 2) if number not in taken)
        return self.offsets[machine]

    def keep(self, machines: set[str]) -> None:
        """Forget all but these."""
        for machine in self.offsets.keys() - machines:
            del self.offsets[machine]
